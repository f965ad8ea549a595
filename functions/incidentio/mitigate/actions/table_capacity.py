"""`raise-table-capacity`: let a DynamoDB table, or one of its indexes, take more reads and writes, up to a bound.

The value is `{"mode", "read", "write"}`: provisioned units, or the maximum of a table on demand (None: it has none).
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
"""

import shlex
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions.action import (
    Action,
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Statement,
    Value,
    refuse_system,
)

DECREASES_A_DAY = 27
"""Four at any time, and one more in each hour that had none. Giving back is a decrease.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""
_ON_DEMAND = "PAY_PER_REQUEST"
_WHAT = ("read", "write")


class TableCapacity(Parameters):
    what: Literal["read", "write", "both"] = Field(default="both", description="which of the two is raised")
    percent: int = Field(ge=1, le=1_000, description="by how much; 100 doubles it")
    max: int = Field(ge=1, le=40_000, description="never more units than this")
    index: Annotated[
        str, Field(pattern=r"^([A-Za-z0-9_.-]{3,255})?$", description="global secondary index; empty for the table")
    ] = ""


class RaiseTableCapacity(Action[TableCapacity]):
    name = "raise-table-capacity"
    target_type = "AWS::DynamoDB::Table"
    target_pattern = r"[A-Za-z0-9_.-]{3,255}"
    parameters: ClassVar[type[Parameters]] = TableCapacity

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            Statement(
                actions=("dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:UpdateTable"),
                resources=(place.arn("dynamodb", "table/*"),),
            ),
        )

    @property
    @override
    def subject(self) -> str:
        return f"capacity of {self.resource}"

    @property
    @override
    def resource(self) -> str:
        table = f"table {self.target}"
        return f"index {self.given.index} of {table}" if self.given.index else table

    @override
    def said(self, value: Value) -> str:
        if value["mode"] != _ON_DEMAND:
            return f"{value['read']} read and {value['write']} write units"
        limits = [f"at most {value[what]} {what}s" if value[what] else f"any number of {what}s" for what in _WHAT]
        return f"on demand, {' and '.join(limits)} a second"

    def _described(self, call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
        """The table, and the part of it that is meant: itself or an index."""
        table = call("dynamodb", "describe_table", TableName=self.target)["Table"]
        if not self.given.index:
            return table, table
        for index in table.get("GlobalSecondaryIndexes") or ():
            if index["IndexName"] == self.given.index:
                return table, index
        raise NotFound(f"there is no {self.resource}")

    @override
    def read(self, call: Call) -> Value:
        table, part = self._described(call)
        mode = (table.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED")
        if mode != _ON_DEMAND:
            units = part["ProvisionedThroughput"]
            return {"mode": mode, "read": int(units["ReadCapacityUnits"]), "write": int(units["WriteCapacityUnits"])}
        limits = part.get("OnDemandThroughput") or {}
        read, write = (int(limits.get(f"Max{what}RequestUnits", -1)) for what in ("Read", "Write"))
        return {"mode": mode, "read": read if read > 0 else None, "write": write if write > 0 else None}

    @override
    def wanted(self, before: Value) -> Value:
        asked = _WHAT if self.given.what == "both" else (self.given.what,)
        raised = {what: self._raised(before[what]) for what in asked if before[what] is not None}
        if not raised:
            raise Conflict(
                f"{self.resource} is on demand and has no maximum: it takes what comes, so what throttles it is one "
                "hot key, a sudden rise, or a quota of the account"
            )
        after = {**before, **raised}
        if after == before:
            raise Conflict(f"{self.subject} is {self.said(before)}: max {self.given.max} leaves no room")
        return after

    def _raised(self, units: int) -> int:
        """Rounded up, and never lowered."""
        return max(units, min(self.given.max, -(-units * (100 + self.given.percent) // 100)))

    @override
    def guard(self, call: Call, change: Change) -> None:
        table, part = self._described(call)
        tags = call("dynamodb", "list_tags_of_resource", ResourceArn=table["TableArn"]).get("Tags", ())
        refuse_system(f"table {self.target}", {t["Key"]: t.get("Value", "") for t in tags})
        if table.get("Replicas") and change.before["write"] != change.after["write"]:
            raise Conflict(
                f"table {self.target} is a global table: its write capacity is the same in every Region, and a "
                "playbook acts in one. Raise it by its auto scaling"
            )
        if int(part.get("ProvisionedThroughput", {}).get("NumberOfDecreasesToday", 0)) >= DECREASES_A_DAY:
            raise Conflict(
                f"{self.resource} was lowered {DECREASES_A_DAY} times today, which is all that DynamoDB allows: what "
                "is raised now could not be given back before midnight UTC"
            )

    @override
    def write(self, call: Call, value: Value) -> None:
        if value["mode"] == _ON_DEMAND:
            units = {f"Max{what.title()}RequestUnits": value[what] or -1 for what in _WHAT}
            throughput = {"OnDemandThroughput": units}
        else:
            units = {f"{what.title()}CapacityUnits": value[what] for what in _WHAT}
            throughput = {"ProvisionedThroughput": units}
        if self.given.index:
            update = {"Update": {"IndexName": self.given.index, **throughput}}
            call("dynamodb", "update_table", TableName=self.target, GlobalSecondaryIndexUpdates=[update])
        else:
            call("dynamodb", "update_table", TableName=self.target, **throughput)

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        table, part = self._described(call)
        status = part.get("IndexStatus") or table.get("TableStatus")
        return None if status == "ACTIVE" else "DynamoDB is still changing it"

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        if change:
            return Commands(do=(self._put(change.after),), undo=(self._put(change.before),))
        words = f'set -- ${keep}; if [ "$1" = {_ON_DEMAND} ]; then {{}}; else {{}}; fi'
        do = words.format(
            self._on_demand(self._in_shell("$4", "read"), self._in_shell("$5", "write")),
            self._provisioned(self._in_shell("$2", "read"), self._in_shell("$3", "write")),
        )
        undo = words.format(self._on_demand("$4", "$5"), self._provisioned("$2", "$3"))
        part = f"GlobalSecondaryIndexes[?IndexName=='{self.given.index}']|[0]." if self.given.index else ""
        fields = (
            "ProvisionedThroughput.ReadCapacityUnits",
            "ProvisionedThroughput.WriteCapacityUnits",
            "OnDemandThroughput.MaxReadRequestUnits",
            "OnDemandThroughput.MaxWriteRequestUnits",
        )
        query = f"Table.[BillingModeSummary.BillingMode, {', '.join(part + field for field in fields)}]"
        look = (
            f"aws dynamodb describe-table --table-name {shlex.quote(self.target)} --region {self.place.region} "
            f"--output text --query {shlex.quote(query)}"
        )
        return Commands(look=(f"{keep}=$({look} | sed '/^None$/d; s/None/-1/g')",), do=(do,), undo=(undo,))

    def _in_shell(self, units: str, what: str) -> str:
        """`_raised` as POSIX shell arithmetic; a negative number is no maximum and stays."""
        if self.given.what not in (what, "both"):
            return units
        more, most = f"({units} * {100 + self.given.percent} + 99) / 100", self.given.max
        return f"$(({units} < 0 || {units} >= {most} ? {units} : {more} > {most} ? {most} : {more}))"

    def _put(self, value: Value) -> str:
        put = self._on_demand if value["mode"] == _ON_DEMAND else self._provisioned
        return put(str(value["read"] or -1), str(value["write"] or -1))

    def _provisioned(self, read: str, write: str) -> str:
        units = f"ReadCapacityUnits={read},WriteCapacityUnits={write}"
        return self._update("--provisioned-throughput", "ProvisionedThroughput", units)

    def _on_demand(self, read: str, write: str) -> str:
        units = f"MaxReadRequestUnits={read},MaxWriteRequestUnits={write}"
        return self._update("--on-demand-throughput", "OnDemandThroughput", units)

    def _update(self, option: str, key: str, units: str) -> str:
        table = f"aws dynamodb update-table --table-name {shlex.quote(self.target)} --region {self.place.region}"
        if not self.given.index:
            return f'{table} {option} "{units}"'
        return f'{table} --global-secondary-index-updates "Update={{IndexName={self.given.index},{key}={{{units}}}}}"'
