"""`tag-instance`: write one tag on an EC2 instance, so that people and other automation see what it is."""

import shlex
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator
from typing_extensions import override

from incidentio.mitigate.actions import ec2_instance
from incidentio.mitigate.actions.action import (
    SYSTEM_TAG,
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Statement,
    Value,
)
from incidentio.mitigate.actions.literal import literal


class InstanceTag(Parameters):
    tag: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/=+\-@]{1,127}$", description="name of the tag")]
    value: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/=+\-@ ]{1,255}$", description="its value")]

    @field_validator("tag")
    @classmethod
    def _may_be_written(cls, tag: str) -> str:
        if tag.lower().startswith("aws:") or tag == SYSTEM_TAG:
            raise ValueError(f"{tag} is not a tag a playbook may write: take a name of your own")
        return tag


class TagInstance(ec2_instance.OnInstance[InstanceTag]):
    name = "tag-instance"
    parameters: ClassVar[type[Parameters]] = InstanceTag

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        tag = literal(given.get("tag"), "")
        return (
            Statement(actions=("ec2:DescribeInstances",), resources=("*",)),
            Statement(
                actions=("ec2:CreateTags", "ec2:DeleteTags"),
                resources=(place.arn("ec2", "instance/*"),),
                conditions={"ForAllValues:StringEquals": {"aws:TagKeys": [tag]}} if tag else {},
            ),
        )

    @property
    @override
    def subject(self) -> str:
        return f"tag {self.given.tag} of instance {self.target}"

    @override
    def read(self, call: Call) -> Value:
        return ec2_instance.tags_of(ec2_instance.described(call, self.target)).get(self.given.tag)

    @override
    def wanted(self, before: Value) -> Value:
        return self.given.value

    @override
    def guard(self, call: Call, change: Change) -> None:
        ec2_instance.refuse_our_own(call, self.target)

    @override
    def write(self, call: Call, value: Value) -> None:
        if value is None:
            call("ec2", "delete_tags", Resources=[self.target], Tags=[{"Key": self.given.tag}])
        else:
            call("ec2", "create_tags", Resources=[self.target], Tags=[{"Key": self.given.tag, "Value": value}])

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        where = f"--region {self.place.region} --resources {self.target} --tags"
        delete = f"aws ec2 delete-tags {where} Key={self.given.tag}"

        def create(value: str) -> str:
            return f'aws ec2 create-tags {where} "Key={self.given.tag},Value={value}"'

        do = (create(self.given.value),)
        if change:
            return Commands(do=do, undo=(delete if change.before is None else create(change.before),))
        filters = f"--filters Name=resource-id,Values={self.target} {shlex.quote(f'Name=key,Values={self.given.tag}')}"
        look = f"aws ec2 describe-tags --region {self.place.region} {filters} --query 'Tags[0].Value' --output text"
        return Commands(
            look=(f"{keep}=$({look})",),
            do=do,
            undo=(f'if [ "${keep}" = None ]; then {delete}; else {create(f"${keep}")}; fi',),
        )
