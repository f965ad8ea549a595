"""`reserve-concurrency` and `cap-function`: keep capacity for one Lambda function, by capping others that are named."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions.action import Call, Change, Commands, Parameters, Place, Statement, Value
from incidentio.mitigate.actions.literal import literal
from incidentio.mitigate.actions.metric_series import series
from incidentio.mitigate.actions.reserved_concurrency import ReservedConcurrency, SetReservedConcurrency

_LOOKS_BACK = timedelta(hours=3)


class Reserved(Parameters):
    value: int = Field(ge=1, le=100_000, description="copies that are kept for it")


class ReserveConcurrency(SetReservedConcurrency):
    """A reservation keeps copies free for a function, and is its cap as well: so it may not be below what it needs."""

    name = "reserve-concurrency"
    parameters: ClassVar[type[Parameters]] = Reserved

    def __init__(self, *, target: str, given: Reserved, place: Place) -> None:
        super().__init__(target=target, given=ReservedConcurrency(value=given.value), place=place)
        self._least = given.value

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            *super().permissions(given, place),
            Statement(actions=("cloudwatch:GetMetricStatistics",), resources=("*",)),
        )

    @override
    def wanted(self, before: Value) -> Value:
        if before == 0:
            raise Conflict(f"{self.subject} is 0: somebody stopped it, and reserving more would start it again")
        return self._least if before is None else max(int(before), self._least)

    @override
    def guard(self, call: Call, change: Change) -> None:
        super().guard(call, change)
        if change.before is not None:
            return
        peak = self._peak(call)
        if peak > change.after:
            raise Conflict(
                f"function {self.target} ran {peak:g} copies at once within the last three hours: a reservation of "
                f"{change.after} would throttle it. Reserve at least {peak:g}"
            )

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        stays = f'{{ [ "${keep}" = 0 ] || [ "${keep}" -ge {self._least} ]; }}'
        return _unless(stays, super().commands(change, keep=keep), change, keep)

    def _peak(self, call: Call) -> float:
        name = {"FunctionName": self.target}
        running = series(call, "AWS/Lambda", "ConcurrentExecutions", name, "Maximum", over=_LOOKS_BACK)
        return max((value for _, value in running.points), default=0)


class Capped(Parameters):
    function: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_-]{0,64}$", description="function to cap; empty skips the step")
    ]
    value: int = Field(ge=0, le=100_000, description="copies that may run at once; a lower cap stays, 0 stops it")


class CapFunction(SetReservedConcurrency):
    """Caps a function that is named, so that it leaves room for the target."""

    name = "cap-function"
    parameters: ClassVar[type[Parameters]] = Capped

    def __init__(self, *, target: str, given: Capped, place: Place) -> None:
        super().__init__(target=given.function, given=ReservedConcurrency(value=given.value), place=place)
        self._critical = target
        self._most = given.value

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        function = place.arn("lambda", f"function:{literal(given.get('function'), '*')}")
        general, account = super().permissions(given, place)
        return (Statement(actions=general.actions, resources=(function,)), account)

    @override
    def skipped(self) -> str | None:
        return None if self.target else "no function was named: nothing to cap"

    @override
    def wanted(self, before: Value) -> Value:
        if self.target == self._critical:
            raise Conflict(f"function {self.target} is the one whose capacity is to be kept: name another one to cap")
        return self._most if before is None else min(int(before), self._most)

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        return _unless(f'[ "${keep}" -le {self._most} ]', super().commands(change, keep=keep), change, keep)


def _unless(test: str, told: Commands, change: Change | None, keep: str) -> Commands:
    """Where nobody has looked yet, the shell leaves alone what the test of its number says."""
    if change:
        return told
    return Commands(look=told.look, do=(f'[ "${keep}" != None ] && {test} || {told.do[0]}',), undo=told.undo)
