"""Lists of incidents, newest first, from the sharded index: a page costs the same whatever the history holds."""

import base64
import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from incidentio.aws.attributes import from_item, to_item
from incidentio.aws.stored import GROUPS, SHARDS, card, group_of
from incidentio.core.errors import InvalidInput
from incidentio.core.ids import iso
from incidentio.core.incident import Status
from incidentio.core.ports import Filters, Page

IndexQuery = Callable[..., dict[str, Any]]
_SPARE = 10  # almost three standard deviations more than a shard's fair share of 50; so many cards are less than 8 KB


def page(query: IndexQuery, filters: Filters, *, limit: int, cursor: str | None) -> Page:
    """Merge the shards of the wanted statuses by time.

    Raises:
        InvalidInput: unknown status, or a cursor that is not ours.
    """
    positions = _decode(cursor)
    partitions = [f"{group}#{n}" for group in _groups(filters.status) for n in range(SHARDS)]
    chunk = -(-limit // len(partitions)) + _SPARE
    merged = heapq.merge(
        *(_shard(query, gpk, filters, chunk, positions.get(gpk)) for gpk in partitions),
        key=lambda item: (item["gsk"], item["pk"]),
        reverse=True,
    )
    items: list[dict[str, Any]] = []
    for item in merged:
        if len(items) == limit:
            return Page(items=items, next=_encode(positions))
        positions[item["gpk"]] = [item["pk"], item["gsk"]]
        items.append(card(item))
    return Page(items=items, next=None)


def due(query: IndexQuery, now: datetime) -> Iterator[str]:
    """Open incidents whose `due_at` is not after `now`."""
    for shard in range(SHARDS):
        arguments: dict[str, Any] = {
            "KeyConditionExpression": "gpk = :gpk",
            "FilterExpression": "due_at <= :now",
            "ExpressionAttributeValues": to_item({":gpk": f"OPEN#{shard}", ":now": iso(now)}),
        }
        for item in _items(query, arguments):
            yield str(item["pk"]).removeprefix("INC#")


def _groups(status: str | None) -> Iterable[str]:
    if status is None:
        return GROUPS
    if status == "open":
        return ("OPEN",)
    try:
        return (group_of(Status(status)),)
    except ValueError:
        valid = ["open", *(s.value for s in Status)]
        raise InvalidInput(f"unknown status {status[:40]!r}: use {', '.join(valid)}", valid=valid) from None


def _shard(
    query: IndexQuery, gpk: str, filters: Filters, chunk: int, position: list[str] | None
) -> Iterator[dict[str, Any]]:
    names, values, terms = {}, {":gpk": gpk}, []
    wanted: Mapping[str, str | None] = {
        "status": None if filters.status == "open" else filters.status,
        "service": filters.service,
        "severity": filters.severity,
        "kind": filters.kind,
        "environment": filters.environment,
    }
    for name, value in wanted.items():
        if value is not None:
            names[f"#{name}"], values[f":{name}"] = name, value
            terms.append(f"#{name} = :{name}")
    arguments: dict[str, Any] = {
        "KeyConditionExpression": "gpk = :gpk",
        "ExpressionAttributeValues": to_item(values),
        "ScanIndexForward": False,
        "Limit": chunk,
    }
    if terms:
        arguments |= {"FilterExpression": " AND ".join(terms), "ExpressionAttributeNames": names}
    if position:
        pk, gsk = position
        arguments["ExclusiveStartKey"] = to_item({"gpk": gpk, "gsk": gsk, "pk": pk, "sk": "SUMMARY"})
    yield from _items(query, arguments)


def _items(query: IndexQuery, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    while True:
        answer = query(**arguments)
        for raw in answer["Items"]:
            yield from_item(raw)
        if "LastEvaluatedKey" not in answer:
            return
        arguments = {**arguments, "ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _encode(positions: Mapping[str, list[str]]) -> str:
    return base64.urlsafe_b64encode(json.dumps(positions, separators=(",", ":")).encode()).decode().rstrip("=")


def _decode(cursor: str | None) -> dict[str, Any]:
    if cursor is None:
        return {}
    try:
        positions = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        valid = isinstance(positions, dict) and all(
            isinstance(p, list) and len(p) == 2 and all(isinstance(part, str) for part in p) for p in positions.values()
        )
    except (ValueError, RecursionError):
        valid = False
    if not valid:
        raise InvalidInput("the cursor is not one this API gave out: pass `next` of the page before, unchanged")
    return dict(positions)
