import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from incidentio.cli.doctor.alarms import check_alarms, reach
from incidentio.cli.doctor.finding import Finding, sound
from incidentio.cli.doctor.heartbeat import check_heartbeats
from incidentio.cli.doctor.queues import check_dead_letters, reason
from incidentio.cli.doctor.rehearsals import check_rehearsals
from incidentio.cli.doctor.subscribers import check_topics
from incidentio.cli.doctor.switches import check_switches
from incidentio.cli.shell import Shell
from incidentio.core.ports import Key, Put, Record
from tests.fakes import FakeTable
from tests.offline import offline_client
from tests.unit.cli.conftest import ScriptedApi, incident

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:1:incidentio-Signals"
FUNCTION = "arn:aws:lambda:eu-west-1:1:function:incidentio-ingest"
Stubbed = Callable[[str], tuple[Any, Stubber]]


@pytest.fixture
def stubbed() -> Stubbed:
    def make(service: str) -> tuple[Any, Stubber]:
        client = offline_client(service)
        answers = Stubber(client)
        answers.activate()
        return client, answers

    return make


def subscription(arn: str) -> dict[str, str]:
    return {"SubscriptionArn": arn, "Protocol": "email", "Endpoint": "a@example.com", "TopicArn": TOPIC}


def verdicts(findings: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.verdict for finding in findings}


def test_a_confirmed_subscriber_is_enough(stubbed: Stubbed) -> None:
    sns, answers = stubbed("sns")
    subscribed = [subscription(f"{TOPIC}:a"), subscription("PendingConfirmation")]
    answers.add_response("list_subscriptions_by_topic", {"Subscriptions": subscribed})
    answers.add_response("get_subscription_attributes", {"Attributes": {"PendingConfirmation": "false"}})
    (found,) = check_topics(sns, {"PageTopicArn": TOPIC})
    assert (found.verdict, found.what) == ("ok", "1 subscribed (email), 1 not confirmed yet")


@pytest.mark.parametrize(("arn", "attribute"), [("PendingConfirmation", None), (f"{TOPIC}:a", "true")])
def test_an_unconfirmed_subscriber_is_nobody(stubbed: Stubbed, arn: str, attribute: str | None) -> None:
    sns, answers = stubbed("sns")
    answers.add_response("list_subscriptions_by_topic", {"Subscriptions": [subscription(arn)]})
    if attribute:
        answers.add_response("get_subscription_attributes", {"Attributes": {"PendingConfirmation": attribute}})
    (found,) = check_topics(sns, {"PageTopicArn": TOPIC})
    assert (found.verdict, found.what) == ("fail", "nobody is subscribed, 1 not confirmed yet")
    assert "confirmation link" in found.remedy


def test_pages_and_watchdog_must_have_somebody_and_tickets_should(stubbed: Stubbed) -> None:
    sns, answers = stubbed("sns")
    for _ in range(3):
        answers.add_response("list_subscriptions_by_topic", {"Subscriptions": []})
    outputs = {"PageTopicArn": TOPIC, "WatchdogTopicArn": TOPIC, "TicketTopicArn": TOPIC}
    findings = list(check_topics(sns, outputs))
    assert verdicts(findings) == {"pages": "fail", "watchdog": "fail", "tickets": "warn"}
    assert "aws sns subscribe" in findings[0].remedy


def test_an_empty_dead_letter_queue_is_well(stubbed: Stubbed) -> None:
    sqs, answers = stubbed("sqs")
    answers.add_response("get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessages": "0"}})
    assert verdicts(list(check_dead_letters(sqs, {"IngestDlqUrl": "https://q"}))) == {"ingest dead letters": "ok"}


