"""A team's own patterns go out of every text; those that could be slow never get as far as a deployment."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from incidentio.core import redaction
from incidentio.core.errors import InvalidInput
from incidentio.core.own_patterns import RedactionPattern
from infra.documents import load_catalog
from infra.redaction_checks import mistake


@pytest.fixture
def _customer_numbers() -> Iterator[None]:
    redaction.configure([RedactionPattern(name="customer", regex=r"\bCUST-\d{6}\b")])
    yield
    redaction.configure([])


@pytest.mark.usefixtures("_customer_numbers")
def test_what_they_match_goes_everywhere() -> None:
    assert redaction.redact("for CUST-123456 again", limit=100) == "for [redacted:customer] again"
    assert redaction.redact_data({"a": ["CUST-123456"]}) == {"a": ["[redacted:customer]"]}


@pytest.mark.parametrize(
    "regex", [r"\bCUST-\d{6}\b", r"acct_[a-z0-9]{16}", r"(?i)iban\s?[A-Z]{2}\d{20}", "secret-word"]
)
def test_plain_ones_are_taken(regex: str) -> None:
    assert mistake(regex) is None


@pytest.mark.parametrize(
    ("regex", "why"),
    [
        ("(a+)+b", "repeats what repeats"),
        (r"(\w+\s?)*x", "empty|repeats what repeats"),
        (r"(a)\1", "refers back"),
        (r"(?:x*)*", "empty"),
        (r"a*", "empty"),
        (r"\w+\w+\w+Z", "grows faster"),
        (r".*.*.*=X", "grows faster"),
        (r"\d{12}", "people work with"),
        (r"INC-\w+", "people work with"),
    ],
)
def test_slow_and_greedy_ones_are_refused(regex: str, why: str) -> None:
    found = mistake(regex)
    assert found is not None
    assert any(part in found for part in why.split("|"))


def test_a_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "routing.yaml").write_text(
        "redaction:\n  patterns:\n    - {name: customer, regex: 'CUST-[0-9]{6}'}\n    - {name: slow, regex: '(a+)+b'}\n"
    )
    with pytest.raises(InvalidInput, match=r"routing\.yaml:4.*repeats what repeats"):
        load_catalog(tmp_path)
