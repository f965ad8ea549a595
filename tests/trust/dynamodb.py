"""DynamoDB in memory, as far as our own adapter speaks it: what a kill or a fault may leave behind can be looked at.

Items are in DynamoDB's own wire form. `tests/integration/test_table_contract.py` holds it against the real answers.
"""

import json
import re
from copy import deepcopy
from typing import Any

from botocore import xform_name

from incidentio.aws.attributes import from_attribute

Item = dict[str, Any]
Id = tuple[str, str]

_LARGEST = 400 * 1024
_TERM = re.compile(
    r"attribute_not_exists\((?P<absent>[#\w]+)\)|begins_with\((?P<prefixed>\w+), (?P<prefix>:\w+)\)"
    r"|(?P<name>[#\w]+) (?P<how><=|=) (?P<value>:\w+)"
)
_SET = re.compile(r"(#\w+) = (:\w+)")
_ADD = re.compile(r"(#\w+) (:\w+)")


class Fault(Exception):
    """An answer of DynamoDB that is an error: HTTP 400 with this code, and what else it says."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


class MemoryDynamo:
    """One table with the index `listing`. `stream` holds the new image of every inserted item, oldest first."""

    def __init__(self) -> None:
        self.items: dict[Id, Item] = {}
        self.stream: list[Item] = []
        self._transactions: set[str] = set()

    def forked(self) -> "MemoryDynamo":
        """Another table with the same in it: stored items are never changed, only replaced."""
        other = MemoryDynamo()
        other.items, other.stream, other._transactions = dict(self.items), list(self.stream), set(self._transactions)
        return other

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer. Raises: Fault."""
        answer: dict[str, Any] = getattr(self, f"_{xform_name(operation)}")(request)
        return answer

    # --- operations

    def _get_item(self, request: dict[str, Any]) -> dict[str, Any]:
        item = self.items.get(_id(request["Key"]))
        return {"Item": item} if item else {}

    def _batch_get_item(self, request: dict[str, Any]) -> dict[str, Any]:
        ((name, wanted),) = request["RequestItems"].items()
        found = [self.items[_id(key)] for key in wanted["Keys"] if _id(key) in self.items]
        return {"Responses": {name: found}, "UnprocessedKeys": {}}

    def _put_item(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check(_id(request["Item"]), request)
        self._put(request["Item"])
        return {}

    def _delete_item(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check(_id(request["Key"]), request)
        self.items.pop(_id(request["Key"]), None)
        return {}

    def _update_item(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check(_id(request["Key"]), request)
        self._update(request)
        return {"Attributes": self.items[_id(request["Key"])]}

    def _transact_write_items(self, request: dict[str, Any]) -> dict[str, Any]:
        """All or nothing; the same token again answers as if it had been the first time."""
        token = request["ClientRequestToken"]
        if token in self._transactions:
            return {}
        writes = [next(iter(write.items())) for write in request["TransactItems"]]
        ids = [_id(write.get("Key") or write["Item"]) for _, write in writes]
        if len(set(ids)) != len(ids) or any(len(json.dumps(write)) > _LARGEST for _, write in writes):
            raise Fault("ValidationException")
        reasons: list[dict[str, Any]] = []
        for _, write in writes:
            try:
                self._check(_id(write.get("Key") or write["Item"]), write)
                reasons.append({"Code": "None"})
            except Fault as fault:
                reasons.append({"Code": "ConditionalCheckFailed", **fault.more})
        if any(reason["Code"] != "None" for reason in reasons):
            raise Fault("TransactionCanceledException", CancellationReasons=reasons)
        for verb, write in writes:
            if verb == "Put":
                self._put(write["Item"])
            elif verb == "Update":
                self._update(write)
            else:
                self.items.pop(_id(write["Key"]), None)
        self._transactions.add(token)
        return {}

    def _query(self, request: dict[str, Any]) -> dict[str, Any]:
        sort = "gsk" if "IndexName" in request else "sk"
        found = [item for item in self.items.values() if self._holds(request["KeyConditionExpression"], item, request)]
        backwards = not request.get("ScanIndexForward", True)
        found.sort(key=lambda item: item[sort]["S"], reverse=backwards)
        if start := request.get("ExclusiveStartKey"):
            last = start[sort]["S"]
            found = [item for item in found if (item[sort]["S"] < last if backwards else item[sort]["S"] > last)]
        if filtered := request.get("FilterExpression"):
            found = [item for item in found if self._holds(filtered, item, request)]
        return {"Items": found[: request.get("Limit")]}

    # --- pieces

    def _check(self, id: Id, request: dict[str, Any]) -> None:
        item = self.items.get(id)
        if not self._holds(request.get("ConditionExpression", ""), item or {}, request):
            more = {"Item": item} if item else {}
            raise Fault("ConditionalCheckFailedException", **more)

    def _holds(self, expression: str, item: Item, request: dict[str, Any]) -> bool:
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        for term in filter(None, expression.split(" AND ")):
            found = _TERM.fullmatch(term)
            assert found, f"our adapter never writes {term!r}"
            name = found["absent"] or found["prefixed"] or found["name"]
            stored = item.get(names.get(name, name))
            if found["absent"]:
                holds = stored is None
            elif stored is None:
                holds = False
            elif found["prefixed"]:
                holds = stored["S"].startswith(values[found["prefix"]]["S"])
            elif found["how"] == "=":
                holds = stored == values[found["value"]]
            else:
                holds = bool(from_attribute(stored) <= from_attribute(values[found["value"]]))
            if not holds:
                return False
        return True

    def _put(self, item: Item) -> None:
        if _id(item) not in self.items:
            self.stream.append(deepcopy(item))
        self.items[_id(item)] = deepcopy(item)

    def _update(self, request: dict[str, Any]) -> None:
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        item = deepcopy(self.items.get(_id(request["Key"]), request["Key"]))
        sets = request["UpdateExpression"].partition("SET ")[2].partition(" ADD ")[0]
        adds = request["UpdateExpression"].partition("ADD ")[2].partition(" SET ")[0]
        for name, value in _SET.findall(sets):
            item[names[name]] = values[value]
        for name, value in _ADD.findall(adds):
            stored = item.get(names[name], {"N": "0"})
            item[names[name]] = {"N": str(int(stored["N"]) + int(values[value]["N"]))}
        self._put(item)


def _id(key: Item) -> Id:
    return key["pk"]["S"], key["sk"]["S"]
