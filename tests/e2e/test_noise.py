"""Each rule against noise on the deployed app: the incidents, what people hear, and the reason that stays."""

from datetime import datetime
from typing import Any

from tests.e2e.signals import signal
from tests.e2e.world import World, eventually


def members(world: World, incident_id: str, count: int) -> dict[str, Any]:
    eventually(lambda: world.incident(incident_id)["members"] == count, f"{count} members of {incident_id}")
    return world.incident(incident_id)


def test_signals_of_one_group_are_one_incident_and_one_page_until_one_is_split_off(world: World) -> None:
    signal(world, "balance", service="ledger")
    incident = world.the_incident_of(f"balance {world.tag}")
    eventually(lambda: world.told(incident["id"], topic="PageTopicArn"), "its page")
    wrong = signal(world, "cache", service="ledger")
    signal(world, "postings", service="ledger")
    assert members(world, incident["id"], 3)["firing"] == 3
    joined = [e["text"] for e in world.timeline(incident["id"]) if e["type"] == "SignalJoined"]
    assert all(f"grouped by service=ledger, run={world.tag}" in text for text in joined)

    part = world.alice.post(f"/incidents/{incident['id']}/split", {"dedup_key": wrong, "note": "it is another thing"})
    assert members(world, incident["id"], 2)["firing"] == 2
    signal(world, "cache", "ok", service="ledger")
    world.entry(part["id"], "SignalRecovered")
    signal(world, "cache", service="ledger")
    eventually(lambda: world.incident(part["id"])["firing"] == 1, "what was split off stays where it is")
    assert world.incident(incident["id"])["members"] == 2
    assert len(world.told(incident["id"], topic="PageTopicArn")) == 1


def test_a_threshold_says_why_nobody_was_paged_and_pages_when_it_is_reached(world: World) -> None:
    signal(world, "press-1", service="mint")
    incident = world.the_incident_of(f"press-1 {world.tag}")
    assert incident["mode"] == "monitor"
    assert incident["mode_reason"].startswith("1 of 3 signals")
    skipped = world.entry(incident["id"], "NotificationSkipped")
    assert "monitor mode" in skipped["text"]
    signal(world, "press-2", service="mint")
    assert members(world, incident["id"], 2)["mode_reason"].startswith("2 of 3 signals")
    assert world.told(incident["id"]) == []
    signal(world, "press-3", service="mint")
    promoted = world.entry(incident["id"], "IncidentPromoted")
    assert "3 of 3 signals" in promoted["text"]
    eventually(lambda: world.told(incident["id"], topic="PageTopicArn"), "the page")
    assert len(world.incidents_of(world.tag)) == 1


def test_what_is_inhibited_joins_silently_and_is_heard_when_its_inhibitor_fires_no_more(world: World) -> None:
    run = {"run": world.tag}
    signal(world, "vault", tags={**run, "alertname": "vault-down"})
    source = world.the_incident_of(f"vault {world.tag}")
    eventually(lambda: world.told(source["id"], topic="PageTopicArn"), "the page of the inhibitor")
    door = {"tags": {**run, "alertname": "vault-door"}, "severity": "SEV1"}
    signal(world, "door", **door)
    inhibited = world.entry(source["id"], "SignalInhibited")
    assert 'alertname="vault-down" inhibits alertname="vault-door" of equal run' in inhibited["text"]
    assert "nobody is told" in inhibited["text"]
    assert world.incident(source["id"])["severity"] == "SEV2"

    signal(world, "vault", "ok", tags={**run, "alertname": "vault-down"})
    assert "is ok, 1 still firing" in world.entry(source["id"], "SignalRecovered")["text"]
    own = world.the_incident_of(f"door {world.tag}")
    page = eventually(lambda: world.told(own["id"], topic="PageTopicArn"), "the page of what was inhibited")[0]
    assert page["attributes"]["severity"] == "SEV1"
    assert "has been ok for" in world.entry(source["id"], "InhibitionEnded")["text"]
    assert "nothing inhibits it" in world.entry(source["id"], "IncidentSplit")["text"]
    types = world.types(source["id"])
    assert "IncidentMitigated" not in types[: types.index("IncidentSplit")], "it goes on while one of it fires"
    assert members(world, source["id"], 1)["firing"] == 0
    assert len(world.told(source["id"], event="IncidentTriaged")) == 1


def test_what_flaps_keeps_one_incident_open_until_it_is_quiet(world: World) -> None:
    key = signal(world, "flicker", severity="SEV3")
    incident = world.the_incident_of(f"flicker {world.tag}")
    # One after the other: a change that is overtaken by a later one is late, and none.
    for state in ("ok", "firing", "ok"):
        signal(world, "flicker", state, severity="SEV3")
        eventually(lambda state=state: world.heard(key)["state"] == state, f"the signal to be {state}")
    flapping = world.entry(incident["id"], "IncidentFlapping")
    assert "4 times within 1m" in flapping["text"]
    ended = world.entry(incident["id"], "FlappingEnded")
    assert ended["data"]["flapping_since"] == flapping["at"]
    resolved = world.until_status(incident["id"], "resolved")
    assert resolved["flapping_since"] is None
    quiet = datetime.fromisoformat(ended["at"]) - datetime.fromisoformat(flapping["at"])
    assert quiet.total_seconds() >= 10
    assert len(world.incidents_of(f"flicker {world.tag}")) == 1


def test_a_rule_and_a_silence_in_monitor_mode_hold_nothing_back_and_say_what_they_would(world: World) -> None:
    run = {"run": world.tag}
    made = world.alice.post(
        "/silences", {"matchers": [f'run="{world.tag}"'], "comment": "is it noise?", "mode": "monitor"}
    )
    signal(world, "dock", tags={**run, "alertname": "dock-down"})
    source = world.the_incident_of(f"dock {world.tag}")
    eventually(lambda: world.told(source["id"], topic="PageTopicArn"), "the page of what would inhibit")
    signal(world, "crane", tags={**run, "alertname": "dock-crane"})
    own = world.the_incident_of(f"crane {world.tag}")
    eventually(lambda: world.told(own["id"], topic="PageTopicArn"), "the page that the rule would have held back")
    assert (own["id"] != source["id"], world.incident(source["id"])["members"]) == (True, 1)
    shown = world.entry(own["id"], "RuleMonitored")["text"]
    assert f"would be a silent member of {source['id']}" in shown
    assert "monitor mode" in shown
    page = world.entry(own["id"], "PagePublished")["text"]
    assert f"In monitor mode: silenced by {made['id']}" in page
    assert "is it noise?" in page


def test_a_group_a_triage_rule_and_a_window_in_monitor_mode_hold_nothing_back_either(world: World) -> None:
    signal(world, "jar", service="pantry")
    first = world.the_incident_of(f"jar {world.tag}")
    page = world.entry(first["id"], "PagePublished")["text"]
    assert "In monitor mode: maintenance pantry-shelves (tests, new shelves) until" in page
    signal(world, "lid", service="pantry")
    second = world.the_incident_of(f"lid {world.tag}")
    for incident in (first, second):
        heard = eventually(lambda i=incident: world.told(i["id"], topic="PageTopicArn"), "a page for each of the group")
        assert heard[0]["attributes"]["severity"] == "SEV2"
        ruled = world.entry(incident["id"], "IncidentTriaged")
        assert ruled["data"]["would"] == ["rule pantry-calm would set severity=SEV5, receiver=ticket"]
    grouped = world.entry(second["id"], "RuleMonitored")["text"]
    assert f"would be part of {first['id']} (run={world.tag})" in grouped
    assert world.incident(first["id"])["members"] == 1
