"""Stopping by tag: only what can be started again, on every page, and never by a pattern."""

import shlex
from collections.abc import Mapping
from typing import Any

import jmespath
import pytest

from incidentio.core.errors import Conflict, InvalidInput
from incidentio.mitigate.actions import compare_and_set, prepared
from incidentio.mitigate.actions.action import Action
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import PLACE


def tagged(tag: str = "purpose=load-test") -> Action[Any]:
    target = f"Custom::TaggedInstances|{PLACE.account}|{PLACE.region}|{tag}"
    return prepared("stop-tagged-instances", {}, target, PLACE)


def instance(id: str, tags: Mapping[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {"InstanceId": id, "Tags": [{"Key": k, "Value": v} for k, v in (tags or {}).items()], **more}


def running(*pages: list[dict[str, Any]]) -> Answers:
    def described(**given: Any) -> dict[str, Any]:
        number = int(given.get("NextToken", 0))
        more = {"NextToken": str(number + 1)} if number + 1 < len(pages) else {}
        return {"Reservations": [{"Instances": [i]} for i in pages[number]], **more}

    return Answers(describe_instances=described, stop_instances={}, start_instances={})


def test_all_pages_are_stopped_in_one_call_and_what_cannot_be_started_again_is_left() -> None:
    call = running(
        [instance("i-b"), instance("i-spot", InstanceLifecycle="spot")],
        [instance("i-store", RootDeviceType="instance-store"), instance("i-state", {"incidentio:state": ""})],
        [instance("i-a"), instance("i-group", {"aws:autoscaling:groupName": "workers"})],
    )
    action = tagged()
    answer = compare_and_set.snapshot(action, call)
    assert answer == {"snapshot": {"before": ["i-a", "i-b"], "after": []}, "targets": 2, "of": 6}
    told = compare_and_set.apply(action, call, answer["snapshot"])["summary"]
    assert told == "instances tagged purpose=load-test: 2 run (i-a, i-b) → none runs"
    assert call.of("stop_instances") == [{"InstanceIds": ["i-a", "i-b"]}]
    assert not call.of("start_instances")


def test_giving_back_starts_those_it_stopped() -> None:
    call = running([])
    undone = compare_and_set.rollback(tagged(), call, {"before": ["i-a", "i-b"], "after": []})
    assert undone["result"] == "restored"
    assert call.of("start_instances") == [{"InstanceIds": ["i-a", "i-b"]}]


def test_where_none_may_be_stopped_it_says_why() -> None:
    call = running(
        [instance("i-1", {"incidentio:state": "yes"}), instance("i-2", {"aws:autoscaling:groupName": "web"})]
    )
    with pytest.raises(Conflict, match="i-1 holds state; i-2 belongs to Auto Scaling group web: use cap-scaling"):
        compare_and_set.snapshot(tagged(), call)


@pytest.mark.parametrize("tag", ["purpose=*", "purpose=load-tes?", "purpose", "=x", "purpose="])
def test_a_tag_is_named_exactly(tag: str) -> None:
    with pytest.raises(InvalidInput, match="is not the name of"):
        tagged(tag)


def test_iam_denies_stopping_what_holds_state() -> None:
    (acting,) = [s for s in tagged().permissions({}, PLACE) if "ec2:StopInstances" in s.actions]
    assert acting.conditions == {"Null": {"aws:ResourceTag/incidentio:state": "true"}}


def test_by_hand_the_same_instances_are_found() -> None:
    (look,) = tagged().commands(None).look
    words = shlex.split(look.removeprefix("BEFORE=$(").removesuffix(")"))
    query = words[words.index("--query") + 1]
    found = [
        instance("i-a", {"purpose": "load-test"}, RootDeviceType="ebs"),
        {"InstanceId": "i-b", "RootDeviceType": "ebs"},
        instance("i-spot", RootDeviceType="ebs", InstanceLifecycle="spot"),
        instance("i-store", RootDeviceType="instance-store"),
        *(instance(tag, {tag: "yes"}, RootDeviceType="ebs") for tag in ("incidentio:state", "incidentio:system")),
        instance("i-group", {"aws:autoscaling:groupName": "web"}, RootDeviceType="ebs"),
    ]
    assert jmespath.search(query, {"Reservations": [{"Instances": [i]} for i in found]}) == ["i-a", "i-b"]
