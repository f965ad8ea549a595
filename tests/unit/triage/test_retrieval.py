"""BM25 against a count done by hand, and what must hold for any text."""

import math

from hypothesis import given
from hypothesis import strategies as st

from incidentio.triage.retrieval import Collection, words


def test_words_of_the_names_aws_uses() -> None:
    assert words("checkout-5xx ConcurrentExecutions CPUUtilization 12.0 (01/03/26)") == [
        "checkout", "5xx", "concurrent", "executions", "cpu", "utilization",
    ]  # fmt: skip


def test_a_score_is_what_the_formula_says() -> None:
    match = Collection(["disk full", "disk slow network"]).matches("disk full")[0]
    disk, full = math.log(1 + 0.5 / 2.5), math.log(1 + 1.5 / 1.5)
    part = 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 2.5))  # both texts of two words: the same for text and question
    assert match.at == 0
    assert match.score == (disk + full) * part / ((disk + full) * part)
    assert match.words == ("full", "disk")
    other = Collection(["disk full", "disk slow network"]).matches("disk full")[1]
    longer = 2.2 / (1 + 1.2 * (0.25 + 0.75 * 3 / 2.5))
    assert math.isclose(other.score, disk * longer / ((disk + full) * part))


def test_nothing_in_common_is_no_match() -> None:
    assert Collection(["disk full"]).matches("login fails") == []
    assert Collection([]).matches("disk") == []


@given(st.lists(st.text(max_size=60), max_size=8), st.text(max_size=60))
def test_a_text_is_most_like_itself_and_no_score_leaves_its_bounds(texts: list[str], asked: str) -> None:
    matches = Collection([*texts, asked]).matches(asked)
    assert all(0 < match.score <= 1 for match in matches)
    if words(asked):
        assert any(match.at == len(texts) and math.isclose(match.score, 1) for match in matches)
