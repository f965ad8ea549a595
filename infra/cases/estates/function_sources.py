"""The queues and tables that feed a function, through event source mappings."""

from collections.abc import Mapping
from typing import Any

from infra.cases.estate import Aws

State = dict[str, Any]


class Sources:
    """`queues` and `tables` by name: `disabled`, or a number of batches at once (null: nothing said).

    For a queue it is the maximum of all of it, for a table's stream that of each shard.

    `mapping` names the one whose UUID the playbook is told.
    """

    values = ("mapping", "queues", "tables")

    def __init__(self, aws: Aws, function: str) -> None:
        self._aws = aws
        self._function = function

    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        for name, state in given.get("queues", {}).items():
            self._map(self._queue(name), state, tags)
        for name, state in given.get("tables", {}).items():
            at_once = {"ParallelizationFactor": state} if isinstance(state, int) else {}
            self._map(self._stream(name), None if at_once else state, tags, StartingPosition="LATEST", **at_once)

    def uuid(self, name: str) -> str:
        return str(self._mapping(name)["UUID"])

    def now(self, name: str) -> State:
        service = "sqs" if name == "queues" else "dynamodb"
        return {
            self._name(m): "disabled" if m["State"] == "Disabled" else self._at_once(m)
            for m in self._mappings()
            if f":{service}:" in m["EventSourceArn"]
        }

    @staticmethod
    def _at_once(mapping: State) -> int | None:
        parallel = mapping.get("ParallelizationFactor", 1)
        return mapping.get("ScalingConfig", {}).get("MaximumConcurrency") or (parallel if parallel > 1 else None)

    def set(self, states: Mapping[str, Any]) -> None:
        for name, state in states.items():
            limit = {"ScalingConfig": {"MaximumConcurrency": state}} if isinstance(state, int) else {}
            self._lambda.update_event_source_mapping(UUID=self.uuid(name), Enabled=state != "disabled", **limit)

    def leave(self) -> None:
        for mapping in self._mappings():
            self._lambda.delete_event_source_mapping(UUID=mapping["UUID"])

    @property
    def _lambda(self) -> Any:
        return self._aws.client("lambda")

    def _map(self, source: str, state: Any, tags: Mapping[str, str], **more: Any) -> None:
        limit = {"ScalingConfig": {"MaximumConcurrency": state}} if isinstance(state, int) else {}
        self._lambda.create_event_source_mapping(
            FunctionName=self._function,
            EventSourceArn=source,
            Enabled=state != "disabled",
            Tags=dict(tags),
            **limit,
            **more,
        )

    def _queue(self, name: str) -> str:
        self._aws.client("sqs").create_queue(QueueName=f"{name}-{self._aws.tag}")
        return self._aws.arn("sqs", f"{name}-{self._aws.tag}")

    def _stream(self, name: str) -> str:
        table = self._aws.client("dynamodb").create_table(
            TableName=f"{name}-{self._aws.tag}",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        )
        return str(table["TableDescription"]["LatestStreamArn"])

    def _mappings(self) -> list[State]:
        found: list[State] = self._lambda.list_event_source_mappings(FunctionName=self._function)["EventSourceMappings"]
        return found

    def _mapping(self, name: str) -> State:
        return next(m for m in self._mappings() if self._name(m) == name)

    def _name(self, mapping: State) -> str:
        """`orders` of `…:orders-1a2b3c4d` or `…:table/orders-1a2b3c4d/stream/…`."""
        return str(mapping["EventSourceArn"]).split(":")[5].removeprefix("table/").split(f"-{self._aws.tag}")[0]
