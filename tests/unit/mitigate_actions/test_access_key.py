"""Disabling an access key: which of two keys is meant, and tags on more than one page."""

from typing import Any

import pytest

from incidentio.core.errors import Conflict, Forbidden, NotFound
from incidentio.core.targets import target_id
from incidentio.mitigate.actions import compare_and_set, prepared
from incidentio.mitigate.actions.action import SYSTEM_TAG
from tests.unit.mitigate_actions.estate import PLACE


def disable(ending: str) -> Any:
    target = target_id("AWS::IAM::AccessKey", account=PLACE.account, region=PLACE.region, name=f"deployer/{ending}")
    return prepared("disable-access-key", {}, target, PLACE)


class Iam:
    def __init__(self, *keys: str, tags: tuple[dict[str, str], ...] = ({},)) -> None:
        self.keys, self.tags = dict.fromkeys(keys, "Active"), tags

    def __call__(self, _service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        match operation:
            case "list_access_keys":
                found = [{"AccessKeyId": key, "Status": status} for key, status in self.keys.items()]
                return {"AccessKeyMetadata": found}
            case "list_user_tags":
                n = int(parameters.get("Marker", 0))
                tags = [{"Key": key, "Value": value} for key, value in self.tags[n].items()]
                return {"Tags": tags, "IsTruncated": n + 1 < len(self.tags), "Marker": str(n + 1)}
        self.keys[parameters["AccessKeyId"]] = parameters["Status"]
        return {}


def test_the_key_with_that_ending_is_disabled_and_not_the_other() -> None:
    iam = Iam("AKIAAAAAAAAAAAAAAAAA", "AKIAAAAAAAAAAAAAABBB")
    doing = disable("ABBB")
    compare_and_set.apply(doing, iam, compare_and_set.snapshot(doing, iam)["snapshot"])
    assert iam.keys == {"AKIAAAAAAAAAAAAAAAAA": "Active", "AKIAAAAAAAAAAAAAABBB": "Inactive"}


def test_an_ending_of_two_keys_or_none_is_told() -> None:
    iam = Iam("AKIA1111111111112222", "AKIA3333333333332222")
    with pytest.raises(Conflict, match="2 keys that end in 2222"):
        disable("2222").read(iam)
    with pytest.raises(NotFound):
        disable("4444").read(iam)


def test_our_own_tag_counts_on_whichever_page_it_is() -> None:
    iam = Iam("AKIA1111111111112222", tags=({"team": "shop"}, {SYSTEM_TAG: "incidentio"}))
    with pytest.raises(Forbidden, match="playbooks never act on incidentio itself"):
        compare_and_set.snapshot(disable("2222"), iam)
    assert set(iam.keys.values()) == {"Active"}
