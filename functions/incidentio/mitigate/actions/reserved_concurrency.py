"""`set-reserved-concurrency`: cap how many copies of a Lambda function run at once (0 stops it)."""

import shlex
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions.action import (
    Action,
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Reach,
    Statement,
    Value,
    refuse_system,
)

UNRESERVED_FLOOR = 100
"""Lambda keeps this much concurrency for functions without a reservation, so a smaller account can only stop one.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""


class ReservedConcurrency(Parameters):
    value: int = Field(ge=0, le=100_000, description="copies that may run at once; 0 stops the function")
    lower_only: bool = Field(default=False, description="refuse when the function is capped this low already")


class SetReservedConcurrency(Action[ReservedConcurrency]):
    name = "set-reserved-concurrency"
    target_type = "AWS::Lambda::Function"
    target_pattern = r"[A-Za-z0-9_-]{1,64}"
    parameters: ClassVar[type[Parameters]] = ReservedConcurrency

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            Statement(
                actions=(
                    "lambda:DeleteFunctionConcurrency",
                    "lambda:GetFunctionConcurrency",
                    "lambda:ListTags",
                    "lambda:PutFunctionConcurrency",
                ),
                resources=(place.arn("lambda", "function:*"),),
            ),
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
        if self.given.lower_only and before is not None and int(before) <= self.given.value:
            raise Conflict(f"{self.subject} is {before} already: {self.given.value} would not lower it")
        return self.given.value

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
    def reach(self, call: Call) -> Reach:
        return Reach(targets=1, of=max(1, call("lambda", "get_account_settings")["AccountUsage"]["FunctionCount"]))

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

        do = (put(self.given.value),)
        if change:
            return Commands(do=do, undo=(delete if change.before is None else put(change.before),))
        look = f"aws lambda get-function-concurrency {which} --query ReservedConcurrentExecutions --output text"
        return Commands(
            look=(f"{keep}=$({look})",),
            do=do,
            undo=(f'if [ "${keep}" = None ]; then {delete}; else {put(f"${keep}")}; fi',),
        )
