"""Triage rules: which hold, in what order, at what hour, and what a mistake in one says."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from incidentio.core.reach import Reach
from incidentio.core.routing import Routing
from incidentio.core.rules import During
from incidentio.core.ruling import Ruling, Seen, rule_on
from incidentio.core.severity import Severity

SUNDAY_NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def ruled(*rules, labels=None, at=SUNDAY_NOON, reach=None):
    def look(ruling: Ruling) -> Seen:
        severity = ruling.severity.value if ruling.severity else ""
        seen = {"service": ruling.service or "", "severity": severity, **(labels or {}), **ruling.labels}
        return Seen(seen, reach or Reach())

    return rule_on(Routing.model_validate({"rules": list(rules)}).rules, look, at)


def rule(name, matchers=(), during=None, impact=None, **sets):
    more = {key: value for key, value in (("during", during), ("impact", impact)) if value is not None}
    return {"name": name, "matchers": list(matchers), "set": sets, **more}


def test_the_first_rule_that_sets_a_thing_decides_it_and_later_ones_add():
    ruling = ruled(
        rule("a", severity="SEV4", labels={"team": "web"}, responders=["ana"]),
        rule("b", severity="SEV1", receiver="page", labels={"team": "db", "zone": "a"}, responders=["bo", "ana"]),
    )
    assert (ruling.severity, ruling.receiver, ruling.responders) == (Severity.SEV4, "page", ("ana", "bo"))
    assert ruling.labels == {"team": "web", "zone": "a"}
    assert ruling.by == {
        "severity": "a", "labels.team": "a", "responders.ana": "a",
        "receiver": "b", "labels.zone": "b", "responders.bo": "b",
    }  # fmt: skip


def test_later_rules_see_what_earlier_ones_set():
    late = rule("late", ['team="web"', 'service="shop"'], receiver="ticket")
    early = rule("early", ['alertname=~"web-.*"'], service="shop", labels={"team": "web"})
    labels = {"alertname": "web-5xx"}
    assert ruled(early, late, labels=labels).receiver == "ticket"
    assert ruled(late, early, labels=labels).receiver is None


@pytest.mark.parametrize(
    ("impact", "holds"),
    [
        ({"users": 40_000}, True),
        ({"users": 40_001}, False),
        ({"revenue_per_minute": "119.5 EUR"}, True),
        ({"revenue_per_minute": "121 EUR"}, False),
        ({"revenue_per_minute": "1 USD"}, False),
        ({"users": 40_001, "revenue_per_minute": "120 EUR"}, True),
    ],
)
def test_a_rule_may_ask_for_an_impact_which_unknown_never_is(impact, holds):
    carries = Reach(users=40_000, rates={"EUR": Decimal(120)})
    assert bool(ruled(rule("big", impact=impact, receiver="page"), reach=carries).receiver) is holds
    assert ruled(rule("big", impact=impact, receiver="page")).receiver is None


def test_an_impact_that_asks_nothing_is_a_mistake():
    with pytest.raises(ValidationError, match="asks nothing: give users, revenue_per_minute, or both"):
        ruled(rule("big", impact={}, receiver="page"))


@pytest.mark.parametrize(
    ("during", "at", "holds"),
    [
        ({"from": "22:00", "to": "06:00"}, "2026-03-02T05:59", True),
        ({"from": "22:00", "to": "06:00"}, "2026-03-02T06:00", False),
        ({"from": "22:00", "to": "06:00"}, "2026-03-02T22:00", True),
        ({"days": ["fri"], "from": "22:00", "to": "06:00"}, "2026-03-07T03:00", True),  # Saturday: begun on Friday
        ({"days": ["fri"], "from": "22:00", "to": "06:00"}, "2026-03-06T03:00", False),  # Friday: begun on Thursday
        ({"days": ["sat", "sun"]}, "2026-03-01T23:59", True),
        ({"from": "09:00", "to": "17:00", "timezone": "Europe/Berlin"}, "2026-03-02T08:30", True),
        ({"from": "09:00", "to": "17:00", "timezone": "Europe/Berlin"}, "2026-07-02T15:30", False),  # summer time
    ],
)
def test_a_window_of_local_time(during, at, holds):
    assert During.model_validate(during).holds(datetime.fromisoformat(at).replace(tzinfo=UTC)) is holds


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 20_000))
def test_a_window_and_the_rest_of_the_day_share_no_minute_and_leave_none_out(start, end, minute):
    if start == end:
        return
    clock = [f"{m // 60:02d}:{m % 60:02d}" for m in (start, end)]
    at = SUNDAY_NOON + timedelta(minutes=minute)
    inside = During.model_validate({"from": clock[0], "to": clock[1]}).holds(at)
    assert inside is not During.model_validate({"from": clock[1], "to": clock[0]}).holds(at)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (rule("a"), "sets nothing: give at least one of environment, labels"),
        (rule("a", severity="loud"), "unknown severity 'loud'"),
        (rule("a", during={"from": "25:00"}, receiver="page"), "'25:00' is not a time of day"),
        (rule("a", during={"timezone": "Mars/Base"}, receiver="page"), "'Mars/Base' is not a time zone"),
        (rule("a", during={"timezone": "../../etc/passwd"}, receiver="page"), "is not a time zone"),
        (rule("a", labels={"service": "x"}), "service is a label the signal has"),
        (rule("a", receiver="pager"), "'page' or 'ticket'"),
    ],
)
def test_a_mistake_says_what_would_be_right(wrong, told):
    with pytest.raises(ValidationError) as error:
        Routing.model_validate({"rules": [wrong]})
    assert told in str(error.value)


def test_two_rules_need_two_names():
    with pytest.raises(ValidationError, match="two rules are named a"):
        Routing.model_validate({"rules": [rule("a", receiver="page"), rule("a", receiver="page")]})
