"""Integrations: a key is shown once, two are alive, and every change keeps its author."""

import json
from typing import Any

import pytest

from incidentio.core.integration import PARTITION, Integration
from incidentio.core.ports import Key
from tests.unit.api.conftest import World

NEW = {"name": "prometheus", "kind": "alertmanager"}


def stored(world: World, name: str = "prometheus") -> Integration:
    return Integration.model_validate(world.table.records[Key(PARTITION, name)])


def created(world: World, **fields: Any) -> dict[str, Any]:
    return world.alice.post("/integrations", {**NEW, **fields})


def test_a_key_is_shown_once_and_kept_as_a_hash(world: World) -> None:
    made = created(world, service="checkout", severity="high", mode="monitor")
    assert made["key"].startswith("iio_prometheus_")
    assert stored(world).holds(made["key"])
    assert not stored(world).holds(made["key"][:-1] + "x")
    assert made["key"] not in json.dumps([dict(body) for body in world.table.records.values()])
    (listed,) = world.alice.get("/integrations")["items"]
    assert listed == made["integration"]
    assert (listed["path"], listed["service"], listed["severity"], listed["mode"]) == (
        "/webhooks/alertmanager", "checkout", "SEV2", "monitor",
    )  # fmt: skip
    assert "hash" not in json.dumps(listed)
    assert made["signing_secret"] is None


@pytest.mark.parametrize(
    ("field", "secret"),
    [
        ("service", "AKIAIOSFODNN7EXAMPLE"),
        ("environment", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
        ("name", "glpat-abcdefghijklmnop12"),
    ],
)
def test_a_name_that_is_a_secret_is_refused_and_not_told_again(world: World, field: str, secret: str) -> None:
    reply = world.alice.call("POST", "/integrations", {**NEW, field: secret})
    assert (reply.status, reply.body["error"]["message"]) == (
        400, f"{field}: holds what looks like a secret or personal data",
    )  # fmt: skip
    assert secret not in json.dumps(reply.body)
    assert secret not in repr(world.table.records)


def test_two_keys_are_alive_after_a_rotation_and_one_where_it_is_urgent(world: World) -> None:
    keys = [created(world)["key"]]
    keys += [world.alice.post("/integrations/prometheus/rotate")["key"] for _ in range(2)]
    assert [stored(world).holds(key) for key in keys] == [False, True, True]
    urgent = world.alice.post("/integrations/prometheus/rotate", {"drop_old": True})["key"]
    assert [stored(world).holds(key) for key in (*keys, urgent)] == [False, False, False, True]


def test_a_request_sent_again_makes_one_key_and_costs_no_other(world: World) -> None:
    first = world.alice.post("/integrations", NEW, Idempotency_Key="a")
    again = world.alice.post("/integrations", NEW, Idempotency_Key="a")
    assert [stored(world).holds(each["key"]) for each in (first, again)] == [False, True]
    lost = world.alice.post("/integrations/prometheus/rotate", Idempotency_Key="b")
    found = world.alice.post("/integrations/prometheus/rotate", Idempotency_Key="b")
    assert [stored(world).holds(each["key"]) for each in (again, lost, found)] == [True, False, True]


def test_a_second_of_one_name_is_refused_until_it_is_revoked(world: World) -> None:
    old = created(world)["key"]
    assert world.bob.call("POST", "/integrations", NEW).status == 409
    gone = world.bob.call("DELETE", "/integrations/prometheus")
    assert (gone.status, gone.body["keys"], gone.body["revoked_by"]) == (200, [], "111122223333:user/bob")
    assert world.bob.call("DELETE", "/integrations/prometheus").status == 200
    assert world.bob.call("POST", "/integrations/prometheus/rotate").status == 404
    new = created(world)["key"]
    assert [stored(world).holds(key) for key in (old, new)] == [False, True]


def test_every_change_keeps_who_made_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    created(world)
    world.clock.advance(minutes=1)
    second = world.bob.post("/integrations/prometheus/rotate")
    world.clock.advance(minutes=1)
    world.bob.call("DELETE", "/integrations/prometheus")
    made, rotated, revoked = world.alice.get("/integrations/prometheus/changes")["items"]
    assert (made["action"], made["by"]) == ("created", "111122223333:user/alice")
    assert (rotated["action"], rotated["by"]) == ("rotated", "111122223333:user/bob")
    assert rotated["keys"] == [key["id"] for key in second["integration"]["keys"]]
    assert (revoked["action"], revoked["keys"]) == ("revoked", [])
    assert capsys.readouterr().out == "", "the caller of --direct reads what is printed"


def test_a_signed_one_has_a_secret_that_rotates_with_its_key(world: World) -> None:
    made = created(world, name="canary", kind="signals", signed=True)
    assert made["signing_secret"].startswith("whsec_")
    rotated = world.alice.post("/integrations/canary/rotate")
    kept = [each.secret for each in world.secrets.get("canary")]
    assert kept == [rotated["signing_secret"], made["signing_secret"]]
    assert made["signing_secret"] not in json.dumps([dict(body) for body in world.table.records.values()])
    world.alice.call("DELETE", "/integrations/canary")
    assert "canary" not in world.secrets


@pytest.mark.parametrize(
    "wrong", [{"name": "Prometheus"}, {"name": "a_b"}, {"name": "x" * 41}, {"kind": "nagios"}, {"mode": "off"},
              {"severity": "bad"}, {"service": "a b"}, {"colour": "red"}],
)  # fmt: skip
def test_a_wrong_field_is_named(world: World, wrong: dict[str, str]) -> None:
    answer = world.alice.call("POST", "/integrations", {**NEW, **wrong})
    assert answer.status == 400
    assert answer.error["details"]["errors"][0]["field"] == next(iter(wrong))


def test_signing_is_for_senders_of_signals_only(world: World) -> None:
    assert world.alice.call("POST", "/integrations", {**NEW, "signed": True}).status == 400


@pytest.mark.parametrize("name", ["nobody", "a%20b", "x" * 2000])
def test_an_unknown_name_is_a_404(world: World, name: str) -> None:
    for method, path in (("POST", "/rotate"), ("DELETE", ""), ("GET", "/changes")):
        assert world.alice.call(method, f"/integrations/{name}{path}").status == 404
