"""Whose turn it is where a sweep has no time for everything: the next one goes on where it stopped.

What is due for another's sake stays due. Were every sweep to begin at the same end, that could keep the others waiting
for ever.
"""

from bisect import bisect_left
from collections.abc import Iterable

from incidentio.core.ports import Key, Put, Record, Records


def in_turn(records: Records, sweep: str, ids: Iterable[str]) -> list[str]:
    """`ids`, each once, beginning with what the last `sweep` that ran out of time did not come to. One read."""
    found = sorted(set(ids))
    first = (records.get(_key(sweep)) or {}).get("next", "")
    start = bisect_left(found, first)
    return found[start:] + found[:start]


def stopped_at(sweep: str, first: str) -> Put:
    """The next `sweep` begins with `first`."""
    return Put(Record(_key(sweep), {"next": first}))


def _key(sweep: str) -> Key:
    return Key("TURN", sweep)
