"""What triage makes of an incident on the deployed app: rules, suspects, linked and similar incidents, impact."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.e2e.world import World, eventually


def firing(world: World, name: str, **about: Any) -> dict[str, Any]:
    """The triaged incident of a new alarm."""
    alarm = world.alarm(name, **about)
    world.set_alarm(alarm, "ALARM", reason=f"{name} fails")
    incident = world.the_incident_of(alarm)
    world.entry(incident["id"], "IncidentTriaged")
    return world.incident(incident["id"])


def deployed(world: World, service: str, version: str, *, minutes: int) -> None:
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    world.alice.post("/deploys", {"service": service, "version": version, "at": at.isoformat()})


def test_rules_by_label_and_hour_decide_and_a_person_corrects_the_impact(world: World) -> None:
    incident = firing(world, "parcel-batch", tags={"squad": "blue"})
    assert (incident["severity"], incident["receiver"], incident["responders"]) == ("SEV4", "page", ["ana"])
    hour = datetime.fromisoformat(incident["detected_at"]).astimezone(ZoneInfo("Europe/Berlin")).hour
    shift = "day" if 6 <= hour < 22 else "night"
    assert incident["labels"]["shift"] == shift
    rules = world.entry(incident["id"], "IncidentTriaged")["data"]["rules"]
    assert (rules["severity"], rules["receiver"]) == ("parcel-blue", "parcel-blue")
    assert rules["labels.shift"] == f"parcel-{shift}s"

    page = eventually(lambda: world.told(incident["id"]), "the page")[0]
    assert page["topic"] == world.outputs["PageTopicArn"]
    assert "Turn to: tests (owner), ana." in page["body"]
    assert "Impact: up to 5000 users" in page["body"]

    assert incident["impact"]["users_by"] == "catalogue"
    said = {"impact": {"users": 12, "revenue": "90.50 EUR"}}
    answer = world.alice.call("PATCH", f"/incidents/{incident['id']}", said)
    assert answer.status_code == 200, answer.text
    impact = world.incident(incident["id"])["impact"]
    assert (impact["users"], impact["revenue"], impact["users_by"]) == (12, "90.50 EUR", "person")
    assert "users 12, revenue 90.50 EUR" in world.entry(incident["id"], "IncidentUpdated")["text"]


def test_the_deploy_before_is_the_first_suspect_and_what_fixed_it_last_time_is_told(world: World) -> None:
    before = firing(world, "parcel-upload-errors")
    world.alice.post(f"/incidents/{before['id']}/resolve", {"note": "rolled back to v41"})
    version = f"v{world.tag}"
    deployed(world, "parcel", version, minutes=6)
    incident = firing(world, "parcel-upload-errors-again")

    page = eventually(lambda: world.told(incident["id"]), "the page")[0]
    assert re.search(r", deploy [67] min ago, INC-", page["subject"]), page["subject"]
    suspect = rf"Suspect: deploy {version} of parcel \d min before impact, by \S*alice\S* \(\d+ of 100: own service"
    assert re.search(suspect, page["body"])
    assert f"Similar: {before['id']}" in page["body"]

    context = incident["context"]
    assert context["suspects"][0]["version"] == version
    similar = next(s for s in context["similar"] if s["incident_id"] == before["id"])
    assert similar["fixed_by"] == "rolled back to v41"
    assert "words in common: " in similar["why"]
    assert "errors" in similar["why"]
    assert [gap["name"] for gap in context["gaps"]] == ["dependencies"]
    assert context["completeness"] == 90
    assert set(context["console"]) == {"alarm", "metrics", "logs", "traces"}

    world.alice.post(f"/incidents/{incident['id']}/resolve", {"note": "rolled back again"})
    world.entry(incident["id"], "PostmortemDrafted")
    draft = world.alice.get(f"/incidents/{incident['id']}/postmortem")["markdown"]
    assert f"Suspect: deploy {version} of parcel" in draft
    assert before["id"] in draft


def test_incidents_of_services_that_depend_on_each_other_are_linked_and_both_owners_told_once(world: World) -> None:
    below = firing(world, "crane-motor")
    ticket = eventually(lambda: world.told(below["id"], event="IncidentTriaged"), "the ticket of what fails below")[0]
    assert ticket["topic"] == world.outputs["TicketTopicArn"]

    above = firing(world, "harbour-5xx")
    assert above["related"] == [below["id"]]
    linked = world.entry(below["id"], "IncidentLinked")
    assert f"linked with {above['id']} (harbour, SEV1" in linked["text"]
    assert "harbour depends on crane" in linked["text"]
    assert world.incident(below["id"])["related"] == [above["id"]]
    assert world.incident(below["id"])["status"] == "triggered"

    page = eventually(lambda: world.told(above["id"]), "the page of what fails above")[0]
    assert f"Linked: {below['id']} SEV3 crane (triggered)" in page["body"]
    (notice,) = eventually(lambda: world.told(below["id"], event="IncidentLinked"), "a notice to the owner below")
    assert (notice["topic"], above["id"] in notice["body"]) == (world.outputs["TicketTopicArn"], True)

    world.alice.post(f"/incidents/{above['id']}/resolve", {"note": "over"})
    eventually(lambda: world.told(above["id"], event="IncidentResolved"), "the end of it, told after everything else")
    assert world.told(above["id"], event="IncidentLinked") == []
    assert len(world.told(below["id"], event="IncidentLinked")) == 1
