"""The promises every action keeps: applied once, given back only when still ours, nothing touched by looking."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentio.core.errors import Conflict, Forbidden, InvalidInput, Unavailable
from incidentio.mitigate.actions import ACTIONS, compare_and_set
from tests.unit.mitigate_actions.estate import GIVEN, Estate, action

NAMES = sorted(GIVEN)
CHANGED = {
    "set-reserved-concurrency": (50, 10),
    "set-desired-count": (4, 6),
    "disable-rule": ("ENABLED", "DISABLED"),
    "disable-schedule": ("ENABLED", "DISABLED"),
}
FOREIGN: dict[str, Any] = {"set-reserved-concurrency": 33, "set-desired-count": 9}

every_action = pytest.mark.parametrize("name", NAMES)
every_number = pytest.mark.parametrize("name", sorted(FOREIGN))


def test_every_action_of_the_registry_is_tested_here() -> None:
    assert set(CHANGED) == set(GIVEN) <= set(ACTIONS)


@every_action
def test_snapshot_remembers_and_changes_nothing(name: str) -> None:
    estate = Estate()
    before, after = CHANGED[name]
    answer = compare_and_set.snapshot(action(name), estate)
    assert answer["snapshot"] == {"before": before, "after": after}
    assert 1 <= answer["targets"] <= answer["of"]
    assert estate.writes == []


@every_action
def test_plan_says_what_would_happen_and_changes_nothing(name: str) -> None:
    estate = Estate()
    plan = compare_and_set.plan(action(name), estate)
    assert (plan["before"], plan["after"]) == CHANGED[name]
    assert plan["do"]
    assert plan["undo"]
    assert all("aws " in line for line in plan["do"] + plan["undo"])
    assert estate.writes == []


@every_action
def test_applying_twice_is_applying_once(name: str) -> None:
    estate, doing = Estate(running=6), action(name)
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    first = compare_and_set.apply(doing, estate, taken)
    assert first["applied"]
    assert compare_and_set.apply(doing, estate, taken) == first
    assert estate.value(name) == CHANGED[name][1]
    assert len(estate.writes) == 1
    assert compare_and_set.verify(doing, estate, taken)["verified"]


@every_action
def test_rollback_restores_what_is_ours_and_once(name: str) -> None:
    estate, doing = Estate(), action(name)
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    compare_and_set.apply(doing, estate, taken)
    undone = compare_and_set.rollback(doing, estate, taken)
    assert (undone["result"], undone["now"]) == ("restored", CHANGED[name][0])
    assert estate.value(name) == CHANGED[name][0]
    assert compare_and_set.rollback(doing, estate, taken)["result"] == "already"
    assert len(estate.writes) == 2


@every_action
def test_rollback_of_what_was_never_applied_does_nothing(name: str) -> None:
    estate, doing = Estate(), action(name)
    assert compare_and_set.rollback(doing, estate, None)["result"] == "already"
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    assert compare_and_set.rollback(doing, estate, taken)["result"] == "already"
    assert estate.writes == []


@every_number
def test_rollback_leaves_a_foreign_change_alone_and_says_all_three_values(name: str) -> None:
    estate, doing = Estate(), action(name)
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    compare_and_set.apply(doing, estate, taken)
    estate.somebody_sets(name, FOREIGN[name])
    undone = compare_and_set.rollback(doing, estate, taken)
    assert (undone["result"], undone["now"]) == ("foreign", FOREIGN[name])
    assert estate.value(name) == FOREIGN[name]
    for value in (*CHANGED[name], FOREIGN[name]):
        assert str(value) in undone["summary"]


@every_number
def test_apply_refuses_when_somebody_was_faster(name: str) -> None:
    estate, doing = Estate(), action(name)
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    estate.somebody_sets(name, FOREIGN[name])
    with pytest.raises(Conflict, match="somebody else changed it"):
        compare_and_set.apply(doing, estate, taken)
    assert estate.value(name) == FOREIGN[name]


@every_action
def test_verify_notices_that_the_value_is_no_longer_there(name: str) -> None:
    estate, doing = Estate(), action(name)
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    answer = compare_and_set.verify(doing, estate, taken)
    assert not answer["verified"]
    assert str(CHANGED[name][1]) in answer["summary"]


@every_action
def test_a_target_that_is_gone_is_a_foreign_change(name: str) -> None:
    estate, doing = Estate(), action(name)
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    compare_and_set.apply(doing, estate, taken)
    estate.gone = True
    assert compare_and_set.rollback(doing, estate, taken)["result"] == "foreign"


WRITING = {
    "set-reserved-concurrency": "put_function_concurrency",
    "set-desired-count": "update_service",
    "disable-rule": "enable_rule",
    "disable-schedule": "update_schedule",
}


@every_action
def test_a_rollback_that_aws_refuses_has_failed_and_one_that_aws_delays_is_tried_again(name: str) -> None:
    estate, doing = Estate(), action(name)
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    compare_and_set.apply(doing, estate, taken)
    estate.failing = {WRITING[name]: Forbidden("not allowed")}
    undone = compare_and_set.rollback(doing, estate, taken)
    assert undone["result"] == "failed"
    assert "not allowed" in undone["summary"]
    estate.failing = {WRITING[name]: Unavailable("busy")}
    with pytest.raises(Unavailable):
        compare_and_set.rollback(doing, estate, taken)


@every_action
def test_our_own_resources_are_refused_whatever_the_tag_says(name: str) -> None:
    estate = Estate(tags={"incidentio:system": ""})
    for attempt in (compare_and_set.snapshot, compare_and_set.plan):
        with pytest.raises(Forbidden, match="incidentio:system"):
            attempt(action(name), estate)
    before, after = CHANGED[name]
    with pytest.raises(Forbidden, match="incidentio:system"):
        compare_and_set.apply(action(name), estate, {"before": before, "after": after})
    assert estate.writes == []


@every_action
def test_acting_needs_a_snapshot(name: str) -> None:
    for attempt in (compare_and_set.apply, compare_and_set.verify):
        with pytest.raises(InvalidInput, match="snapshot"):
            attempt(action(name), Estate(), None)


@pytest.mark.parametrize(("name", "key"), [("disable-rule", "rule"), ("disable-schedule", "schedule")])
def test_an_empty_name_skips_the_step_and_says_so(name: str, key: str) -> None:
    estate, doing = Estate(), action(name, **{key: ""})
    answer = compare_and_set.snapshot(doing, estate)
    taken = answer["snapshot"]
    assert (answer["targets"], answer["of"]) == (0, 0)
    assert compare_and_set.apply(doing, estate, taken)["applied"]
    assert "nothing to disable" in compare_and_set.apply(doing, estate, taken)["summary"]
    assert compare_and_set.verify(doing, estate, taken)["verified"]
    assert compare_and_set.rollback(doing, estate, taken)["result"] == "already"
    assert compare_and_set.plan(doing, estate)["do"] == []
    assert estate.calls == []


ours = st.sampled_from(["apply", "rollback", "verify"])
theirs = st.one_of(st.none(), st.integers(0, 60))


@given(
    st.one_of(st.none(), st.integers(0, 60)), st.lists(st.one_of(ours, st.tuples(st.just("set"), theirs)), max_size=12)
)
def test_whatever_others_do_meanwhile_nothing_of_theirs_is_overwritten(before: int | None, story: list[Any]) -> None:
    """A write of ours only ever goes from the value found to the value set, or back."""
    estate, doing = Estate(reserved=before), action("set-reserved-concurrency", value=10)
    taken = compare_and_set.snapshot(doing, estate)["snapshot"]
    for event in story:
        now = estate.reserved
        match event:
            case ("set", value):
                estate.reserved = value
            case "apply":
                try:
                    assert compare_and_set.apply(doing, estate, taken)["applied"]
                    assert now in (before, 10)
                    assert estate.reserved == 10
                except Conflict:
                    assert now not in (before, 10)
                    assert estate.reserved == now
            case "rollback":
                result = compare_and_set.rollback(doing, estate, taken)["result"]
                expected = "already" if now == before else "restored" if now == 10 else "foreign"
                assert result == expected
                assert estate.reserved == (before if expected == "restored" else now)
            case "verify":
                assert compare_and_set.verify(doing, estate, taken)["verified"] == (now == 10)
                assert estate.reserved == now
