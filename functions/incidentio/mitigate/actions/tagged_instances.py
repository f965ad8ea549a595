"""`stop-tagged-instances`: stop the EC2 instances that carry a tag, and only those that can be started again."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions.action import (
    SYSTEM_TAG,
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
from incidentio.mitigate.actions.ec2_instance import tags_of

STATE_TAG = "incidentio:state"
"""Instances that carry this tag, with whatever value, hold what exists nowhere else: no playbook stops them."""

GROUP_TAG = "aws:autoscaling:groupName"
"""AWS sets it on members of an Auto Scaling group, which replaces an instance that stops."""

_SHOWN = 5


class TaggedInstances(Parameters):
    max_instances: int = Field(default=10, ge=1, le=100, description="refuse a tag that more running instances carry")


class StopTaggedInstances(Action[TaggedInstances]):
    """The target is `KEY=VALUE`. The value is the ids of those that run and may be stopped, sorted.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html
    """

    name = "stop-tagged-instances"
    target_type = "Custom::TaggedInstances"
    # Without * and ?, which a filter would take for any text.
    target_pattern = r"[A-Za-z0-9 _.:/+@-]{1,128}=[A-Za-z0-9 _.:/=+@-]{1,256}"
    parameters: ClassVar[type[Parameters]] = TaggedInstances
    _seen: tuple[dict[str, Any], ...] = ()

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            Statement(actions=("ec2:DescribeInstances",), resources=("*",)),
            Statement(
                actions=("ec2:StartInstances", "ec2:StopInstances"),
                resources=(place.arn("ec2", "instance/*"),),
                conditions={"Null": {f"aws:ResourceTag/{STATE_TAG}": "true"}},
            ),
            Statement(
                # Who starts an instance grants EC2 the keys of its volumes, or it stops again without an error.
                # https://repost.aws/knowledge-center/kms-iam-ec2-permission
                actions=("kms:CreateGrant",),
                resources=(place.arn("kms", "key/*"),),
                conditions={
                    "Bool": {"kms:GrantIsForAWSResource": "true"},
                    "StringEquals": {"kms:ViaService": f"ec2.{place.region}.amazonaws.com"},
                },
            ),
        )

    @property
    @override
    def subject(self) -> str:
        return f"instances tagged {self.target}"

    @override
    def said(self, value: Value) -> str:
        if not value:
            return "none runs"
        more = f" and {len(value) - _SHOWN} more" if len(value) > _SHOWN else ""
        return f"{len(value)} run ({', '.join(value[:_SHOWN])}{more})"

    @override
    def read(self, call: Call) -> Value:
        self._seen = tuple(self._tagged(call, "pending", "running"))
        return sorted(str(i["InstanceId"]) for i in self._seen if _why_left(i) is None)

    def _tagged(self, call: Call, *states: str) -> Iterator[dict[str, Any]]:
        key, _, value = self.target.partition("=")
        return _instances(call, [{"Name": f"tag:{key}", "Values": [value]}, *_in(*states)])

    @override
    def wanted(self, before: Value) -> Value:
        if not before:
            left = "; ".join(sorted({why for i in self._seen if (why := _why_left(i))}))
            raise Conflict(f"no running instance tagged {self.target} may be stopped" + (f": {left}" if left else ""))
        if len(before) > self.given.max_instances:
            raise Conflict(
                f"{len(before)} running instances are tagged {self.target}, and max_instances is "
                f"{self.given.max_instances}: none is stopped; use {len(before)} or more if all of them must stop"
            )
        return []

    @override
    def guard(self, call: Call, change: Change) -> None:
        """One that may not be touched refuses all: whoever gave the tag should look at what else it reaches."""
        for instance in self._seen:
            if _why_left(instance) is None:
                refuse_system(f"instance {instance['InstanceId']}", tags_of(instance))

    @override
    def reach(self, call: Call) -> Reach:
        """Those that are stopped, of all that run in the Region."""
        count = sum(_why_left(i) is None for i in self._seen)
        return Reach(targets=count, of=max(count, sum(1 for _ in _instances(call, _in("pending", "running")))))

    @override
    def write(self, call: Call, value: Value) -> None:
        running = set(self.read(call))
        if stop := sorted(running - set(value)):
            call("ec2", "stop_instances", InstanceIds=stop)
        if start := sorted(set(value) - running):
            call("ec2", "start_instances", InstanceIds=start)

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        stopping = [i for i in self._tagged(call, "stopping") if _why_left(i) is None]
        return f"{len(stopping)} of them are still stopping" if stopping else None

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        region = f"--region {self.place.region}"

        def to(verb: str, ids: str) -> str:
            return f"aws ec2 {verb}-instances {region} --instance-ids {ids}"

        if change:
            ids = " ".join(change.before)
            return Commands(do=(to("stop", ids),), undo=(to("start", ids),))
        key, _, value = self.target.partition("=")
        filters = f"{shlex.quote(f'Name=tag:{key},Values={value}')} Name=instance-state-name,Values=pending,running"
        kept = " || ".join(f'Key==`"{tag}"`' for tag in (STATE_TAG, SYSTEM_TAG, GROUP_TAG))
        free = f"length(not_null(Tags, `[]`)[?{kept}])==`0`"
        stoppable = f'{free} && RootDeviceType==`"ebs"` && InstanceLifecycle!=`"spot"`'
        query = f"Reservations[].Instances[] | [?{stoppable}].InstanceId"
        look = f"aws ec2 describe-instances {region} --filters {filters} --query '{query}' --output text"
        return Commands(look=(f"{keep}=$({look})",), do=(to("stop", f"${keep}"),), undo=(to("start", f"${keep}"),))


def _in(*states: str) -> list[dict[str, Any]]:
    return [{"Name": "instance-state-name", "Values": list(states)}]


def _instances(call: Call, filters: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    more: dict[str, Any] = {}
    while True:
        page = call("ec2", "describe_instances", Filters=filters, **more)
        for reservation in page.get("Reservations", ()):
            yield from reservation["Instances"]
        if not (token := page.get("NextToken")):
            return
        more = {"NextToken": token}


def _why_left(instance: dict[str, Any]) -> str | None:
    """Why this instance is not stopped; None: it may be."""
    tags = tags_of(instance)
    if STATE_TAG in tags:
        return f"{instance['InstanceId']} holds state"
    if GROUP_TAG in tags:
        return f"{instance['InstanceId']} belongs to Auto Scaling group {tags[GROUP_TAG]}: use cap-scaling"
    if instance.get("InstanceLifecycle") == "spot":
        return f"{instance['InstanceId']} is a Spot instance"
    if instance.get("RootDeviceType") == "instance-store":
        return f"{instance['InstanceId']} has its root device on the instance store"
    return None
