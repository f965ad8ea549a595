"""The maximum of what scales by itself: `{"max": n}`, and with `shrink` also `desired`, which AWS lowers to it."""

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions.action import Value


def lowered(subject: str, before: Value, limit: int, *, shrink: bool) -> Value:
    """The value with `limit` as its maximum.

    Raises:
        Conflict: it would not be lower than it is.
    """
    if limit >= before["max"]:
        raise Conflict(f"{subject} is {before['max']} already: {limit} would not lower it")
    return {"max": limit} | ({"desired": min(before["desired"], limit)} if shrink else {})
