"""Switching a distribution's origin: what takes minutes, and what goes back untouched."""

from typing import Any

import pytest

from incidentio.core.errors import Forbidden
from incidentio.core.signal import Subject
from incidentio.core.targets import target_for
from incidentio.mitigate.actions import compare_and_set, prepared
from tests.unit.mitigate_actions.estate import PLACE


class Distribution:
    """Two origins and a group; `deployed` after that many looks."""

    def __init__(self, *, looks: int = 0) -> None:
        self.looks = looks
        self.config: dict[str, Any] = {
            "Enabled": True,
            "Comment": "kept",
            "Origins": {"Quantity": 2, "Items": [{"Id": "main"}, {"Id": "standby"}]},
            "OriginGroups": {"Quantity": 1, "Items": [{"Id": "either"}]},
            "DefaultCacheBehavior": {"TargetOriginId": "main", "Compress": True},
        }
        self.updates: list[dict[str, Any]] = []

    def __call__(self, _service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        match operation:
            case "get_distribution_config":
                return {"DistributionConfig": self.config, "ETag": "v1"}
            case "get_distribution":
                self.looks -= 1
                return {"Distribution": {"Status": "Deployed" if self.looks < 0 else "InProgress"}}
            case "list_tags_for_resource":
                return {"Tags": {"Items": []}}
        self.updates.append(parameters)
        self.config = parameters["DistributionConfig"]
        return {}


def switch(origin: str, *, region: str = "global") -> Any:
    target = f"AWS::CloudFront::Distribution|{PLACE.account}|{region}|E1ABC"
    return prepared("set-default-origin", {"origin": origin}, target, PLACE)


@pytest.mark.parametrize("origin", ["standby", "either"])
def test_the_whole_configuration_goes_back_with_its_version(origin: str) -> None:
    aws = Distribution()
    before = dict(aws.config)
    switch(origin).write(aws, origin)
    (update,) = aws.updates
    assert (update["Id"], update["IfMatch"]) == ("E1ABC", "v1")
    wanted = {**before, "DefaultCacheBehavior": {"TargetOriginId": origin, "Compress": True}}
    assert update["DistributionConfig"] == wanted


def test_it_is_in_effect_when_it_is_deployed_everywhere() -> None:
    aws, doing = Distribution(looks=1), switch("standby")
    taken = compare_and_set.snapshot(doing, aws)["snapshot"]
    compare_and_set.apply(doing, aws, taken)
    first, second = (compare_and_set.verify(doing, aws, taken) for _ in range(2))
    assert (first["verified"], second["verified"]) == (False, True)
    assert "on its way to the edge" in first["summary"]


def test_what_is_global_is_one_target_whichever_region_its_alarm_is_in() -> None:
    found = {
        target_for(
            "AWS::CloudFront::Distribution",
            Subject(account=PLACE.account, region=region, dimensions={"DistributionId": "E1ABC"}),
            None,
            account=PLACE.account,
            region=PLACE.region,
        )
        for region in ("us-east-1", PLACE.region)
    }
    assert found == {f"AWS::CloudFront::Distribution|{PLACE.account}|global|E1ABC"}
    with pytest.raises(Forbidden):
        switch("standby", region="us-east-1")
