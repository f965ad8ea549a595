"""The second stack: the same patterns as the central one, to its signals bus, and nothing else."""

import json
from pathlib import Path

import pytest

from infra.app import build_app
from infra.options import ROOT
from tests.infra.conftest import Assembly, cdk_context, text
from tests.infra.test_events import RULE_OF, taken_by

BUS = "arn:aws:events:eu-west-1:444455556666:event-bus/incidentioIngestingSignalsBus"


@pytest.fixture(scope="module")
def forwarder(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    folder = tmp_path_factory.mktemp("forwarder")
    build_app(cdk_context(forward_to=BUS), outdir=str(folder)).synth()
    return Assembly(folder, [])


def test_it_has_rules_and_no_code(forwarder: Assembly) -> None:
    assert list(forwarder.templates) == ["incidentio-forwarder.template.json"]
    kinds = {r["Type"] for template in forwarder.templates.values() for r in template["Resources"].values()}
    assert kinds == {
        "AWS::CloudWatch::Alarm", "AWS::Events::Rule", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
    }  # fmt: skip


def test_every_rule_sends_to_the_central_bus_and_keeps_what_it_does_not_take(forwarder: Assembly) -> None:
    rules = forwarder.resources("AWS::Events::Rule")
    assert rules
    for name, resource in rules.items():
        (target,) = resource["Properties"]["Targets"]
        assert target["Arn"] == BUS, name
        assert "DeadLetters" in text(target["DeadLetterConfig"]["Arn"])
    (policy,) = forwarder.resources("AWS::IAM::Policy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", BUS)


@pytest.mark.parametrize("sample", sorted((ROOT / "events").glob("*.json")), ids=lambda path: path.stem)
def test_it_forwards_what_the_central_stack_takes(forwarder: Assembly, sample: Path) -> None:
    source, _, what = sample.stem.partition("_")
    taken = taken_by(forwarder, json.loads(sample.read_text()), bus=None)
    central = set() if "ignored" in what else {r for r in RULE_OF[source] if r.startswith("Ingesting")}
    if source != "signals":
        assert taken == {r.removeprefix("Ingesting") for r in central}


def test_its_own_alarm_is_forwarded(forwarder: Assembly) -> None:
    (alarm,) = forwarder.resources("AWS::CloudWatch::Alarm").values()
    told = {"alarmName": alarm["Properties"]["AlarmName"]}
    event = {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "detail": told}
    assert taken_by(forwarder, event, bus=None) == {"Alarms"}


def test_only_an_organization_that_is_named_may_put_signals(assembly: Assembly, opted: Assembly) -> None:
    assert assembly.resources("AWS::Events::EventBusPolicy") == {}
    (policy,) = opted.resources("AWS::Events::EventBusPolicy").values()
    statement = policy["Properties"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-0123456789"}}
    assert statement["Action"] == "events:PutEvents"
    assert "SignalsBus" in text(statement["Resource"])
