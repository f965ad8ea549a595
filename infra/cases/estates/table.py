"""A DynamoDB table: provisioned, or on demand; with an index where a case names one."""

import contextlib
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate


class Table(Estate):
    """`capacity` and `index_capacity` as `[read, write]`; or on demand with `maximum` (`[read, write]`, null: none)."""

    values = ("capacity", "index_capacity", "maximum")
    example = "orders"
    namespace, metric = "AWS/DynamoDB", "WriteThrottleEvents"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        key = [{"AttributeName": "id", "KeyType": "HASH"}]
        throughput: dict[str, Any] = {"BillingMode": "PROVISIONED"}
        throughput["ProvisionedThroughput"] = _units(given.get("capacity", [5, 5]))
        if "maximum" in given:
            throughput = {"BillingMode": "PAY_PER_REQUEST"}
            if given["maximum"] is not None:
                throughput["OnDemandThroughput"] = _maximum(given["maximum"])
        if "index_capacity" in given:
            throughput["GlobalSecondaryIndexes"] = [
                {
                    "IndexName": "by-customer",
                    "KeySchema": key,
                    "Projection": {"ProjectionType": "ALL"},
                    "ProvisionedThroughput": _units(given["index_capacity"]),
                }
            ]
            self.parameters["index"] = "by-customer"
        self.aws.client("dynamodb").create_table(
            TableName=self.target,
            KeySchema=key,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            **throughput,
        )

    @property
    @override
    def target(self) -> str:
        return f"orders-{self.aws.tag}"

    @property
    @override
    def dimensions(self) -> dict[str, str]:
        return {"TableName": self.target}

    @override
    def now(self, name: str) -> Any:
        table = self.aws.client("dynamodb").describe_table(TableName=self.target)["Table"]
        if name == "maximum":
            found = table.get("OnDemandThroughput")
            return [found["MaxReadRequestUnits"], found["MaxWriteRequestUnits"]] if found else None
        units = (table["GlobalSecondaryIndexes"][0] if name == "index_capacity" else table)["ProvisionedThroughput"]
        return [units["ReadCapacityUnits"], units["WriteCapacityUnits"]]

    @override
    def set(self, name: str, value: Any) -> None:
        if name == "index_capacity":
            return super().set(name, value)
        new = (
            {"ProvisionedThroughput": _units(value)} if name == "capacity" else {"OnDemandThroughput": _maximum(value)}
        )
        self.aws.client("dynamodb").update_table(TableName=self.target, **new)
        return None

    @override
    def leave(self) -> None:
        client = self.aws.client("dynamodb")
        with contextlib.suppress(client.exceptions.ResourceNotFoundException):
            client.delete_table(TableName=self.target)


def _units(value: Any) -> dict[str, int]:
    return {"ReadCapacityUnits": value[0], "WriteCapacityUnits": value[1]}


def _maximum(value: Any) -> dict[str, int]:
    return {"MaxReadRequestUnits": value[0], "MaxWriteRequestUnits": value[1]}
