"""The DynamoDB table behind `ports.Table`."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from incidentio.aws import listing
from incidentio.aws.attributes import from_item, to_item
from incidentio.aws.contention import Pause, patiently, waits
from incidentio.aws.errors import error_code, translated
from incidentio.aws.expressions import condition, expression, terms
from incidentio.aws.stored import entry_from, entry_item, entry_sk, incident_from, incident_item, incident_pk
from incidentio.aws.transaction import Cancelled, transact
from incidentio.core.deadlines import next_due
from incidentio.core.errors import Damaged, NotFound, Unavailable
from incidentio.core.heartbeat import forgotten_at
from incidentio.core.incident import Change, Incident
from incidentio.core.ports import (
    ABSENT,
    Condition,
    Filters,
    Key,
    Page,
    Put,
    Record,
    Refused,
    Stale,
    Update,
    Write,
)
from incidentio.core.routing import Routing
from incidentio.core.timeline import Entry

_RESERVED = ("pk", "sk", "ttl")


class DynamoTable:
    """Implements `ports.Table` with one low-level client; every read is consistent but the listing's."""

    def __init__(self, client: Any, name: str, routing: Routing, *, pause: Pause = time.sleep) -> None:
        self._client = client
        self._name = name
        self._routing = routing
        self._pause = pause

    # --- incidents

    def incident(self, incident_id: str) -> Incident:
        item = self._item(Key(incident_pk(incident_id), "SUMMARY"))
        if item is None:
            raise NotFound(f"there is no incident {incident_id}", incident_id=incident_id)
        return incident_from(item)

    def commit(self, change: Change, *writes: Write) -> None:
        incident = change.incident
        summary = incident_item(incident, next_due(incident, self._routing))
        when: Condition = {"timeline_seq": change.expected_seq} if change.expected_seq else ABSENT
        items = [(summary, when), *((entry_item(entry), ABSENT) for entry in change.entries)]
        if forgotten := forgotten_at(incident):
            items = [({**item, "ttl": int(forgotten.timestamp())}, holds) for item, holds in items]
            writes = tuple(_expiring(write, summary["pk"], forgotten) for write in writes)
        operations = [self._put(item, holds) for item, holds in items]
        operations += [self._operation(write) for write in writes]
        try:
            transact(self._client, operations, pause=self._pause)
        except Cancelled as cancelled:
            own = 1 + len(change.entries)
            if cancelled.index is None or cancelled.index < own:
                current = cancelled.item if cancelled.index == 0 else None
                raise Stale(incident_from(current) if current else None) from None
            raise Refused(_key_of(writes[cancelled.index - own]), _body(cancelled.item)) from None

    def timeline(self, incident_id: str, *, after: int = 0, limit: int | None = None) -> Sequence[Entry]:
        entries: list[Entry] = []
        for item in self._query(incident_pk(incident_id), "TL#", start_after=entry_sk(after), limit=limit):
            try:
                entries.append(entry_from(item))
            except ValueError as error:
                raise Damaged(
                    f"{item['sk']} of {incident_id} is not an entry: it was changed after it was written",
                    readable=len(entries),
                ) from error
        return entries

    def page(self, filters: Filters, *, limit: int = 50, cursor: str | None = None) -> Page:
        return listing.page(self._index_query, filters, limit=limit, cursor=cursor)

    def due(self, now: datetime) -> Iterable[str]:
        return listing.due(self._index_query, now)

    # --- records

    def get(self, key: Key) -> Mapping[str, Any] | None:
        return _body(self._item(key))

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Mapping[str, Any]]:
        wanted: list[dict[str, Any]] = [to_item({"pk": k.pk, "sk": k.sk}) for k in dict.fromkeys(keys)]
        found: dict[Key, Mapping[str, Any]] = {}
        patience = waits()
        while wanted:
            request = {self._name: {"Keys": wanted, "ConsistentRead": True}}
            with translated("reading records"):
                answer = self._client.batch_get_item(RequestItems=request)
            for raw in answer["Responses"].get(self._name, []):
                item = from_item(raw)
                found[Key(item["pk"], item["sk"])] = _body(item) or {}
            wanted = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if wanted:
                if (wait := next(patience, None)) is None:
                    raise Unavailable("reading records: DynamoDB leaves some out again and again")
                self._pause(wait)
        return found

    def query(
        self, pk: str, prefix: str = "", *, newest_first: bool = False, limit: int | None = None
    ) -> Iterable[tuple[Key, Mapping[str, Any]]]:
        for item in self._query(pk, prefix, newest_first=newest_first, limit=limit):
            yield Key(item["pk"], item["sk"]), _body(item) or {}

    def write(self, *writes: Write) -> None:
        if len(writes) == 1:
            self._write_one(writes[0])
            return
        try:
            transact(self._client, [self._operation(write) for write in writes], pause=self._pause)
        except Cancelled as cancelled:
            if cancelled.index is None:
                raise Unavailable("the records are being changed by many at once") from None
            raise Refused(_key_of(writes[cancelled.index]), _body(cancelled.item)) from None

    def add(
        self, key: Key, counts: Mapping[str, int], *, sets: Mapping[str, Any] | None = None, when: Condition = None
    ) -> Mapping[str, Any]:
        names: dict[str, str] = {}
        values: dict[str, Any] = {}
        update = "ADD " + ", ".join(terms(counts, "a", " ", names, values))
        if sets:
            update += " SET " + ", ".join(terms(sets, "s", " = ", names, values))
        arguments = condition(when, names, values)
        try:
            with translated("counting"):
                request = {
                    "TableName": self._name,
                    "Key": to_item({"pk": key.pk, "sk": key.sk}),
                    "UpdateExpression": update,
                    "ReturnValues": "ALL_NEW",
                    **expression(arguments, names, values),
                }
                answer = patiently(self._pause, self._client.update_item, request)
        except Exception as error:
            raise _refused(error, key) from error
        return _body(from_item(answer["Attributes"])) or {}

    # --- requests

    def _item(self, key: Key) -> dict[str, Any] | None:
        with translated(f"reading {key.pk}"):
            answer = self._client.get_item(
                TableName=self._name, Key=to_item({"pk": key.pk, "sk": key.sk}), ConsistentRead=True
            )
        return from_item(answer["Item"]) if "Item" in answer else None

    def _query(
        self,
        pk: str,
        prefix: str,
        *,
        start_after: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterable[dict[str, Any]]:
        arguments: dict[str, Any] = {
            "TableName": self._name,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)" if prefix else "pk = :pk",
            "ExpressionAttributeValues": to_item({":pk": pk, **({":prefix": prefix} if prefix else {})}),
            "ConsistentRead": True,
            "ScanIndexForward": not newest_first,
        }
        if start_after:
            arguments["ExclusiveStartKey"] = to_item({"pk": pk, "sk": start_after})
        left = limit
        while left is None or left > 0:
            if left is not None:
                arguments["Limit"] = left
            with translated(f"reading {pk}"):
                answer = self._client.query(**arguments)
            for raw in answer["Items"]:
                yield from_item(raw)
            left = None if left is None else left - len(answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _index_query(self, **arguments: Any) -> dict[str, Any]:
        with translated("listing incidents"):
            answer: dict[str, Any] = self._client.query(TableName=self._name, IndexName="listing", **arguments)
        return answer

    def _put(self, item: Mapping[str, Any], when: Condition) -> dict[str, Any]:
        names: dict[str, str] = {}
        values: dict[str, Any] = {}
        arguments = condition(when, names, values)
        return {"Put": {"TableName": self._name, "Item": to_item(item), **expression(arguments, names, values)}}

    def _operation(self, write: Write) -> dict[str, Any]:
        if isinstance(write, Put):
            return self._put(_record_item(write.record), write.when)
        names: dict[str, str] = {}
        values: dict[str, Any] = {}
        arguments = condition(write.when, names, values)
        target = {"TableName": self._name, "Key": to_item({"pk": write.key.pk, "sk": write.key.sk})}
        if isinstance(write, Update):
            update = "SET " + ", ".join(terms(write.sets, "s", " = ", names, values))
            if write.adds:
                update += " ADD " + ", ".join(terms(write.adds, "a", " ", names, values))
            return {
                "Update": {**target, "UpdateExpression": update, **expression(arguments, names, values)},
            }
        return {"Delete": {**target, **expression(arguments, names, values)}}

    def _write_one(self, write: Write) -> None:
        ((verb, arguments),) = self._operation(write).items()
        call = getattr(self._client, f"{verb.lower()}_item")
        try:
            with translated("writing a record"):
                patiently(self._pause, call, arguments)
        except Exception as error:
            raise _refused(error, _key_of(write)) from error


def _refused(error: Exception, key: Key) -> Exception:
    cause = error.__cause__
    if isinstance(cause, ClientError) and error_code(cause) == "ConditionalCheckFailedException":
        stored = cause.response.get("Item")
        return Refused(key, _body(from_item(stored)) if stored else None)
    return error


def _expiring(write: Write, pk: str, at: datetime) -> Write:
    """What an incident that is forgotten leaves in its own partition goes with it."""
    if not isinstance(write, Put) or write.record.key.pk != pk:
        return write
    return replace(write, record=replace(write.record, expires_at=at))


def _record_item(record: Record) -> dict[str, Any]:
    clash = [name for name in _RESERVED if name in record.body]
    if clash:
        raise ValueError(f"a record body may not have {clash[0]}")
    item = {"pk": record.key.pk, "sk": record.key.sk, **record.body}
    if record.expires_at:
        item["ttl"] = int(record.expires_at.timestamp())
    return item


def _body(item: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return None if item is None else {k: v for k, v in item.items() if k not in _RESERVED}


def _key_of(write: Write) -> Key:
    return write.record.key if isinstance(write, Put) else write.key
