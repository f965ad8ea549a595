"""From a door of the app to incidents and pages, on the deployed app."""

import json
from datetime import UTC, datetime, timedelta

from tests.e2e.world import World, eventually

REOPEN_WINDOW = timedelta(seconds=15)
"""As tests/e2e/catalog/routing.yaml has it."""


def test_an_attached_alarm_becomes_one_triaged_incident_and_one_page(world: World) -> None:
    alarm = world.alarm()
    world.set_alarm(alarm, "ALARM", "Threshold Crossed: 12 datapoints")
    incident = world.the_incident_of(alarm)
    page = eventually(lambda: world.told(incident["id"], topic="PageTopicArn"), "a page")[0]

    incident = world.incident(incident["id"])
    assert (incident["severity"], incident["status"], incident["mode"]) == ("SEV2", "triggered", "live")
    assert incident["triaged_at"] is not None
    assert "attached" in world.entry(incident["id"], "IncidentTriaged")["text"]
    assert page["subject"].startswith("SEV2 ")
    assert page["subject"].endswith(incident["id"])
    assert incident["why"] in page["body"]
    assert f"incidentio incidents ack {incident['id']}" in page["body"]
    assert f"{world.outputs['ApiUrl'].rstrip('/')}/incidents/{incident['id']}" in page["body"]
    assert "//127.0.0.1:" in world.outputs["ApiUrl"], "on AWS's host name nobody would find the local target"
    assert page["attributes"]["severity"] == "SEV2"
    assert page["attributes"]["environment"] == "production"
    published = world.entry(incident["id"], "PagePublished")
    assert published["data"]["page_id"] == page["attributes"]["page_id"]


def test_a_subscriber_hears_what_his_filter_policy_asks_for(world: World) -> None:
    wanted = {"severity": ["SEV1"], "environment": ["production"], "kind": ["real"], "status": ["triggered"]}
    severe_only = world.mailbox_with(world.outputs["PageTopicArn"], wanted)
    alarms = {severity: world.alarm(severity.lower(), tags={"severity": severity}) for severity in ("SEV2", "SEV1")}
    for alarm in alarms.values():
        world.set_alarm(alarm, "ALARM")
    found = {severity: world.the_incident_of(alarm)["id"] for severity, alarm in alarms.items()}
    for incident_id in found.values():
        page = eventually(lambda i=incident_id: world.told(i, topic="PageTopicArn"), f"the page of {incident_id}")[0]
        assert page["attributes"].keys() >= {"severity", "service", "environment", "status", "kind", "page_id"}
        assert len(page["body"].encode()) < 256 * 1024
    eventually(lambda: found["SEV1"] in severe_only(), "the severe page through the filter")
    assert found["SEV2"] not in severe_only()


def test_one_alarm_through_both_doors_is_one_incident(world: World) -> None:
    alarm = world.alarm()
    at = datetime.now(UTC)
    world.send(world.state_change(alarm, "ALARM", at=at))
    first = world.the_incident_of(alarm)
    world.set_alarm(alarm, "ALARM")
    promoted = eventually(
        lambda: (i := world.the_incident_of(alarm))["mode"] == "live" and i, "the attached door to make it live"
    )
    assert promoted["id"] == first["id"]
    world.send(world.state_change(alarm, "ALARM", at=at))
    marker = world.alarm("marker")
    world.set_alarm(marker, "ALARM")
    world.the_incident_of(marker)
    assert len(world.incidents_of(alarm)) == 1
    eventually(lambda: world.told(first["id"], topic="PageTopicArn"), "the page of the promoted incident")
    assert len(world.told(first["id"], topic="PageTopicArn")) == 1


def test_an_unattached_alarm_is_only_watched_and_says_so(world: World) -> None:
    alarm = world.alarm(attached=False)
    world.send(world.state_change(alarm, "ALARM"))
    incident = world.the_incident_of(alarm)
    skipped = world.entry(incident["id"], "NotificationSkipped")
    assert "monitor" in skipped["text"]
    assert world.incident(incident["id"])["mode"] == "monitor"
    assert world.told(incident["id"]) == []


