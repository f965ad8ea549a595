"""Interfaces are cut off and given back one by one: what failed half way does not look like a stranger's change."""

from typing import Any

import pytest

from incidentio.core.errors import Unavailable
from incidentio.mitigate.actions import compare_and_set, prepared
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import PLACE

GROUP, OWN, OTHER = "sg-0aaaaaaa", "sg-11111111", "sg-22222222"
INSTANCE = "i-0123456789abcdef0"


class Instance:
    """Its interfaces and their groups; the next change of the interface in `throttled` is refused once."""

    def __init__(self) -> None:
        self.groups = {"eni-1": [OWN], "eni-2": [OTHER]}
        self.throttled = ""
        self.call = Answers(
            describe_instances={
                "Reservations": [
                    {"Instances": [{"InstanceId": INSTANCE, "State": {"Name": "running"}, "VpcId": "vpc-1"}]}
                ]
            },
            describe_security_groups={"SecurityGroups": [{"GroupId": GROUP, "VpcId": "vpc-1"}]},
            describe_network_interfaces=self._interfaces,
            modify_network_interface_attribute=self._changed,
        )
        self.action = prepared(
            "quarantine-instance",
            {"group": GROUP},
            f"AWS::EC2::Instance|{PLACE.account}|{PLACE.region}|{INSTANCE}",
            PLACE,
        )
        self.taken = compare_and_set.snapshot(self.action, self.call)["snapshot"]

    def _interfaces(self, **_: Any) -> dict[str, Any]:
        listed = [{"NetworkInterfaceId": k, "Groups": [{"GroupId": g} for g in v]} for k, v in self.groups.items()]
        return {"NetworkInterfaces": listed}

    def _changed(self, NetworkInterfaceId: str, Groups: list[str]) -> dict[str, Any]:  # noqa: N803
        if NetworkInterfaceId == self.throttled:
            self.throttled = ""
            raise Unavailable("throttled")
        self.groups[NetworkInterfaceId] = Groups
        return {}

    def apply(self) -> dict[str, Any]:
        return compare_and_set.apply(self.action, self.call, self.taken)

    def rollback(self) -> dict[str, Any]:
        return compare_and_set.rollback(self.action, self.call, self.taken)


def test_an_apply_that_failed_half_way_goes_on_and_is_given_back() -> None:
    it = Instance()
    it.throttled = "eni-2"
    with pytest.raises(Unavailable):
        it.apply()
    assert it.groups == {"eni-1": [GROUP], "eni-2": [OTHER]}
    assert it.apply()["applied"]
    assert it.groups == {"eni-1": [GROUP], "eni-2": [GROUP]}
    assert it.rollback()["result"] == "restored"
    assert it.groups == {"eni-1": [OWN], "eni-2": [OTHER]}


def test_an_undo_that_failed_half_way_goes_on() -> None:
    it = Instance()
    it.apply()
    it.throttled = "eni-2"
    with pytest.raises(Unavailable):
        it.rollback()
    assert it.rollback()["result"] == "restored"
    assert it.groups == {"eni-1": [OWN], "eni-2": [OTHER]}


def test_an_interface_that_is_gone_keeps_no_other_from_being_given_back() -> None:
    it = Instance()
    it.apply()
    del it.groups["eni-1"]
    answer = it.rollback()
    assert (answer["result"], it.groups) == ("foreign", {"eni-2": [OTHER]})
    assert "eni-1 gone" in answer["summary"]


def test_an_interface_attached_meanwhile_is_no_isolation() -> None:
    it = Instance()
    it.apply()
    assert compare_and_set.verify(it.action, it.call, it.taken)["verified"]
    it.groups["eni-3"] = [OWN]
    answer = compare_and_set.verify(it.action, it.call, it.taken)
    assert not answer["verified"]
    assert f"eni-3 is not in {GROUP}" in answer["summary"]