def test_dead_letters_are_counted_and_the_oldest_says_why(stubbed: Stubbed) -> None:
    sqs, answers = stubbed("sqs")
    counted = {"ApproximateNumberOfMessages": "3", "ApproximateNumberOfMessagesNotVisible": "1"}
    answers.add_response("get_queue_attributes", {"Attributes": counted})
    why = {"reason": {"StringValue": "not JSON", "DataType": "String"}}
    messages = [
        {"Attributes": {"SentTimestamp": "2000"}, "Body": "new"},
        {"Attributes": {"SentTimestamp": "1000"}, "Body": "old", "MessageAttributes": why},
    ]
    answers.add_response("receive_message", {"Messages": messages})
    (found,) = check_dead_letters(sqs, {"IngestDlqUrl": "https://q/1/dead", "IngestQueueUrl": "https://q/1/ingest"})
    assert found.verdict == "fail"
    assert found.what.startswith("4 waiting, the oldest seen since")
    assert found.what.endswith("not JSON")
    assert found.remedy == (
        "look: incidentio dlq list --queue ingest; send again: incidentio dlq redrive --all --queue ingest"
    )


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"Body": '{"requestContext": {"condition": "RetriesExhausted"}}'}, "RetriesExhausted"),
        ({"Body": '{"reason": "too large"}'}, "too large"),
        ({"Body": "[1]"}, "no reason given"),
        ({"Body": "{"}, "no reason given"),
        ({"Body": "", "MessageAttributes": {"ERROR_MESSAGE": {"StringValue": "denied"}}}, "denied"),
    ],
)
def test_a_dead_letter_says_why_in_whatever_form(message: dict[str, Any], why: str) -> None:
    assert reason(message) == why


def test_silent_and_missing_sweepers_fail() -> None:
    table = FakeTable()
    for name, age in {"detect": 30, "mitigate": 240}.items():
        table.write(Put(Record(Key("BEAT", name), {"at": (NOW - timedelta(seconds=age)).isoformat()})))
    findings = list(check_heartbeats(table, now=NOW, rule="incidentio-Sweep"))
    assert verdicts(findings) == {"communicate sweep": "fail", "detect sweep": "ok", "mitigate sweep": "fail"}
    assert "has never run" in findings[0].what


@pytest.mark.parametrize(
    ("name", "actions", "expected"),
    [
        ("checkout-5xx", [TOPIC], "attached"),
        ("checkout-5xx", [FUNCTION], "attached"),
        ("checkout-5xx", ["arn:aws:sns:eu-west-1:1:other"], "monitored"),
        ("TargetTracking-table/orders", [TOPIC], "ignored"),
        ("incidentio-dead-letters", [TOPIC], "ignored"),
    ],
)
def test_how_an_alarm_reaches_us(name: str, actions: list[str], expected: str) -> None:
    alarm = {"AlarmName": name, "AlarmActions": actions}
    assert reach(alarm, doors=[TOPIC, FUNCTION], own_prefix="incidentio-") == expected


def test_alarms_are_counted_and_firing_ones_named(stubbed: Stubbed) -> None:
    cloudwatch, answers = stubbed("cloudwatch")
    alarms = [
        {"AlarmName": "a", "AlarmActions": [TOPIC], "StateValue": "ALARM", "ActionsEnabled": False},
        {"AlarmName": "b", "StateValue": "OK"},
        {"AlarmName": "TargetTracking-x", "StateValue": "ALARM"},
        {"AlarmName": "c", "StateValue": "OK"},
    ]
    answers.add_response(
        "describe_alarms", {"MetricAlarms": alarms[:-1], "CompositeAlarms": [], "LogAlarms": alarms[-1:]}
    )
    findings = {f.check: f for f in check_alarms(cloudwatch, doors=[TOPIC, FUNCTION], own_prefix="incidentio-")}
    assert findings["alarms"].what == "1 attached, 2 monitored, 1 ignored"
    assert findings["firing now"].what == "1: a"
    assert findings["muted alarms"].verdict == "warn"
    assert findings["muted alarms"].remedy.endswith("--alarm-names a")


def test_no_attached_alarm_is_a_warning_that_names_the_topic(stubbed: Stubbed) -> None:
    cloudwatch, answers = stubbed("cloudwatch")
    answers.add_response("describe_alarms", {"MetricAlarms": [], "CompositeAlarms": []})
    findings = list(check_alarms(cloudwatch, doors=[TOPIC, FUNCTION], own_prefix="incidentio-"))
    assert (findings[0].verdict, TOPIC in findings[0].remedy) == ("warn", True)


def switch(scope: str) -> dict[str, Any]:
    return {"scope": scope, "on": True, "by": "1:user/responder", "reason": "migration"}


