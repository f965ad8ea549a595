"""`disable-schedule`: stop an EventBridge Scheduler schedule from firing, keeping all else it says."""

import shlex
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field
from typing_extensions import override

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
from incidentio.mitigate.actions.literal import literal

_NOT_WRITABLE = ("Arn", "CreationDate", "LastModificationDate", "ResponseMetadata")
_NAME = r"[.\-_A-Za-z0-9]"


class Schedule(Parameters):
    schedule: Annotated[str, Field(pattern=rf"^{_NAME}{{0,64}}$", description="name of the schedule; empty skips")]
    group: Annotated[str, Field(pattern=rf"^{_NAME}{{1,64}}$", description="group the schedule is in")] = "default"


class DisableSchedule(Action[Schedule]):
    name = "disable-schedule"
    target_type = None
    parameters: ClassVar[type[Parameters]] = Schedule

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        group, schedule = literal(given.get("group", "default"), "*"), literal(given.get("schedule"), "*")
        return (
            Statement(
                actions=("scheduler:GetSchedule", "scheduler:UpdateSchedule"),
                resources=(place.arn("scheduler", f"schedule/{group}/{schedule}"),),
            ),
            Statement(
                # Schedules carry no tags of their own: their group does.
                actions=("scheduler:ListTagsForResource",),
                resources=(place.arn("scheduler", f"schedule-group/{group}"),),
            ),
            Statement(
                # UpdateSchedule writes the whole schedule, so it passes the role the schedule has again.
                actions=("iam:PassRole",),
                resources=(f"arn:{place.partition}:iam::{place.account}:role/*",),
                conditions={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
            ),
        )

    @override
    def skipped(self) -> str | None:
        return None if self.given.schedule else "no schedule was named: nothing to disable"

    @property
    @override
    def subject(self) -> str:
        return f"schedule {self.given.group}/{self.given.schedule}"

    def _get(self, call: Call) -> dict[str, Any]:
        return call("scheduler", "get_schedule", Name=self.given.schedule, GroupName=self.given.group)

    @override
    def read(self, call: Call) -> Value:
        return str(self._get(call)["State"])

    @override
    def wanted(self, before: Value) -> Value:
        return "DISABLED"

    @override
    def guard(self, call: Call, change: Change) -> None:
        group = self.place.arn("scheduler", f"schedule-group/{self.given.group}")
        tags = call("scheduler", "list_tags_for_resource", ResourceArn=group).get("Tags", ())
        refuse_system(f"schedule group {self.given.group}", {t["Key"]: t.get("Value", "") for t in tags})

    @override
    def write(self, call: Call, value: Value) -> None:
        """Everything UpdateSchedule is not given falls back to a default, so all of it is given again."""
        whole = {k: v for k, v in self._get(call).items() if k not in _NOT_WRITABLE}
        call("scheduler", "update_schedule", **(whole | {"State": value}))

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        region = f"--region {self.place.region}"
        which = f"--name {shlex.quote(self.given.schedule)} --group-name {shlex.quote(self.given.group)} {region}"
        look = f"aws scheduler get-schedule {which}"

        def update(state: Value) -> str:
            whole = f"""{look} | jq 'del(.Arn, .CreationDate, .LastModificationDate) | .State = "{state}"'"""
            return f'aws scheduler update-schedule {region} --cli-input-json "$({whole})"'

        if change:
            undo = () if change.before == "DISABLED" else (update(change.before),)
            return Commands(do=(update("DISABLED"),), undo=undo)
        return Commands(
            look=(f"{keep}=$({look} --query State --output text)",),
            do=(update("DISABLED"),),
            undo=(f'if [ "${keep}" = ENABLED ]; then {update("ENABLED")}; fi',),
        )
