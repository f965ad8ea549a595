"""Maximum and desired count are given back each by itself: half of it done is not somebody else's change."""

from typing import Any

import pytest

from incidentio.core.errors import Unavailable
from incidentio.mitigate.actions import compare_and_set, prepared
from tests.unit.mitigate_actions.estate import PLACE

TAKEN = {"before": {"max": 20, "desired": 20}, "after": {"max": 5, "desired": 5}}


def given_back(now: dict[str, Any], *, throttled: bool = False) -> str:
    busy = [throttled]

    def call(_: str, operation: str, /, **asked: Any) -> dict[str, Any]:
        if operation == "register_scalable_target":
            now["max"] = asked["MaxCapacity"]
        if operation == "update_service":
            if busy.pop() if busy else False:
                raise Unavailable("throttled")
            now["desired"] = asked["desiredCount"]
        return {
            "ScalableTargets": [{"MaxCapacity": now["max"], "MinCapacity": 1}],
            "services": [{"status": "ACTIVE", "desiredCount": now["desired"], "runningCount": now["desired"]}],
        }

    target = f"AWS::ECS::Service|{PLACE.account}|{PLACE.region}|prod/web"
    action = prepared("set-scaling-maximum", {"value": 5, "shrink": True}, target, PLACE)
    if throttled:
        with pytest.raises(Unavailable):
            compare_and_set.rollback(action, call, TAKEN)
    return str(compare_and_set.rollback(action, call, TAKEN)["result"])


@pytest.mark.parametrize(("desired", "throttled"), [(20, False), (5, False), (5, True)])
def test_it_is_given_back_from_half_way(desired: int, throttled: bool) -> None:
    now = {"max": 5, "desired": desired}
    assert given_back(now, throttled=throttled) == "restored"
    assert now == TAKEN["before"]


def test_a_count_that_somebody_set_stays_and_the_maximum_does_not() -> None:
    now = {"max": 5, "desired": 4}
    assert given_back(now) == "foreign"
    assert now == {"max": 20, "desired": 4}