def test_the_page_tag_makes_an_unattached_alarm_live(world: World) -> None:
    alarm = world.alarm(attached=False, tags={"incidentio:page": "true", "severity": "SEV1"})
    world.send(world.state_change(alarm, "ALARM"))
    incident = world.the_incident_of(alarm)
    eventually(lambda: world.told(incident["id"], topic="PageTopicArn"), "a page for the tagged alarm")
    assert world.incident(incident["id"])["severity"] == "SEV1"


def test_duplicate_deliveries_are_counted_once(world: World) -> None:
    alarm = world.alarm()
    change = world.state_change(alarm, "ALARM", tags={"incidentio:page": "true"})
    for _ in range(7):
        world.send(change)
    incident = world.the_incident_of(alarm)
    eventually(lambda: world.told(incident["id"]), "its page")
    world.send(change)
    marker = world.alarm("marker")
    world.set_alarm(marker, "ALARM")
    world.the_incident_of(marker)
    assert len(world.incidents_of(alarm)) == 1
    assert world.types(incident["id"]).count("IncidentTriggered") == 1
    eventually(lambda: world.heard(incident["dedup_key"])["count"] >= 8, "all of them counted")
    assert [page["attributes"]["event"] for page in world.told(incident["id"])] == ["IncidentTriaged"]


def test_an_ok_that_overtakes_its_alarm_opens_nothing(world: World) -> None:
    alarm, now = world.alarm(), datetime.now(UTC)
    key = world.alarm_arn(alarm)
    world.send(world.state_change(alarm, "OK", at=now))
    eventually(lambda: world.heard(key).get("state") == "ok", "the ok remembered")
    world.send(world.state_change(alarm, "ALARM", at=now - timedelta(seconds=30)))
    eventually(lambda: world.heard(key)["stale"] >= 1, "the alarm counted as late")
    assert world.incidents_of(alarm) == []
    world.send(world.state_change(alarm, "ALARM", at=now + timedelta(seconds=30)))
    world.the_incident_of(alarm)


def test_poison_goes_to_the_dlq_with_its_reason_and_blocks_nobody(world: World) -> None:
    alarm = world.alarm()
    poison = [f"not json {world.tag}", json.dumps({"tag": world.tag}), json.dumps([world.tag])]
    for message in poison:
        world.send(message)
    world.set_alarm(alarm, "ALARM")
    world.the_incident_of(alarm)

    sqs, found = world.client("sqs"), {}

    def all_there() -> bool:
        answer = sqs.receive_message(
            QueueUrl=world.outputs["IngestDlqUrl"],
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            VisibilityTimeout=3,  # other tests look for letters of their own
        )
        for message in answer.get("Messages", []):
            if world.tag in message["Body"]:
                found[message["Body"]] = message["MessageAttributes"]["reason"]["StringValue"]
                sqs.delete_message(QueueUrl=world.outputs["IngestDlqUrl"], ReceiptHandle=message["ReceiptHandle"])
        return set(found) == set(poison)

    eventually(all_there, "the poison in the DLQ")
    assert all(reason for reason in found.values())


def test_autoscaling_and_our_own_alarms_open_nothing(world: World) -> None:
    scaling = world.alarm(f"TargetTracking-service-{world.tag}")
    own = f"{_stack_prefix(world)}-own-{world.tag}"
    for alarm in (scaling, own):
        world.send(world.state_change(alarm, "ALARM"))
    world.set_alarm(scaling, "ALARM")
    marker = world.alarm("marker")
    world.set_alarm(marker, "ALARM")
    world.the_incident_of(marker)
    assert world.incidents_of(scaling) == []
    assert world.incidents_of(own) == []


def test_recovery_must_hold_then_a_minor_incident_resolves_itself(world: World) -> None:
    alarm = world.alarm(tags={"severity": "SEV3"})
    world.set_alarm(alarm, "ALARM")
    incident = world.the_incident_of(alarm)
    world.entry(incident["id"], "IncidentTriaged")
    world.set_alarm(alarm, "OK")
    world.until_status(incident["id"], "resolved")
    assert "SignalRecovered" in world.types(incident["id"])


