"""Capacity of DynamoDB: bounds, what the day allows, global tables, and a change that takes its time."""

from typing import Any

import pytest

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions import Action, compare_and_set, prepared
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import ARN, PLACE

TARGET = f"AWS::DynamoDB::Table|{PLACE.account}|{PLACE.region}|orders"


def action(**given: Any) -> Action[Any]:
    return prepared("raise-table-capacity", {"percent": 100, "max": 40, **given}, TARGET, PLACE)


def table(read: int = 10, write: int = 20, *, decreases: int = 1, **more: Any) -> Answers:
    units = {"ReadCapacityUnits": read, "WriteCapacityUnits": write, "NumberOfDecreasesToday": decreases}
    described = {
        "TableName": "orders",
        "TableArn": ARN("dynamodb", "table/orders"),
        "TableStatus": "ACTIVE",
        "ProvisionedThroughput": units,
        **more,
    }
    return Answers(describe_table={"Table": described}, list_tags_of_resource={"Tags": []}, update_table={})


def after(call: Answers, **given: Any) -> Any:
    return compare_and_set.snapshot(action(**given), call)["snapshot"]["after"]


@pytest.mark.parametrize(
    ("given", "read", "write"),
    [
        ({}, 20, 40),
        ({"what": "read"}, 20, 20),
        ({"percent": 1}, 11, 21),
        ({"max": 30}, 20, 30),
        ({"max": 15}, 15, 20),
    ],
)
def test_it_raises_up_to_its_bound_and_lowers_nothing(given: dict[str, Any], read: int, write: int) -> None:
    assert after(table(), **given) == {"mode": "PROVISIONED", "read": read, "write": write}


def test_a_maximum_that_is_not_set_stays_so() -> None:
    on_demand = {
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "OnDemandThroughput": {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 20},
    }
    call = table(0, 0, **on_demand)
    taken = compare_and_set.snapshot(action(), call)["snapshot"]
    assert taken["after"] == {"mode": "PAY_PER_REQUEST", "read": None, "write": 40}
    compare_and_set.apply(action(), call, taken)
    (asked,) = call.of("update_table")
    assert asked["OnDemandThroughput"] == {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 40}


def test_what_could_not_be_given_back_today_is_not_raised() -> None:
    assert after(table(decreases=26))
    with pytest.raises(Conflict, match="lowered 27 times today"):
        after(table(decreases=27))


def test_the_writes_of_a_global_table_are_not_for_one_region() -> None:
    replicas = [{"RegionName": "us-east-1"}]
    assert after(table(Replicas=replicas), what="read")["read"] == 20
    with pytest.raises(Conflict, match="is a global table"):
        after(table(Replicas=replicas))


def test_an_index_must_exist() -> None:
    with pytest.raises(NotFound, match="there is no index by-day of table orders"):
        after(table(), index="by-day")


def test_it_is_in_effect_once_the_table_is_active() -> None:
    taken = compare_and_set.snapshot(action(), table())["snapshot"]
    answer = compare_and_set.verify(action(), table(20, 40, TableStatus="UPDATING"), taken)
    assert not answer["verified"]
    assert answer["summary"].endswith("DynamoDB is still changing it")
    assert compare_and_set.verify(action(), table(20, 40), taken)["verified"]
