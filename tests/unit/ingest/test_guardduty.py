"""Whose credentials a GuardDuty finding is about, so that a playbook finds its target."""

import json
from typing import Any

import pytest

from incidentio.core.attachment import Attachment
from incidentio.core.catalog import Catalog
from incidentio.core.severity import Severity
from incidentio.core.targets import targets_of
from incidentio.ingest.contracts import guardduty
from incidentio.ingest.observation import Observation
from infra.cases.model import ROOT
from tests.make import NOW

FINDING = json.loads((ROOT / "events" / "guardduty_finding_high.json").read_text())


def targets(**key: Any) -> dict[str, str]:
    """By type, of a finding about these credentials."""
    detail = {**FINDING["detail"], "resource": {"resourceType": "AccessKey", "accessKeyDetails": key}}
    found = guardduty.read({**FINDING, "detail": detail}, Attachment("incidentio", Catalog()))
    assert isinstance(found, Observation)
    return {type: target.split("|", 2)[2] for type, target in targets_of(found.build(NOW).subject).items()}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (
            {"userType": "IAMUser", "userName": "deployer", "accessKeyId": "AKIAIOSFODNN7EXAMPLE"},
            {"AWS::IAM::AccessKey": "global|deployer/"},
        ),
        (
            {"userType": "AssumedRole", "userName": "shop-web", "accessKeyId": "ASIAIOSFODNN7EXAMPLE"},
            {"AWS::IAM::Role": "global|shop-web"},
        ),
        ({"userType": "Root", "userName": "Root", "accessKeyId": ""}, {}),
        ({"userType": "IAMUser"}, {}),
        ({}, {}),
    ],
)
def test_a_finding_names_the_key_or_the_role(key: dict[str, str], expected: dict[str, str]) -> None:
    found = targets(**key)
    assert set(found) == set(expected)
    for type, target in expected.items():
        assert found[type].startswith(target)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (9, Severity.SEV1),
        (8.9, Severity.SEV2),
        (7, Severity.SEV2),
        (4, Severity.SEV3),
        pytest.param(10**400, Severity.SEV1, id="400 digits"),
    ],
)
def test_severity_follows_the_number_however_large(number: float, expected: Severity) -> None:
    found = guardduty.read(
        {**FINDING, "detail": {**FINDING["detail"], "severity": number}}, Attachment("incidentio", Catalog())
    )
    assert isinstance(found, Observation)
    assert found.build(NOW).severity is expected
