"""Anchors: every hour the heads of the audit chains go where nobody can change them.

Whoever can rewrite the table could rewrite an incident's whole chain so that it holds again. An
anchor is an object under a retention lock that says which hash stood at which entry; `verify`
compares. Anchored are all open incidents, and those that ended since the last anchor.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from incidentio.core.archive import PENDING_ANCHORS, Archive, Retention, anchor_key
from incidentio.core.ids import iso
from incidentio.core.ports import Delete, Filters, Refused, Table

_PAGE = 100


def anchor(*, table: Table, archive: Archive, retention: Retention, at: datetime) -> str | None:
    """Write the anchor of this hour and return its key; None when it was written before, or nothing is to anchor.

    First write wins: a repeated run cannot replace it. What ended stays listed until an anchor that
    names it is really there.

    Raises:
        Unavailable: try again.
    """
    ended = list(table.query(PENDING_ANCHORS))
    ids = dict.fromkeys([*_open_incidents(table), *(key.sk for key, _ in ended)])
    heads = dict(_heads(table, ids))
    if not heads:
        return None
    key = anchor_key(at)
    document = json.dumps({"schema_version": "1.0", "at": iso(at), "incidents": heads}, separators=(",", ":"))
    if archive.put(key, document.encode(), content_type="application/json", retention=retention, once=True) is None:
        return None
    for pending, body in ended:
        with suppress(Refused):  # it changed once more in the meantime: for the next anchor
            table.write(Delete(pending, when=body))
    return key


def _open_incidents(table: Table) -> Iterator[str]:
    cursor: str | None = None
    while True:
        page = table.page(Filters(status="open"), limit=_PAGE, cursor=cursor)
        yield from (str(card["id"]) for card in page.items)
        cursor = page.next
        if cursor is None:
            return


def _heads(table: Table, ids: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for incident_id in ids:
        incident = table.incident(incident_id)
        yield incident_id, {"seq": incident.timeline_seq, "head_hash": incident.head_hash}
