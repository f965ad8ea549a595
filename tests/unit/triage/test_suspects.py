"""Suspects in order, each with the sum that put it there."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentio.core.catalog import Catalog
from incidentio.core.changes import ChangeRecord
from incidentio.triage.suspects import ranked
from tests.make import NOW
from tests.unit.triage.conftest import CATALOG, subject

SERVICES = Catalog.model_validate(CATALOG)  # web → checkout → orders-db
ALARM = subject(dimensions={"FunctionName": "checkout-api"})


def change(name: str, minutes: float, **fields: Any) -> ChangeRecord:
    at = NOW - timedelta(minutes=minutes)
    return ChangeRecord(**{"id": name, "source": "deploys", "service": "web", "what": name, "at": at} | fields)


def rank(*changes: ChangeRecord, service: str | None = "web") -> list[tuple[str, int]]:
    found = ranked(
        changes, service=service, environment="production", subject=ALARM, catalog=SERVICES, impact_started_at=NOW,
        now=NOW + timedelta(minutes=5),
    )  # fmt: skip
    return [(suspect.id, suspect.score) for suspect in found]


def test_own_before_dependency_near_before_far_failed_first() -> None:
    assert rank(
        change("further", 6, service="orders-db"),
        change("direct", 6, service="checkout"),
        change("own", 6),
        change("own-failed", 6, status="failed"),
        change("own-before", 50),
    ) == [("own-failed", 86), ("own", 76), ("direct", 61), ("further", 51), ("own-before", 47)]


@pytest.mark.parametrize(
    ("source", "what", "sentence"),
    [
        ("ecs", "ECS shop/web", "deploy of web (ECS shop/web) 6 min before impact"),
        ("cloudtrail", "UpdateFunctionCode20150331v2 web", "deploy of web (UpdateFunctionCode20150331v2 web) 6 min"),
        ("cloudtrail", "AuthorizeSecurityGroupIngress sg-0a", "change of web (AuthorizeSecurityGroupIngress sg-0a) 6"),
    ],
)
def test_a_deploy_is_told_from_another_change(source: str, what: str, sentence: str) -> None:
    (found,) = ranked(
        [change("d-1", 6, source=source, what=what)],
        service="web", environment="production", subject=ALARM, catalog=SERVICES, impact_started_at=NOW, now=NOW,
    )  # fmt: skip
    assert found.sentence.startswith(sentence)


def test_why_is_the_sum_in_words() -> None:
    (found,) = ranked(
        [change("d-1", 6, reversible=False, reason="drops a column", actor="ana", version="v42",
                resources=("x:function:checkout-api",))],
        service="web", environment="production", subject=ALARM, catalog=SERVICES, impact_started_at=NOW, now=NOW,
    )  # fmt: skip
    assert found.why == (
        "own service (+40), 6 min before impact (+36), not reversible (+5), on the alarm's resource (+5)"
    )
    assert found.sentence == "deploy v42 of web 6 min before impact, by ana, not reversible: drops a column"


def test_what_came_after_impact_began_is_no_first_suspect() -> None:
    assert rank(change("after", -3), change("before", 30)) == [("before", 60), ("after", 50)]


def test_what_belongs_to_no_service_counts_on_the_alarms_resource_only() -> None:
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:checkout-api"
    loose = change("sg", 6, service=None, resources=("sg-0a1b2c",))
    assert rank(loose, change("fn", 6, service=None, resources=(arn,))) == [("fn", 71)]
    assert rank(change("fn", 6, service=None, resources=("checkout-api",)), service=None) == [("fn", 71)]


def test_a_deploy_to_another_environment_is_none() -> None:
    """web is in staging by the catalogue, what it depends on in production."""
    elsewhere = change("test", 6, environment="test")
    assert rank(elsewhere, change("here", 6, environment="staging"), change("db", 6, service="checkout")) == [
        ("here", 76), ("db", 61),
    ]  # fmt: skip


@pytest.mark.parametrize("minutes", [61, -6])
def test_what_lies_outside_the_hour_is_none(minutes: int) -> None:
    assert rank(change("d", minutes)) == []


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["web", "checkout", "orders-db"])), max_size=20))
def test_nearer_and_closer_never_ranks_lower(told: list[tuple[int, str]]) -> None:
    found = ranked(
        [change(f"d-{n}", minutes, service=service) for n, (minutes, service) in enumerate(told)],
        service="web", environment="production", subject=ALARM, catalog=SERVICES, impact_started_at=NOW, now=NOW,
    )  # fmt: skip
    distance = {"web": 0, "checkout": 1, "orders-db": 2}
    for before, after in pairwise(found):
        nearer = after.minutes < before.minutes
        closer = distance[after.service or ""] < distance[before.service or ""]
        assert not (nearer and closer)