def test_kill_switches_are_shown_as_people_type_them(stubbed: Stubbed, api: ScriptedApi) -> None:
    ssm, answers = stubbed("ssm")
    answers.add_response("get_parameter", {"Parameter": {"Value": "all"}})
    scopes = ("global", "service#checkout", "playbook#throttle-function")
    api.answers["GET", "/hands-off"] = {"items": [*map(switch, scopes), {"scope": "x", "on": False}], "next": None}
    api.answers["GET", "/incidents"] = {"items": [], "next": None}
    stop, *stopped = check_switches(api, ssm, parameter="/incidentio/kill-switch")
    assert (stop.verdict, "'all'" in stop.what) == ("warn", True)
    assert [finding.what for finding in stopped] == [
        f"{name} is stopped by 1:user/responder: migration" for name in ("all", "checkout", "throttle-function")
    ]
    assert stopped[1].remedy == "incidentio hands-off checkout off --reason WHY"


def test_an_open_incident_with_hands_off_is_shown(stubbed: Stubbed, api: ScriptedApi) -> None:
    ssm, answers = stubbed("ssm")
    answers.add_response("get_parameter", {"Parameter": {"Value": "off"}})
    api.answers["GET", "/hands-off"] = {"items": [], "next": None}
    api.answers["GET", "/incidents"] = {"items": [incident(), incident(id="INC-000000")], "next": None}
    api.answers["GET", "/incidents/INC-7K3F9A"] = incident(hands_off=True)
    api.answers["GET", "/incidents/INC-000000"] = incident(id="INC-000000", hands_off=False)
    _, found = check_switches(api, ssm, parameter="/incidentio/kill-switch")
    assert (found.verdict, found.what) == ("warn", "INC-7K3F9A is stopped for itself: checkout 5xx")
    assert found.remedy == "incidentio hands-off INC-7K3F9A off --reason WHY"


def test_remedies_of_a_local_target_name_its_endpoint(tmp_path: Path) -> None:
    described = {
        "endpoint_url": "http://127.0.0.1:1",
        "region": "us-east-1",
        "access_key_id": "test",
        "secret_access_key": "test",
        "outputs": {},
    }
    path = tmp_path / "local.json"
    path.write_text(json.dumps(described))
    shell = Shell(local=path)
    assert shell.deployment.aws == (
        "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test aws --endpoint-url http://127.0.0.1:1 --region us-east-1"
    )
    told = shell.deployment.pasteable("aws sns subscribe --topic-arn a; the mail that aws sent")
    assert told == f"{shell.deployment.aws} sns subscribe --topic-arn a; the mail that aws sent"
    told = shell.deployment.pasteable("aws ec2 stop-instances --region us-east-1 --instance-ids i-1 --to us-east-12")
    assert told == f"{shell.deployment.aws} ec2 stop-instances --instance-ids i-1 --to us-east-12"


def test_warnings_alone_are_sound() -> None:
    assert sound([Finding("a", "ok", ""), Finding("b", "warn", "")])
    assert not sound([Finding("a", "ok", ""), Finding("b", "fail", "")])


def test_what_would_not_start_by_itself_is_told_with_what_to_type(api: ScriptedApi) -> None:
    def rehearsal(service: str, stale: str | None, *, automatic: bool = True) -> dict[str, Any]:
        return {"service": service, "automatic": automatic, "target": f"{service}/web", "stale": stale}

    old = "its definition changed since it was rehearsed for shop on 2026-11-01 (incidentio playbooks rehearse …)"
    rehearsals = [rehearsal("shop", old), rehearsal("search", None), rehearsal("lab", "old", automatic=False)]
    api.answers["GET", "/playbooks"] = {"items": [{"name": "scale-out-service", "rehearsals": rehearsals}]}
    (found,) = check_rehearsals(api)
    assert found.verdict == "warn"
    assert found.what.startswith("scale-out-service does not start by itself for shop: its definition changed since")
    assert found.what.endswith(" on 2026-11-01")
    assert found.remedy == "incidentio playbooks rehearse scale-out-service --service shop --target shop/web"
    api.answers["GET", "/playbooks"] = {"items": [{"name": "scale-out-service", "rehearsals": rehearsals[1:]}]}
    (found,) = check_rehearsals(api)
    assert (found.verdict, found.what) == ("ok", "1 may start by themselves, all rehearsed")
