"""The first day of a deployment with an empty catalogue, and faults that would hit everybody on a shared target."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.local.deployment import Deployable
from tests.e2e.own import deploy, incidentio, start_estate
from tests.e2e.world import World, eventually

pytestmark = pytest.mark.xdist_group("own-target")


@pytest.fixture(scope="module")
def estate(run_home: Path) -> tuple[dict[str, Any], str, Path]:
    """A target whose thirty alarms were there before incidentio: (description, their tag, state folder)."""
    home = run_home / "own"
    state, tag = start_estate(home)
    return deploy(state, Deployable()), tag, home


@pytest.fixture
def own_world(estate: tuple[dict[str, Any], str, Path]) -> World:
    return World(estate[0]).listen()


def test_the_first_day_with_an_empty_catalogue(estate: tuple[dict[str, Any], str, Path], own_world: World) -> None:
    description, tag, home = estate
    world = own_world

    fired_before = world.the_incident_of(f"estate-{tag}-00")
    assert fired_before["mode"] == "monitor"
    assert world.incidents_of("TargetTracking-") == []

    unsound = incidentio(home, "doctor")
    assert unsound.returncode != 0
    assert "nobody is subscribed" in unsound.stdout

    for topic in ("PageTopicArn", "WatchdogTopicArn"):
        world.subscribe(description["outputs"][topic])
    sound = incidentio(home, "doctor", "--json")
    report = json.loads(sound.stdout)
    assert sound.returncode == 0, report
    assert any("firing" in finding["check"] for finding in report["findings"])

    alarm = world.alarm()
    world.set_alarm(alarm, "ALARM", "Threshold Crossed")
    incident = world.the_incident_of(alarm)
    page = eventually(lambda: world.told(incident["id"], topic="PageTopicArn"), "the page")[0]
    assert "attached" in page["body"]
    assert f"incidentio incidents ack {incident['id']}" in page["body"]
    acknowledged = incidentio(home, "incidents", "ack", incident["id"])
    assert acknowledged.returncode == 0, acknowledged.stderr
    world.until_status(incident["id"], "acknowledged")
    assert len(world.told(incident["id"], topic="PageTopicArn")) == 1
    assert world.told(fired_before["id"]) == []


def test_a_page_sent_as_a_test_takes_the_whole_path(estate: tuple[dict[str, Any], str, Path]) -> None:
    told = incidentio(estate[2], "test-page", "--json")
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    assert report["incident_id"].startswith("INC-")


@contextmanager
def broken(world: World, handler: str, **environment: str) -> Iterator[None]:
    """The function with this handler runs with a wrong environment inside the block."""
    functions = world.client("lambda")
    pages = functions.get_paginator("list_functions").paginate()
    (found,) = [f for page in pages for f in page["Functions"] if f["Handler"] == handler]
    right = found["Environment"]["Variables"]
    name = found["FunctionName"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {**right, **environment}})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": right})


def test_broken_triage_pages_as_sev2_all_the_same(own_world: World) -> None:
    world = own_world
    alarm = world.alarm(tags={"severity": "SEV4"})
    with broken(world, "incidentio.triage.handler.handler", TABLE_NAME="no-such-table"):
        world.set_alarm(alarm, "ALARM")
        incident = world.the_incident_of(alarm)
        page = eventually(lambda: world.told(incident["id"], topic="PageTopicArn"), "the page without triage")[0]
        assert page["attributes"]["severity"] == "SEV2"
        assert "triage" in world.entry(incident["id"], "TriageOverdue")["text"]
        assert "IncidentTriaged" not in world.types(incident["id"])


def test_a_crash_between_write_and_publish_loses_nothing(own_world: World) -> None:
    world = own_world
    alarm = world.alarm()
    with broken(world, "incidentio.aws.outbox.handler.handler", EVENT_BUS_NAME="no-such-bus"):
        world.set_alarm(alarm, "ALARM")
        incident = world.the_incident_of(alarm)
        assert world.told(incident["id"]) == []
    world.entry(incident["id"], "IncidentTriaged")
    eventually(lambda: world.told(incident["id"], topic="PageTopicArn"), "the page once the outbox works again")
    assert len(world.told(incident["id"], topic="PageTopicArn")) == 1