def test_a_severe_incident_recovers_to_mitigated_and_waits_for_a_person(world: World) -> None:
    alarm = world.alarm(tags={"severity": "SEV1"})
    world.set_alarm(alarm, "ALARM")
    incident = world.the_incident_of(alarm)
    world.entry(incident["id"], "PagePublished")
    world.set_alarm(alarm, "OK")
    world.until_status(incident["id"], "mitigated")
    world.set_alarm(alarm, "ALARM")
    world.entry(incident["id"], "ImpactReturned")
    assert world.incident(incident["id"])["status"] == "triggered"


def test_a_firing_signal_reopens_a_just_resolved_incident(world: World) -> None:
    alarm = world.alarm()
    incident_id = fired_and_resolved(world, alarm)
    world.set_alarm(alarm, "ALARM")
    reopened = world.entry(incident_id, "IncidentReopened")
    assert reopened["text"].startswith(f"{alarm} fires again soon after the incident was resolved")
    eventually(lambda: world.told(incident_id, event="IncidentReopened"), "the page of what is back")
    assert calls(world, incident_id) == ["IncidentTriaged", "IncidentReopened"]
    assert len(world.incidents_of(alarm)) == 1


def test_what_fires_later_is_a_new_incident_that_names_the_old_one(world: World) -> None:
    alarm = world.alarm()
    old = fired_and_resolved(world, alarm)
    over = datetime.fromisoformat(world.incident(old)["resolved_at"]) + REOPEN_WINDOW
    eventually(lambda: datetime.now(UTC) > over, "the window for reopening to pass")
    world.set_alarm(alarm, "ALARM")
    found = eventually(lambda: len(i := world.incidents_of(alarm)) == 2 and i, "a second incident")
    (new,) = [incident for incident in found if incident["id"] != old]
    assert new["previous_incident_id"] == old
    assert world.entry(new["id"], "IncidentTriggered")["text"].startswith(f"{alarm} fires again after {old}")
    eventually(lambda: world.told(new["id"], topic="PageTopicArn"), "a page of its own")
    assert [calls(world, each) for each in (old, new["id"])] == [["IncidentTriaged"], ["IncidentTriaged"]]
    assert world.incident(old)["status"] == "resolved"
    assert "IncidentReopened" not in world.types(old)


def fired_and_resolved(world: World, alarm: str) -> str:
    """The incident of `alarm`, told of, ok again and resolved by a person."""
    world.set_alarm(alarm, "ALARM")
    incident_id = str(world.the_incident_of(alarm)["id"])
    eventually(lambda: world.told(incident_id, topic="PageTopicArn"), "its page")
    world.set_alarm(alarm, "OK")
    world.entry(incident_id, "SignalRecovered")
    world.alice.post(f"/incidents/{incident_id}/resolve")
    return incident_id


def calls(world: World, incident_id: str) -> list[str]:
    """What called people to the incident, in order: pages that are no mere news."""
    told = [page["attributes"] for page in world.told(incident_id, topic="PageTopicArn")]
    return [page["event"] for page in told if page["event"] not in ("IncidentMitigated", "IncidentResolved")]


def test_an_unacknowledged_page_repeats_until_somebody_takes_it(world: World) -> None:
    alarm = world.alarm("pier")
    world.set_alarm(alarm, "ALARM")
    incident = world.the_incident_of(alarm)
    pages = eventually(
        lambda: (p := world.told(incident["id"], topic="PageTopicArn")) and len(p) >= 2 and p, "a repeated page"
    )
    assert len({page["attributes"]["page_id"] for page in pages}) == len(pages)
    world.alice.post(f"/incidents/{incident['id']}/acknowledge")
    assert world.incident(incident["id"])["acknowledged_at"] is not None


def _stack_prefix(world: World) -> str:
    names = world.client("cloudformation").list_stacks()["StackSummaries"]
    return min((s["StackName"] for s in names if "CDKToolkit" not in s["StackName"]), key=len)
