"""Ids in a signal's text, and how complete the context is."""

import pytest

from incidentio.core.catalog import Catalog
from incidentio.core.redaction import redact
from incidentio.triage.completeness import Known, completeness
from incidentio.triage.traces import traces_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "Root=1-5759e988-bd862e3fe1be46a994272793 failed",
            {"xray_trace_id": ("1-5759e988-bd862e3fe1be46a994272793",)},
        ),
        (
            "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            {
                "xray_trace_id": ("1-4bf92f35-77b34da6a3ce929d0e0e4736",),
                "traceparent": ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",),
            },
        ),
        (
            'RequestId: 79104EXAMPLEB723 and "x-request-id": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"',
            {"request_id": ("79104EXAMPLEB723", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef")},
        ),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", {}),
        ("request id missing from the header", {}),
    ],
)
def test_ids_that_lead_to_one_request(text: str, found: dict[str, tuple[str, ...]]) -> None:
    assert traces_in([redact(text, limit=1000)]) == found


def known(**fields: object) -> Known:
    return Known(**{"service": "a", "severity_said": False, "changes_fed": True, "read_everything": True, **fields})  # type: ignore[arg-type]


FULL = {"owner": "x", "runbook": "r", "tier": 1, "impact": {"users": 1}}


@pytest.mark.parametrize(
    ("services", "about", "score", "gaps"),
    [
        ({"a": {**FULL, "depends_on": ["b"]}, "b": {}}, {}, 100, []),
        ({"a": FULL, "b": {"depends_on": ["a"]}}, {"read_everything": False}, 95, ["lookups"]),
        ({"a": {**FULL, "runbook": ""}}, {"changes_fed": False}, 60, ["runbook", "change feed", "dependencies"]),
        (
            {},
            {"service": None, "changes_fed": False, "read_everything": False},
            0,
            ["service", "owner", "runbook", "change feed", "dependencies", "impact", "severity", "lookups"],
        ),
    ],
)
def test_each_gap_costs_its_weight_and_says_what_to_do(services, about, score, gaps) -> None:
    found, missing = completeness(known(**about), Catalog.model_validate({"services": services}))
    assert (found, [gap.name for gap in missing]) == (score, gaps)
    assert all(gap.todo for gap in missing)
