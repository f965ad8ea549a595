"""`protect-from-termination`: nobody ends an EC2 instance by mistake, and its disks with it.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingDisableAPITermination.html
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from incidentio.mitigate.actions import ec2_instance
from incidentio.mitigate.actions.action import Call, Change, Commands, Parameters, Place, Statement, Value


class Protection(Parameters):
    protect: Literal["yes", "no"] = Field(default="yes", description="no skips the step")


class ProtectFromTermination(ec2_instance.OnInstance[Protection]):
    name = "protect-from-termination"
    parameters: ClassVar[type[Parameters]] = Protection

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        instances = place.arn("ec2", "instance/*")
        return (
            Statement(actions=("ec2:DescribeInstances",), resources=("*",)),
            Statement(actions=("ec2:DescribeInstanceAttribute",), resources=(instances,)),
            Statement(
                actions=("ec2:ModifyInstanceAttribute",),
                resources=(instances,),
                # The same call rewrites user data, which runs as root: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
                conditions={"StringEqualsIgnoreCase": {"ec2:Attribute": "disableApiTermination"}},
            ),
        )

    @override
    def skipped(self) -> str | None:
        return "termination protection was not asked for" if self.given.protect == "no" else None

    @property
    @override
    def subject(self) -> str:
        return f"termination protection of instance {self.target}"

    @override
    def said(self, value: Value) -> str:
        return "on" if value else "off"

    @override
    def read(self, call: Call) -> Value:
        answer = call("ec2", "describe_instance_attribute", InstanceId=self.target, Attribute="disableApiTermination")
        return bool(answer["DisableApiTermination"]["Value"])

    @override
    def wanted(self, before: Value) -> Value:
        return True

    @override
    def guard(self, call: Call, change: Change) -> None:
        ec2_instance.refuse_our_own(call, self.target)

    @override
    def write(self, call: Call, value: Value) -> None:
        call("ec2", "modify_instance_attribute", InstanceId=self.target, DisableApiTermination={"Value": bool(value)})

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        where = f"--instance-id {self.target} --region {self.place.region}"
        modify = f"aws ec2 modify-instance-attribute {where}"
        do, undo = f"{modify} --disable-api-termination", f"{modify} --no-disable-api-termination"
        if change:
            return Commands(do=(do,), undo=() if change.before else (undo,))
        query = "--attribute disableApiTermination --query DisableApiTermination.Value --output text"
        return Commands(
            look=(f"{keep}=$(aws ec2 describe-instance-attribute {where} {query})",),
            do=(do,),
            undo=(f'if [ "${keep}" = False ]; then {undo}; fi',),
        )
