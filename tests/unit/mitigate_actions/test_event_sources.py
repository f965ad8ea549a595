"""Disabling rules and schedules without collateral damage."""

import pytest

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions import compare_and_set
from tests.unit.mitigate_actions.estate import Estate, action


def test_a_rule_that_feeds_others_too_is_refused_and_names_them() -> None:
    with pytest.raises(Conflict, match=r"feeds 2 targets .*function:f0, .*function:f1"):
        compare_and_set.snapshot(action("disable-rule"), Estate(fed=2))
    assert compare_and_set.snapshot(action("disable-rule", rule="loop", max_targets=2), Estate(fed=2))["snapshot"]


def test_a_rule_of_another_service_is_refused() -> None:
    with pytest.raises(Conflict, match=r"managed by autoscaling\.amazonaws\.com"):
        compare_and_set.snapshot(action("disable-rule"), Estate(managed_by="autoscaling.amazonaws.com"))


def test_a_state_that_enabling_would_not_give_back_is_refused() -> None:
    with pytest.raises(Conflict, match="CLOUDTRAIL"):
        compare_and_set.snapshot(action("disable-rule"), Estate(rule="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"))


@pytest.mark.parametrize("name", ["disable-rule", "disable-schedule"])
def test_what_was_disabled_before_stays_disabled_afterwards(name: str) -> None:
    estate, doing = Estate(rule="DISABLED"), action(name)
    estate.schedule["State"] = "DISABLED"
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    assert compare_and_set.apply(doing, estate, taken)["summary"].endswith("is DISABLED already")
    assert compare_and_set.rollback(doing, estate, taken)["result"] == "already"
    assert estate.value(name) == "DISABLED"
    assert estate.writes == []


def test_disabling_a_schedule_keeps_everything_else_it_says_even_what_changed_meanwhile() -> None:
    estate, doing = Estate(), action("disable-schedule")
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    compare_and_set.apply(doing, estate, taken)
    assert estate.schedule == Estate().schedule | {"State": "DISABLED"}
    estate.schedule["Description"] = "edited by somebody"
    compare_and_set.rollback(doing, estate, taken)
    assert estate.schedule == Estate().schedule | {"Description": "edited by somebody"}
