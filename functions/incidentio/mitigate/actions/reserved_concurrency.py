"""`set-reserved-concurrency`: how many copies of a Lambda function run at once: cap it, raise the cap, or stop it."""

import shlex
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator
from typing_extensions import override

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions.action import (
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Statement,
    Value,
    refuse_system,
)
from incidentio.mitigate.actions.lambda_function import OnFunction

UNRESERVED_FLOOR = 100
"""Lambda keeps this much concurrency for functions without a reservation, so a smaller account can only stop one.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""


_MOST = 100_000


class ReservedConcurrency(Parameters):
    """Either `value`, or `add` up to `max`."""

    value: int | None = Field(default=None, ge=0, le=_MOST, description="copies that may run at once; 0 stops it")
    lower_only: bool = Field(default=False, description="refuse when the function is capped this low already")
    add: int | None = Field(default=None, ge=1, le=_MOST, description="copies to add to the cap it has")
    max: int | None = Field(default=None, ge=1, le=_MOST, description="never raise the cap above this")

    @model_validator(mode="after")
    def _one_of_them(self) -> "ReservedConcurrency":
        if (self.value is None) == (self.add is None):
            raise ValueError("give either value or add")
        if (self.add is None) != (self.max is None):
            raise ValueError("add and max go together")
        if self.lower_only and self.value is None:
            raise ValueError("lower_only goes with value")
        return self


class SetReservedConcurrency(OnFunction[ReservedConcurrency]):
    name = "set-reserved-concurrency"
    parameters: ClassVar[type[Parameters]] = ReservedConcurrency

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        actions = ["lambda:GetFunctionConcurrency", "lambda:ListTags", "lambda:PutFunctionConcurrency"]
        if given.get("add") is None:
            # Only a function without a cap has none to get back, and such a one is not raised.
            actions.insert(0, "lambda:DeleteFunctionConcurrency")
        return (
            Statement(actions=tuple(actions), resources=(place.arn("lambda", "function:*"),)),
            Statement(actions=("lambda:GetAccountSettings",), resources=("*",)),
        )

    @property
    @override
    def subject(self) -> str:
        return f"reserved concurrency of function {self.target}"

    @property
    @override
    def resource(self) -> str:
        return f"function {self.target}"

    @override
    def said(self, value: Value) -> str:
        return "not set" if value is None else str(value)

    @override
    def read(self, call: Call) -> Value:
        answer = call("lambda", "get_function_concurrency", FunctionName=self.target)
        value = answer.get("ReservedConcurrentExecutions")
        return None if value is None else int(value)

    @override
    def wanted(self, before: Value) -> Value:
        if self.given.add is not None and self.given.max is not None:
            return self._raised(before, self.given.add, self.given.max)
        if self.given.lower_only and before is not None and int(before) <= int(self.given.value or 0):
            raise Conflict(f"{self.subject} is {before} already: {self.given.value} would not lower it")
        return self.given.value

    def _raised(self, before: Value, add: int, most: int) -> int:
        if before is None:
            raise Conflict(
                f"{self.subject} is not set: it shares what the account has left, and a reservation would only cap it"
            )
        if before == 0:
            raise Conflict(f"{self.subject} is 0: somebody stopped it, and raising that would start it again")
        if before >= most:
            raise Conflict(f"{self.subject} is {before}: adding {add} has no room below max {most}")
        return min(int(before) + add, most)

    @override
    def guard(self, call: Call, change: Change) -> None:
        """A reservation is taken from the pool all other functions share: it must not starve them."""
        tags = call("lambda", "list_tags", Resource=self.place.arn("lambda", f"function:{self.target}"))
        refuse_system(f"function {self.target}", tags.get("Tags", {}))
        taken = int(change.after or 0) - int(change.before or 0)
        if taken <= 0:
            return
        limit = call("lambda", "get_account_settings")["AccountLimit"]
        free = limit["UnreservedConcurrentExecutions"]
        if free - taken < UNRESERVED_FLOOR:
            raise Conflict(
                f"reserving {change.after} for {self.target} would leave {max(free - taken, 0)} unreserved executions "
                f"for every other function in {self.place.region}; at least {UNRESERVED_FLOOR} must stay (now {free})",
                unreserved=free,
                floor=UNRESERVED_FLOOR,
            )

    @override
    def write(self, call: Call, value: Value) -> None:
        if value is None:
            call("lambda", "delete_function_concurrency", FunctionName=self.target)
        else:
            call("lambda", "put_function_concurrency", FunctionName=self.target, ReservedConcurrentExecutions=value)

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        which = f"--function-name {shlex.quote(self.target)} --region {self.place.region}"
        delete = f"aws lambda delete-function-concurrency {which}"

        def put(value: Value) -> str:
            return f"aws lambda put-function-concurrency {which} --reserved-concurrent-executions {value}"

        if change:
            do = (put(change.after),)
            return Commands(do=do, undo=(delete if change.before is None else put(change.before),))
        look = f"aws lambda get-function-concurrency {which} --query ReservedConcurrentExecutions --output text"
        looked = (f"{keep}=$({look})",)
        if self.given.add is None:
            undo = f'if [ "${keep}" = None ]; then {delete}; else {put(f"${keep}")}; fi'
            return Commands(look=looked, do=(put(self.given.value),), undo=(undo,))
        asked, most = f"{keep} + {self.given.add}", self.given.max
        raised = put(f"$(({asked} > {most} ? {most} : {asked}))")
        raisable = f'[ "${keep}" != None ] && [ "${keep}" -gt 0 ] && [ "${keep}" -lt {most} ]'
        return Commands(
            look=looked,
            do=(f"if {raisable}; then {raised}; fi",),
            undo=(f"if {raisable}; then {put(f'${keep}')}; fi",),
        )
