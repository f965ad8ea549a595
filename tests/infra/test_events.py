"""Every sample in `events/` is taken by exactly the rule that is meant for it.

A file is `<source>_<what>.json`. The source says which rule: see `RULE_OF`. A sample that no rule may take has
`ignored` in its name; one that does not come through EventBridge (`sns_…`, `invocation_…`, HTTP) is taken by none.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from incidentio.core.events import NOTIFYING, TRIAGED
from incidentio.ingest.contracts import rds
from incidentio.ingest.contracts.registry import MODULES
from infra.options import ROOT
from tests.infra.conftest import Assembly, text
from tests.infra.event_pattern import matches

HTTP = ("alertmanager", "cloudevents", "grafana", "pagerduty")
RULE_OF: dict[str, set[str]] = {
    "autoscaling": {"IngestingAutoScaling"},
    "cloudformation": {"IngestingCloudFormation"},
    "cloudtrail": {"IngestingCloudTrail"},
    "cloudwatch": {"IngestingAlarms"},
    "codedeploy": {"IngestingCodeDeploy"},
    "codepipeline": {"IngestingCodePipeline"},
    "cost": {"IngestingCostAnomalies"},
    "ec2": {"IngestingEc2"},
    "ecs": {"IngestingEcs"},
    "guardduty": {"IngestingGuardDuty"},
    "health": {"IngestingHealth"},
    "invocation": set(),
    "rds": {"IngestingRds"},
    "securityhub": {"IngestingSecurityHub"},
    "signals": {"IngestingAllSignals"},
    "sns": set(),
    "states": {"MitigatingRecovery"},
    "stepfunctions": {"IngestingStepFunctions"},
    **{source: set() for source in HTTP},
}
SAMPLES = sorted((ROOT / "events").glob("*.json"))


def rules(assembly: Assembly) -> dict[str, dict[str, Any]]:
    return {
        name.rsplit("Rule", 1)[0]: resource["Properties"]
        for name, resource in assembly.resources("AWS::Events::Rule").items()
        if "EventPattern" in resource["Properties"]
    }


def taken_by(assembly: Assembly, event: dict[str, Any], *, bus: str | None) -> set[str]:
    found = set()
    for name, rule in rules(assembly).items():
        on = text(rule["EventBusName"]) if "EventBusName" in rule else None
        if (on is None and bus is None) or (on is not None and bus is not None and on.startswith(f"<{bus}")):
            pattern = json.loads(
                text_of(rule["EventPattern"])
                .replace("<AWS::Partition>", "aws")
                .replace("<AWS::Region>", event.get("region", ""))
                .replace("<AWS::AccountId>", event.get("account", ""))
            )
            if matches(pattern, event):
                found.add(name)
    return found


def text_of(value: Any) -> str:
    """A pattern as JSON with its references shown by name."""

    def shown(part: Any) -> Any:
        if isinstance(part, dict) and set(part) & {"Ref", "Fn::Join", "Fn::GetAtt"}:
            return text(part)
        if isinstance(part, dict):
            return {name: shown(inner) for name, inner in part.items()}
        return [shown(inner) for inner in part] if isinstance(part, list) else part

    return json.dumps(shown(value))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_taken_by_the_rule_meant_for_it(assembly: Assembly, sample: Path) -> None:
    source, _, what = sample.stem.partition("_")
    assert source in RULE_OF, f"{sample.name}: the source is one of {', '.join(RULE_OF)}"
    event = json.loads(sample.read_text())
    bus = "IngestingSignalsBus" if source == "signals" else None
    expected = set() if "ignored" in what else RULE_OF[source]
    assert taken_by(assembly, event, bus=bus) == expected


def test_every_event_that_a_contract_reads_has_a_sample() -> None:
    events = [json.loads(path.read_text()) for path in SAMPLES if "ignored" not in path.stem]
    assert {(e["source"], e["detail-type"]) for e in events if "detail-type" in e} >= set(MODULES)


def test_every_kind_of_sample_names_the_page_that_documents_it() -> None:
    page = (ROOT / "events" / "README.md").read_text()
    for source in RULE_OF:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{source}_…` |")]
        assert "https://" in row or source == "signals"


def test_domain_events_reach_every_lane_that_listens(assembly: Assembly) -> None:
    def on_domain_bus(type_: str) -> set[str]:
        return taken_by(assembly, {"source": "incidentio", "detail-type": type_, "detail": {}}, bus="DomainBus")

    assert on_domain_bus("IncidentTriggered") == {"TriagingUntriaged"}
    assert on_domain_bus("IncidentTriaged") == {"MitigatingConducted", "CommunicatingNotifying"}
    assert on_domain_bus("IncidentResolved") == {"MitigatingConducted", "CommunicatingNotifying", "LearningResolved"}
    assert "LearningResolved" in on_domain_bus("IncidentCancelled") & on_domain_bus("IncidentMerged")
    assert on_domain_bus("NoteAdded") == set()


def test_a_replay_of_the_archive_reaches_none_of_our_lanes(assembly: Assembly) -> None:
    for type_ in {*NOTIFYING, *TRIAGED, "PlaybookRequested", "ApprovalDecided", "LeaseRestored"}:
        event = {"source": "incidentio", "detail-type": type_, "detail": {}}
        assert taken_by(assembly, event, bus="DomainBus"), type_
        assert taken_by(assembly, {**event, "replay-name": "last-week"}, bus="DomainBus") == set()


def alarm(name: str) -> dict[str, Any]:
    return {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "detail": {"alarmName": name}}


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("checkout-5xx", True),
        ("incidentio-ingest-failing", False),
        ("TargetTracking-service/shop/checkout-AlarmHigh-4ad6", False),
        ("my-incidentio-alarm", True),
    ],
)
def test_alarms_of_ours_and_of_autoscaling_do_not_come_in(assembly: Assembly, name: str, taken: bool) -> None:
    assert taken_by(assembly, alarm(name), bus=None) == ({"IngestingAlarms"} if taken else set())


def execution(machine: str, status: str) -> dict[str, Any]:
    return {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "account": "111122223333",
        "region": "eu-west-1",
        "detail": {
            "status": status,
            "stateMachineArn": f"arn:aws:states:eu-west-1:111122223333:stateMachine:{machine}",
        },
    }


@pytest.mark.parametrize(
    ("machine", "status", "taken"),
    [
        ("incidentio-throttle-function", "FAILED", True),
        ("incidentio-throttle-function", "ABORTED", True),
        ("incidentio-throttle-function", "TIMED_OUT", True),
        ("incidentio-throttle-function", "SUCCEEDED", False),
    ],
)
def test_only_executions_of_ours_that_ended_badly_are_recovered(
    assembly: Assembly, machine: str, status: str, taken: bool
) -> None:
    assert taken_by(assembly, execution(machine, status), bus=None) == ({"MitigatingRecovery"} if taken else set())


@pytest.mark.parametrize(("status", "taken"), [("FAILED", True), ("SUCCEEDED", True), ("RUNNING", False)])
def test_executions_of_others_are_signals_when_they_end(assembly: Assembly, status: str, taken: bool) -> None:
    expected = {"IngestingStepFunctions"} if taken else set()
    assert taken_by(assembly, execution("nightly-report", status), bus=None) == expected


RDS_CATEGORIES = {
    "availability": "0006 0022 0221 0222 0330 0331 0419",
    "configuration change": "0017 0218 0332",
    "deletion": "0246",
    "failover": "0015 0034 0049 0051 0065 0071",
    "failure": "0165 0219 0220 0223 0224 0237 0254 0418 0420",
    "global failover": "0185 0187 0238 0239",
    "notification": "0248",
    "read replica": "0045 0046 0057",
    "recovery": "0021 0053 0166",
}
"""As AWS documents them: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html"""


def test_the_rule_of_rds_takes_the_numbers_that_its_contract_knows(assembly: Assembly) -> None:
    known = {f"RDS-EVENT-{n}": category for category, found in RDS_CATEGORIES.items() for n in found.split()}
    assert set(known) == {*rds.FIRING, *rds.OVER, *rds.HARMLESS}
    for number, category in known.items():
        detail = {"EventCategories": [category], "EventID": number}
        event = {"source": "aws.rds", "detail-type": "RDS DB Instance Event", "detail": detail}
        assert taken_by(assembly, event, bus=None) == (set() if number in rds.HARMLESS else {"IngestingRds"}), number


@pytest.mark.parametrize("number", ["RDS-EVENT-0004", "RDS-EVENT-0396", "RDS-EVENT-0416"])
def test_what_is_harmless_in_a_category_of_failures_does_not_come_in(assembly: Assembly, number: str) -> None:
    detail = {"EventCategories": ["availability", "read replica"], "EventID": number}
    event = {"source": "aws.rds", "detail-type": "RDS DB Instance Event", "detail": detail}
    assert taken_by(assembly, event, bus=None) == set()
