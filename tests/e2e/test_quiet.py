"""What keeps people from being told, on the deployed app: incidents, pages at the subscriber, recorded reasons."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.own import incidentio
from tests.e2e.world import World, eventually


@pytest.fixture
def home(target: dict[str, Any], tmp_path: Path) -> Path:
    """A folder from which the shared target is found."""
    (tmp_path / "local.json").write_text(json.dumps(target))
    return tmp_path


@pytest.fixture
def service(world: World) -> str:
    """A real ECS service of two tasks; returns its name, which is also that of its cluster."""
    ecs, name = world.client("ecs"), f"web-{world.tag}"
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(family=name, containerDefinitions=[{"name": "web", "image": "web", "memory": 64}])
    ecs.create_service(cluster=name, serviceName=name, taskDefinition=name, desiredCount=2)
    return name


def desired(world: World, service: str) -> int:
    found = world.client("ecs").describe_services(cluster=service, services=[service])
    return int(found["services"][0]["desiredCount"])


def cpu_alarm(world: World, prefix: str, service: str) -> str:
    """An attached alarm on the processor of `service`; returns its name."""
    name, topic = f"{prefix}-cpu-{world.tag}", world.outputs["SignalTopicArn"]
    world.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/ECS",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "ClusterName", "Value": service}, {"Name": "ServiceName", "Value": service}],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=80,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
        OKActions=[topic],
    )
    return name


def said(world: World, incident_id: str, type: str = "NotificationSkipped") -> str:
    return str(world.entry(incident_id, type)["text"])


def test_a_silenced_incident_is_told_when_its_silence_is_ended_or_ends(home: Path, world: World) -> None:
    muffled, hushed = world.alarm("muffled"), world.alarm("hushed")
    direct = ("--direct", "silences", "create", f'alertname="{muffled}"', "--for", "1h", "-m", "load test", "--json")
    made = incidentio(home, *direct)
    assert made.returncode == 0, made.stderr
    silence = json.loads(made.stdout)
    world.set_alarm(muffled, "ALARM")
    first = world.the_incident_of(muffled)["id"]
    assert f"silenced by {silence['id']} ({silence['author']}, load test) until" in said(world, first)
    assert world.told(first) == []
    why = incidentio(home, "incidents", "why", first)
    assert "Nobody has been called." in why.stdout
    assert f"Now: silenced by {silence['id']}" in why.stdout

    # The functions are warm by now: everything up to the skipped page takes a second or two, or some on a busy machine.
    brief = incidentio(home, "silences", "create", f'alertname="{hushed}"', "--for", "40s", "-m", "briefly")
    assert brief.returncode == 0, brief.stderr
    world.set_alarm(hushed, "ALARM")
    second = world.the_incident_of(hushed)["id"]
    assert f"silenced by {brief.stdout.split(':')[0]} (" in said(world, second)

    ended = incidentio(home, "--direct", "silences", "expire", silence["id"])
    assert ended.returncode == 0, ended.stderr
    for each in (first, second):
        page = eventually(lambda each=each: world.told(each, topic="PageTopicArn"), "the page after the silence")[0]
        assert page["attributes"]["page_id"].endswith("-1-page.SEV2-1")
        assert world.types(each).index("QuietEnded") > world.types(each).index("NotificationSkipped")
    assert [len(world.told(each)) for each in (first, second)] == [1, 1]
    assert silence["id"] not in incidentio(home, "silences", "list").stdout
    assert silence["id"] in incidentio(home, "silences", "list", "--all").stdout


def test_everything_is_silenced_only_when_it_is_said(home: Path) -> None:
    refused = incidentio(home, "silences", "create", 'service=~".*"', "-m", "oops")
    assert refused.returncode == 1
    assert "match every incident" in refused.stderr


def test_in_maintenance_nobody_is_told_and_nothing_starts_until_it_ends(home: Path, world: World, service: str) -> None:
    world.rehearse("storefront", "scale-out-service", f"{service}/{service}")
    alarm = cpu_alarm(world, "storefront", service)
    window = world.alice.post(
        "/maintenance",
        {
            "name": f"refit-{world.tag}",
            "matchers": [f'alertname="{alarm}"'],
            "reason": "new racks",
            "rrule": "FREQ=DAILY",
            "duration": "25h",
            "timezone": "America/New_York",
        },
    )
    world.set_alarm(alarm, "ALARM")
    incident_id = world.the_incident_of(alarm)["id"]
    held = said(world, incident_id, "AutomationHeld")
    assert held.startswith(f"scale-out-service did not start by itself: maintenance {window['id']} (")
    assert f"maintenance {window['id']} ({window['author']}, new racks) until" in said(world, incident_id)
    assert desired(world, service) == 2
    assert world.told(incident_id) == []

    ended = incidentio(home, "maintenance", "end", window["id"])
    assert ended.returncode == 0, ended.stderr
    # First what is taken back after some seconds, as the alarm goes on.
    eventually(lambda: desired(world, service) == 4, "more tasks after the maintenance")
    eventually(lambda: world.told(incident_id, event="IncidentTriaged"), "the page after the maintenance")


def test_a_window_planned_ahead_stops_calls_that_repeat_until_it_ends(world: World) -> None:
    alarm = world.alarm("pier")
    world.set_alarm(alarm, "ALARM")
    incident_id = world.the_incident_of(alarm)["id"]

    def pages() -> list[dict[str, Any]]:
        return world.told(incident_id, topic="PageTopicArn")

    eventually(lambda: len(pages()) >= 2, "a call that repeats")
    opens = datetime.now(UTC) + timedelta(seconds=10)  # asked for before that, however busy the machine is
    body = {"name": f"planks-{world.tag}", "matchers": [f'alertname="{alarm}"'], "reason": "new planks"}
    times = {"starts_at": opens.isoformat(), "ends_at": (opens + timedelta(hours=1)).isoformat()}
    window = world.alice.post("/maintenance", body | times)
    assert window["state"] == "pending"
    skipped = world.entry(incident_id, "NotificationSkipped")
    assert f"maintenance {window['id']} ({window['author']}, new planks) until" in skipped["text"]
    assert opens <= datetime.fromisoformat(skipped["at"])
    told = len(pages())
    pause = opens + timedelta(seconds=5)
    eventually(lambda: datetime.now(UTC) > pause, "more than the time between two calls")

    world.alice.post(f"/maintenance/{window['id']}/end")
    again = eventually(lambda: pages()[told:], "a call after the window")
    ended = world.entry(incident_id, "QuietEnded")
    assert f"{window['id']} has ended before its time" in ended["text"]
    entries = world.timeline(incident_id)
    calls = [datetime.fromisoformat(e["at"]) for e in entries if e["type"] == "PagePublished"]
    # One that was decided on a moment before may be heard a moment after.
    held = opens + timedelta(seconds=2), datetime.fromisoformat(ended["at"])
    assert [at for at in calls if held[0] < at < held[1]] == []
    assert again[0]["attributes"]["event"] == "IncidentTriaged"
    numbers = [int(page["attributes"]["page_id"].rpartition("-")[2]) for page in pages()]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    world.alice.post(f"/incidents/{incident_id}/resolve")


def test_a_window_of_the_catalogue_and_a_monitor_route_say_what_they_held_back(world: World, service: str) -> None:
    refitted, watched = (cpu_alarm(world, prefix, service) for prefix in ("dockyard", "lookout"))
    for alarm in (refitted, watched):
        world.set_alarm(alarm, "ALARM")
    in_refit, monitored = world.the_incident_of(refitted)["id"], world.the_incident_of(watched)["id"]
    assert "maintenance dockyard-refit (tests, never ready) until" in said(world, in_refit)
    assert "maintenance dockyard-refit" in said(world, in_refit, "AutomationHeld")
    route = 'monitor mode of the route service="lookout"'
    assert said(world, monitored) == f"nobody was told: {route}: would have told the page topic, as SEV1"
    assert said(world, monitored, "AutomationHeld") == f"scale-out-service did not start by itself: {route}"
    assert [len(world.told(each)) for each in (in_refit, monitored)] == [0, 0]
    assert desired(world, service) == 2
    assert world.alice.get(f"/incidents/{monitored}/why")["route"]["mode"] == "monitor"
    for each in (in_refit, monitored):
        world.alice.post(f"/incidents/{each}/resolve")


def test_what_was_acknowledged_and_forgotten_is_paged_again_until_somebody_works_on_it(world: World) -> None:
    body = {"title": f"boxes {world.tag}", "service": "attic", "severity": "SEV2"}
    incident_id = world.alice.post("/incidents", body)["id"]
    eventually(lambda: world.told(incident_id, event="IncidentTriaged"), "the page")
    world.alice.post(f"/incidents/{incident_id}/acknowledge")
    again = eventually(
        lambda: world.told(incident_id, event="AcknowledgementTimedOut"), "the page of what is forgotten"
    )
    assert again[0]["attributes"]["page_id"].endswith("-2")
    assert "acknowledged, and nobody works on it" in again[0]["subject"]
    assert world.incident(incident_id)["status"] == "acknowledged"

    def at_work_for_longer_than_the_timeout() -> bool:
        world.alice.post(f"/incidents/{incident_id}/notes", {"text": "one box after the other"})
        return datetime.now(UTC) > again[0]["at"] + timedelta(seconds=12)

    eventually(at_work_for_longer_than_the_timeout, "notes for longer than the timeout")
    entries = [(datetime.fromisoformat(e["at"]), e["type"], e["data"]) for e in world.timeline(incident_id)]
    notes = [at for at, type, _ in entries if type == "NoteAdded"]
    reminded = [at for at, _, data in entries if data.get("event") == "AcknowledgementTimedOut"]
    assert reminded
    # Where the machine stands still between two notes, nobody worked on it for so long indeed; and notes may come
    # while that page is on its way.
    signs = sorted([*notes, *reminded])
    for at in reminded[1:]:
        before = [each for each in signs if each <= at][-6:]
        assert max(later - sign for sign, later in pairwise(before)) > timedelta(seconds=7), (at, signs)
    world.alice.post(f"/incidents/{incident_id}/resolve")


def test_a_flapping_incident_pages_twice_and_again_only_when_it_gets_worse(world: World) -> None:
    alarm = world.alarm("rattle")
    world.send(world.state_change(alarm, "ALARM"))
    incident_id = world.the_incident_of(alarm)["id"]

    def rattle(times: int) -> None:
        """In one delivery: where an ok lasts, it is a recovery, and what is overtaken by a later change is none."""
        now, states = datetime.now(UTC), ("OK", "ALARM") * times
        at = [now + timedelta(milliseconds=n) for n in range(len(states))]
        world.send_together([world.state_change(alarm, state, at=at[n]) for n, state in enumerate(states)])

    def rattle_until_held() -> str | None:
        rattle(1)
        entries = world.timeline(incident_id)
        return next(
            (e["text"] for e in entries if e["type"] == "NotificationSkipped" and "flapping" in e["text"]), None
        )

    rattle(2)
    assert "was told of 2 times" in (eventually(rattle_until_held, "a page held back by flapping") or "")
    told = [page["attributes"]["event"] for page in world.told(incident_id, topic="PageTopicArn")]
    # A busy machine may take so long between the two that it is one all the same: news to those who were called.
    assert len([event for event in told if event != "IncidentMitigated"]) == 2, told
    world.alice.post(f"/incidents/{incident_id}/severity", {"severity": "SEV1", "reason": "all customers"})
    worse = eventually(lambda: world.told(incident_id, event="SeverityChanged"), "the page of a worse severity")
    assert [page["attributes"]["severity"] for page in worse] == ["SEV1"]
    assert "all customers" in said(world, incident_id, "SeverityChanged")
    world.alice.post(f"/incidents/{incident_id}/resolve")
