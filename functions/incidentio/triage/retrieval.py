"""Which texts of a small collection are most like another one, and by which words: Okapi BM25.

The formula is that of Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with
k1 = 1.2 and b = 0.75 and the never negative idf that Lucene uses. A score here is a share: what a text gets of what
the question itself would get if it were in the collection. So 1 says the same, and 0 has no word in common.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_K1 = 1.2
_B = 0.75
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+[a-z]+")


def words(text: str) -> list[str]:
    """Lower-case words; `ConcurrentExecutions` is two, `5xx` is one, and bare numbers are none."""
    return [word.lower() for word in _WORD.findall(text) if len(word) > 1]


@dataclass(frozen=True)
class Match:
    """`at` is the place in the collection, `score` a share of 1, `words` what counted, most telling first."""

    at: int
    score: float
    words: tuple[str, ...]


class Collection:
    """Texts to compare with."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._counts = [Counter(words(text)) for text in texts]
        self._lengths = [counts.total() for counts in self._counts]
        self._mean = sum(self._lengths) / len(texts) if texts else 0.0
        self._holding = Counter(word for counts in self._counts for word in counts)

    def matches(self, text: str) -> list[Match]:
        """Every text with a word in common, the most like first."""
        asked = Counter(words(text))
        ideal = sum(self._parts(asked, asked, asked.total()).values())
        found = []
        for at, (counts, length) in enumerate(zip(self._counts, self._lengths, strict=True)):
            parts = self._parts(asked, counts, length)
            if parts and ideal:
                telling = sorted(parts, key=lambda word: (-parts[word], word))
                found.append(Match(at, min(1.0, sum(parts.values()) / ideal), tuple(telling)))
        return sorted(found, key=lambda match: (-match.score, match.at))

    def _parts(self, asked: Mapping[str, int], counts: Mapping[str, int], length: int) -> dict[str, float]:
        """What each word of the question adds."""
        norm = _K1 * (1 - _B + _B * length / self._mean) if self._mean else _K1
        return {
            word: self._idf(word) * counts[word] * (_K1 + 1) / (counts[word] + norm)
            for word in asked
            if counts.get(word)
        }

    def _idf(self, word: str) -> float:
        holding = self._holding[word]
        return math.log(1 + (len(self._counts) - holding + 0.5) / (holding + 0.5))
