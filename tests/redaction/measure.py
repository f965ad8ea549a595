"""How much of what must go goes, and how much of the rest stays: `python -m tests.redaction.measure`.

Where presidio-analyzer is installed (an oracle for development, no dependency of ours), its recognisers answer too.
"""

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from incidentio.core.redaction import redact
from tests.redaction.corpus import NEGATIVES, POSITIVES, Sample, samples

_ORACLE = {"email": "EmailRecognizer", "phone": "PhoneRecognizer", "card": "CreditCardRecognizer"}


@dataclass
class Result:
    """Counts by kind. `missed` and `wrong` are the samples that went wrong."""

    total: Counter[str] = field(default_factory=Counter)
    missed: list[Sample] = field(default_factory=list)
    wrong: list[Sample] = field(default_factory=list)

    def recall(self, kind: str) -> float:
        return 1 - sum(sample.kind == kind for sample in self.missed) / self.total[kind]

    def kept(self, kind: str) -> float:
        """The share of harmless texts that came through unchanged."""
        return 1 - sum(sample.kind == kind for sample in self.wrong) / self.total[kind]

    @property
    def precision(self) -> float:
        """Of all the texts that were changed, those that should have been."""
        hits = sum(self.total[kind] for kind in POSITIVES) - len(self.missed)
        return hits / (hits + len(self.wrong))


def measure(seed: int = 7) -> Result:
    result = Result()
    for sample in samples(seed):
        result.total[sample.kind] += 1
        found = redact(sample.text, limit=100_000, multiline=True)
        if sample.secret is None:
            if found != sample.text:
                result.wrong.append(sample)
        elif _is_left(sample.secret, found):
            result.missed.append(sample)
    return result


def _is_left(secret: str, text: str) -> bool:
    """Whole, or any long piece of it. Of a URL only the credentials are secret."""
    if "://" in secret and "@db." in secret:
        secret = secret.split("://")[1].split("@", maxsplit=1)[0].split(":", 1)[1]
    size = max(6, len(secret) // 2)
    return any(secret[i : i + size] in text for i in range(max(1, len(secret) - size + 1)))


def oracle() -> Mapping[str, Callable[[str], bool]]:
    """Presidio's recognisers by kind, empty where it is not installed."""
    found: dict[str, Callable[[str], bool]] = {}
    with contextlib.suppress(ImportError):
        import tldextract  # type: ignore[import-not-found]
        from presidio_analyzer import predefined_recognizers as known  # type: ignore[import-not-found]

        tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())  # it would ask the network for a list
        for kind, name in _ORACLE.items():
            recognizer = getattr(known, name)()
            found[kind] = lambda text, r=recognizer: any(  # type: ignore[misc]
                hit.score >= 0.4 for hit in r.analyze(text, r.supported_entities, None) or ()
            )
    return found


def main() -> None:
    result, others = measure(), oracle()
    texts = list(samples())
    print(f"{'must go':<28}{'recall':>8}{'presidio':>10}")
    for kind in POSITIVES:
        theirs = [others[kind](s.text) for s in texts if s.kind == kind] if kind in others else []
        print(f"{kind:<28}{result.recall(kind):>8.1%}{f'{sum(theirs) / len(theirs):.1%}' if theirs else '-':>10}")
    print(f"\n{'must stay':<28}{'kept':>8}{'presidio':>10}")
    for kind in NEGATIVES:
        hits = [any(other(s.text) for other in others.values()) for s in texts if s.kind == kind] if others else []
        print(f"{kind:<28}{result.kept(kind):>8.1%}{f'{1 - sum(hits) / len(hits):.1%}' if hits else '-':>10}")
    print(f"\nprecision {result.precision:.1%} over {sum(result.total.values())} texts")
    for sample in [*result.missed, *result.wrong][: int(sys.argv[1]) if len(sys.argv) > 1 else 0]:
        print(f"  {sample.kind}: {sample.text!r} → {redact(sample.text, limit=1000)!r}")


if __name__ == "__main__":
    main()
