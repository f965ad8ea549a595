"""Requests a second and at once: the two numbers of every throttle of API Gateway.

Both together are one value, `{"burst": int|None, "rate": float|None}`; None instead of it: no limit of its own.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from typing import Any

from pydantic import Field

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions.action import Parameters, Value


class Throttle(Parameters):
    rate: int = Field(ge=0, le=100_000, description="requests a second; 0 with burst 0 refuses all")
    burst: int = Field(ge=0, le=100_000, description="requests at once")


def throttle(rate: Any, burst: Any) -> Value:
    """The value of what AWS shows: a negative number is no limit."""
    known = {
        "burst": None if burst is None or int(burst) < 0 else int(burst),
        "rate": None if rate is None or float(rate) < 0 else float(rate),
    }
    return None if known["burst"] is None and known["rate"] is None else known


def lowered(subject: str, before: Value, given: Throttle) -> Value:
    """`given`, never above what is there.

    Raises:
        Conflict: nothing would be lower than it is.
    """
    now = before or {"burst": None, "rate": None}
    after = {
        "burst": given.burst if now["burst"] is None else min(now["burst"], given.burst),
        "rate": float(given.rate if now["rate"] is None else min(now["rate"], given.rate)),
    }
    if after == now:
        raise Conflict(f"{subject} is {said(before)} already: {said(throttle(given.rate, given.burst))} is not lower")
    return after


def said(value: Value) -> str:
    if value is None:
        return "not limited"
    rate = "any number" if value["rate"] is None else number(value["rate"])
    burst = "any number" if value["burst"] is None else value["burst"]
    return f"{rate} requests a second, {burst} at once"


def number(value: float) -> str:
    """`100` for 100.0, `0.5` for 0.5: never with an exponent."""
    return f"{float(value):f}".rstrip("0").rstrip(".")


def lower_in_shell(keep: str, given: Throttle) -> str:
    """`lowered` for a POSIX shell: sets `rate` and `burst` from what `$keep` says, `1000.0 500` or `None`."""

    def least(name: str, word: str, most: int) -> str:
        whole = f"${{{word}%.*}}"
        return (
            f'{name}={most}; [ "${{{word}:-None}}" = None ] || [ "{whole}" -lt 0 ] || [ "{whole}" -ge {most} ] || '
            f"{name}=${word}"
        )

    return f"set -- ${keep}; {least('rate', '1', given.rate)}; {least('burst', '2', given.burst)}"
