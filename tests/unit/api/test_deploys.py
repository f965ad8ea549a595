"""Deploys come in once however often they are told, and are listed by service."""

from typing import Any

import pytest

from tests.unit.api.conftest import ACCOUNT, World

DEPLOY: dict[str, Any] = {"service": "checkout", "version": "1.42.0", "id": "run-7781"}


def listed(world: World, service: str = "checkout") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = world.alice.get(f"/deploys?service={service}")["items"]
    return items


def test_a_deploy_is_recorded_with_who_told_of_it(world: World) -> None:
    answer = world.alice.call("POST", "/deploys", {**DEPLOY, "url": "https://ci.example.com/7781"})
    assert answer.status == 201
    assert listed(world) == [answer.body]
    assert answer.body["actor"] == f"{ACCOUNT}:user/alice"
    assert (answer.body["what"], answer.body["status"]) == ("deploy of checkout 1.42.0", "succeeded")
    assert (answer.body["reversible"], answer.body["environment"]) == (True, "production")


def test_the_same_id_is_the_same_deploy_as_it_was_told_last(world: World) -> None:
    world.alice.post("/deploys", {**DEPLOY, "status": "started"})
    world.clock.advance(minutes=2)
    world.alice.post("/deploys", DEPLOY)
    assert [(d["id"], d["status"]) for d in listed(world)] == [("run-7781", "succeeded")]


def test_without_an_id_the_idempotency_key_is_one(world: World) -> None:
    told = {"service": "checkout", "version": "2"}
    for key in ("a", "a", "b"):
        world.alice.post("/deploys", told, Idempotency_Key=key)
        world.clock.advance(seconds=1)
    assert len(listed(world)) == 2
    world.alice.post("/deploys", told)
    world.alice.post("/deploys", told)
    assert len(listed(world)) == 4


def test_what_cannot_be_rolled_back_says_why(world: World) -> None:
    refused = world.alice.call("POST", "/deploys", {**DEPLOY, "reversible": False})
    assert refused.status == 400
    assert "say why this cannot be rolled back" in refused.error["message"]
    world.alice.post("/deploys", {**DEPLOY, "reversible": False, "reason": "drops a column, password=hunter2"})
    (deploy,) = listed(world)
    assert (deploy["reversible"], deploy["reason"]) == (False, "drops a column, password=[redacted:value]")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("service", "no such\nname"),
        ("version", ""),
        ("id", "a b"),
        ("url", "javascript:alert(1)"),
        ("status", "done"),
        ("at", "2036-01-01T00:00:00Z"),
        ("colour", "red"),
    ],
)
def test_a_mistake_is_told_by_its_field(world: World, field: str, value: str) -> None:
    answer = world.alice.call("POST", "/deploys", {**DEPLOY, field: value})
    assert answer.status == 400
    assert field in answer.error["message"]
    assert listed(world) == []


def test_newest_first_and_each_service_by_itself(world: World) -> None:
    for version in ("1", "2"):
        world.alice.post("/deploys", {"service": "checkout", "version": version})
        world.clock.advance(minutes=1)
    world.alice.post("/deploys", {"service": "orders-db", "version": "9"})
    assert [d["version"] for d in listed(world)] == ["2", "1"]
    assert [d["version"] for d in listed(world, "orders-db")] == ["9"]
    assert world.alice.get("/deploys")["items"] == []
