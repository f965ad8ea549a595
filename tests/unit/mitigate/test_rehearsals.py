"""Rehearsals: what is rehearsed may start by itself, what is not does not, and how runs went is known."""

import json
from datetime import timedelta
from typing import Any

import pytest

from incidentio.core.changes import REHEARSE_AFTER, ChangeRecord, change_writes
from incidentio.core.errors import InvalidInput, NotFound
from incidentio.core.incident import Incident, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.ports import Delete, Filters
from incidentio.core.signal import Kind, Mode
from incidentio.mitigate.control.desk import parse_request
from incidentio.mitigate.control.success import report
from incidentio.mitigate.keys import lock_key
from incidentio.mitigate.rehearse import rehearse
from incidentio.mitigate.run import Run
from incidentio.mitigate.track_record import (
    history_of,
    last_rehearsal,
    rates_by_risk,
    stale,
    success_rate,
    tallies,
)
from tests.make import ALICE
from tests.unit.mitigate.stage import Stage, killed

SAFE = {"name": "look-after", "risk": "safe"}
CATALOG = {"services": {"checkout": {"automation": {"auto": ["look-after"]}}, "other": {}}}


def staged(**incident: Any) -> Stage:
    return Stage(SAFE, catalog=CATALOG, proposed=("look-after",), **incident)


def asked(stage: Stage, service: str = "checkout", **more: Any) -> Run:
    return rehearse(
        stage.table,
        stage.bundle,
        "look-after",
        service=service,
        actor=ALICE,
        now=stage.clock(),
        account=stage.place.account,
        region=stage.place.region,
        **more,
    )


def over(stage: Stage, run: Run) -> Incident:
    """The drill, once everything has followed from the rehearsal."""
    stage.play(incident=run.incident_id)
    return stage.table.incident(run.incident_id)


def tickets(stage: Stage) -> list[Incident]:
    cards = stage.table.page(Filters(status="open", kind="real")).items
    found = [stage.table.incident(str(card["id"])) for card in cards]
    return [incident for incident in found if incident.source == "rehearsal"]


def triaged(stage: Stage) -> None:
    stage.table.commit(recorded(stage.incident, "IncidentTriaged", actor=SYSTEM, at=stage.clock(), text="triaged"))
    stage.play()


def test_a_rehearsal_is_a_dry_run_in_a_drill_that_tells_nobody_and_ends_with_it() -> None:
    stage = staged()
    stage.clock.advance(days=1)
    run = asked(stage)
    drill = stage.table.incident(run.incident_id)
    assert (drill.kind, drill.mode, drill.is_open, run.dry_run) == (Kind.DRILL, Mode.MONITOR, True, True)
    drill = over(stage, run)
    assert (drill.status, drill.resolution_reason) == ("cancelled", "test")
    assert stage.estate.writes == []
    last = last_rehearsal(stage.table, "look-after", "checkout")
    assert last is not None
    assert (last.run_id, last.target, last.at) == (run.run_id, "checkout", stage.clock())
    assert tickets(stage) == []
    assert tallies(stage.table) == [], "only what runs for real counts"
    assert [r["outcome"] for r in history_of(stage.table, "look-after", limit=9)] == ["planned"]


def test_a_rehearsal_that_fails_opens_one_ticket_and_says_so_there_when_it_fails_again() -> None:
    stage = staged()
    before = last_rehearsal(stage.table, "look-after", "checkout")
    stage.estate.tags = {"incidentio:system": "true"}
    for _ in range(2):
        assert not over(stage, asked(stage)).is_open
    (ticket,) = tickets(stage)
    assert (ticket.severity, ticket.service, ticket.receiver, ticket.mode) == ("SEV4", "checkout", "ticket", "live")
    assert stage.table.types(ticket.id) == ["IncidentTriggered", "RehearsalFailed"]
    assert "carries the tag incidentio:system" in stage.table.entries[ticket.id][0].text
    assert last_rehearsal(stage.table, "look-after", "checkout") == before


def test_the_ticket_ends_with_the_next_rehearsal_that_does_not_fail_and_another_failure_opens_a_new_one() -> None:
    stage = staged()
    allowed = stage.estate.tags

    def rehearsed(tags: dict[str, str]) -> list[Incident]:
        stage.estate.tags = tags
        over(stage, asked(stage))
        return tickets(stage)

    (first,) = rehearsed({"incidentio:system": "true"})
    assert rehearsed(allowed) == []
    assert stage.table.entries[first.id][-1].text.endswith("rehearsal of look-after for checkout found nothing wrong")
    (second,) = rehearsed({"incidentio:system": "true"})
    assert second.id != first.id


def test_without_a_target_anybody_knows_it_must_be_said() -> None:
    stage = staged()
    with pytest.raises(InvalidInput, match="never rehearsed for other: pass --target FUNCTION, such as"):
        asked(stage, "other")
    assert over(stage, asked(stage, "other", target="reports")).status == "cancelled"
    with pytest.raises(NotFound, match=r"in the catalogue.*\. It has 2 services: see services.yaml"):
        asked(stage, "nope")


def test_what_does_not_fit_leaves_no_drill_open() -> None:
    stage = staged()
    with pytest.raises(InvalidInput):
        asked(stage, parameters={"limit": 0})
    drills = [stage.table.incident(str(card["id"])) for card in stage.table.page(Filters(status="open")).items]
    assert [incident.kind for incident in drills] == [Kind.REAL]


