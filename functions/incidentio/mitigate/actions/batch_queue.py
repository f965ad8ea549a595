"""`disable-job-queue`: let an AWS Batch queue take no new jobs; and the queue as actions see it."""

import shlex
from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from incidentio.core.errors import NotFound
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

NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}"


def queue(call: Call, name: str) -> dict[str, Any]:
    """The queue as DescribeJobQueues tells it, with its tags.

    Raises:
        NotFound: there is none, or it is being deleted.
    """
    found: list[dict[str, Any]] = call("batch", "describe_job_queues", jobQueues=[name]).get("jobQueues", [])
    if not found or found[0].get("status") in ("DELETING", "DELETED"):
        raise NotFound(f"there is no job queue {name}")
    return found[0]


class DisableJobQueue(Action[Parameters]):
    """Jobs that are in the queue already go on: AWS refuses only new ones.

    https://docs.aws.amazon.com/batch/latest/APIReference/API_UpdateJobQueue.html
    """

    name = "disable-job-queue"
    target_type = "AWS::Batch::JobQueue"
    target_pattern = NAME
    parameters: ClassVar[type[Parameters]] = Parameters

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            Statement(actions=("batch:DescribeJobQueues",), resources=("*",)),
            Statement(actions=("batch:UpdateJobQueue",), resources=(place.arn("batch", "job-queue/*"),)),
        )

    @property
    @override
    def subject(self) -> str:
        return f"job queue {self.target}"

    @override
    def read(self, call: Call) -> Value:
        return str(queue(call, self.target)["state"])

    @override
    def wanted(self, before: Value) -> Value:
        return "DISABLED"

    @override
    def guard(self, call: Call, change: Change) -> None:
        refuse_system(self.subject, queue(call, self.target).get("tags", {}))

    @override
    def write(self, call: Call, value: Value) -> None:
        call("batch", "update_job_queue", jobQueue=self.target, state=value)

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        status = queue(call, self.target).get("status", "VALID")
        return None if status == "VALID" else f"its status is {status} so far"

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        name, region = shlex.quote(self.target), f"--region {self.place.region}"

        def update(state: str) -> str:
            return f"aws batch update-job-queue --job-queue {name} {region} --state {state}"

        if change:
            undo = () if change.before == change.after else (update(change.before),)
            return Commands(do=(update("DISABLED"),), undo=undo)
        look = f"aws batch describe-job-queues --job-queues {name} {region} --query 'jobQueues[0].state' --output text"
        return Commands(look=(f"{keep}=$({look})",), do=(update("DISABLED"),), undo=(update(f'"${keep}"'),))