@pytest.mark.parametrize(
    ("last", "why"),
    [
        ({"definition_hash": "0" * 16}, "its definition changed since it was rehearsed for checkout on 2026-03-01"),
        ({"target_type": "AWS::ECS::Service"}, "it acts on AWS::Lambda::Function, and was rehearsed on AWS::ECS::"),
        ({"at": "2025-11-01T12:00:00.000Z"}, "it was last rehearsed for checkout on 2025-11-01, more than 90 days ago"),
    ],
)
def test_what_is_stale_does_not_start_by_itself_and_says_so_once(last: dict[str, str], why: str) -> None:
    stage = staged()
    stage.was_rehearsed(stage.bundle.playbooks["look-after"], **last)
    for _ in range(2):
        triaged(stage)
    assert "PlaybookRequested" not in stage.types
    assert stage.types.count("AutomationHeld") == 1
    assert stage.text("AutomationHeld").startswith(f"look-after did not start by itself: {why}")
    assert "incidentio playbooks rehearse look-after --service checkout" in stage.text("AutomationHeld")
    assert stage.run(stage.request("look-after")).status == "requested", "people may all the same"


def test_never_rehearsed_is_stale_and_a_rehearsal_ends_that() -> None:
    stage = Stage(SAFE, catalog={"services": {"checkout": {}}}, proposed=("look-after",))
    definition = stage.bundle.playbooks["look-after"]
    assert stale(definition, None, service="checkout", now=stage.clock())
    over(stage, asked(stage, target="checkout"))
    last = last_rehearsal(stage.table, "look-after", "checkout")
    assert stale(definition, last, service="checkout", now=stage.clock()) is None
    assert stale(definition, last, service="checkout", now=stage.clock() + timedelta(days=91))


def test_what_takes_a_change_back_is_never_stale() -> None:
    stage = staged()
    definition = stage.bundle.playbooks["look-after"].model_copy(update={"undoes_change": True})
    assert stale(definition, None, service="checkout", now=stage.clock()) is None


def test_what_became_stale_while_it_waited_is_refused_by_the_gate() -> None:
    stage = staged()
    run = stage.request("look-after", actor=SYSTEM)
    stage.was_rehearsed(stage.bundle.playbooks["look-after"], definition_hash="0" * 16)
    stage.play()
    assert stage.run(run).outcome == "refused"
    assert "its definition changed" in stage.run(run).reason


def deployed(stage: Stage, **more: Any) -> None:
    change = ChangeRecord(
        **{"id": "d-1", "source": "deploys", "service": "checkout", "at": stage.clock(), "what": "deploy", **more}
    )
    stage.table.write(*change_writes(change, stage.bundle.catalog.services))


def test_a_deploy_of_an_opted_in_service_is_followed_by_one_rehearsal() -> None:
    stage = staged()
    for _ in range(2):
        deployed(stage)
        stage.sweep()
    (run,) = [body for key, body in stage.table.records.items() if key.sk.startswith("RUN#")]
    assert run["dry_run"]
    assert run["requester"]["id"] == "system"
    assert list(stage.table.query(REHEARSE_AFTER)) == []


@pytest.mark.parametrize(
    "more", [{"service": "other"}, {"status": "started"}, {"status": "failed"}, {"source": "cloudtrail"}]
)
def test_other_changes_are_followed_by_none(more: dict[str, str]) -> None:
    stage = staged()
    deployed(stage, **more)
    assert list(stage.table.query(REHEARSE_AFTER)) == []


def test_a_deploy_whose_rehearsal_cannot_begin_opens_a_ticket() -> None:
    stage = staged()
    stage.was_rehearsed(stage.bundle.playbooks["look-after"], target="not a function!")
    deployed(stage)
    stage.sweep()
    assert "is not the name of an AWS::Lambda::Function" in stage.table.entries[tickets(stage)[0].id][0].text


def test_success_is_counted_for_each_version_and_what_changed_nothing_does_not_count() -> None:
    stage = Stage({"risk": "safe"})
    stage.waits = lambda _: stage.recovered()
    for ending in ("good", "bad", "refused"):
        run = stage.request()
        if ending == "bad":
            stage.at["Step1Apply"] = killed
        if ending == "refused":
            stage.change(hands_off=True)
        stage.play()
        stage.change(firing=1)
        if ending == "good":
            stage.table.write(Delete(lock_key(run.target)))
        assert stage.run(run).finished
    (tally,) = tallies(stage.table, "throttle-function")
    assert (tally.version, tally.succeeded, tally.rolled_back, tally.refused) == ("1.0.0", 1, 1, 1)
    assert success_rate([tally]) == 50.0
    assert rates_by_risk([tally]) == {"read_only": None, "safe": 50.0, "disruptive": None, "destructive": None}
    outcomes = [record["outcome"] for record in history_of(stage.table, "throttle-function", limit=9)]
    assert sorted(outcomes) == ["refused", "rolled_back", "succeeded"]


def test_the_end_of_a_run_that_acted_tells_the_rates_as_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage({"risk": "safe"})
    stage.waits = lambda _: stage.recovered()
    run = stage.request()
    stage.play()
    report(stage.desk, parse_request({"op": "settle", "run_id": run.run_id, "incident_id": run.incident_id}))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["RunbookSuccessRate"], line.get("playbook"), line.get("risk")) for line in lines] == [
        (100.0, "throttle-function", None),
        (100.0, None, "safe"),
    ]
    (directive,) = lines[0]["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["service", "playbook"]]
    assert directive["Metrics"] == [{"Name": "RunbookSuccessRate", "Unit": "Percent"}]


def test_a_rehearsal_and_a_dry_run_tell_no_rate(capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage({"risk": "safe"})
    run = stage.request(dry_run=True)
    stage.play()
    report(stage.desk, parse_request({"op": "finish", "run_id": run.run_id, "incident_id": run.incident_id}))
    assert capsys.readouterr().out == ""
