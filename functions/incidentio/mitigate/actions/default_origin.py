"""`set-default-origin`: let a CloudFront distribution fetch from another of its origins.

https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html
"""

import shlex
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

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
    Statement,
    Value,
    refuse_system,
)


class Origin(Parameters):
    origin: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,128}$", description="id of an origin or origin group")]


class SetDefaultOrigin(Action[Origin]):
    name = "set-default-origin"
    target_type = "AWS::CloudFront::Distribution"
    target_pattern = r"E[A-Z0-9]{1,31}"
    parameters: ClassVar[type[Parameters]] = Origin

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        names = ("GetDistribution", "GetDistributionConfig", "ListTagsForResource", "UpdateDistribution")
        return (
            Statement(
                actions=tuple(f"cloudfront:{name}" for name in names),
                resources=(f"arn:{place.partition}:cloudfront::{place.account}:distribution/*",),
            ),
        )

    @property
    @override
    def subject(self) -> str:
        return f"origin of the default behaviour of distribution {self.target}"

    @property
    @override
    def resource(self) -> str:
        return f"distribution {self.target}"

    def _found(self, call: Call) -> tuple[dict[str, Any], str]:
        """The configuration, and the version that a change of it must name."""
        answer = call("cloudfront", "get_distribution_config", Id=self.target)
        return answer["DistributionConfig"], answer["ETag"]

    @override
    def read(self, call: Call) -> Value:
        return str(self._found(call)[0]["DefaultCacheBehavior"]["TargetOriginId"])

    @override
    def wanted(self, before: Value) -> Value:
        if before == self.given.origin:
            raise Conflict(f"distribution {self.target} fetches from {before} already")
        return self.given.origin

    @override
    def guard(self, call: Call, change: Change) -> None:
        arn = f"arn:{self.place.partition}:cloudfront::{self.place.account}:distribution/{self.target}"
        tags = call("cloudfront", "list_tags_for_resource", Resource=arn)["Tags"].get("Items", ())
        refuse_system(self.resource, {tag["Key"]: tag.get("Value", "") for tag in tags})
        config, _ = self._found(call)
        known = sorted(
            item["Id"] for kind in ("Origins", "OriginGroups") for item in config.get(kind, {}).get("Items", ())
        )
        if self.given.origin not in known:
            raise Conflict(
                f"distribution {self.target} has no origin {self.given.origin}: it has {', '.join(known)}. "
                "A playbook switches between origins that are there; it adds none"
            )
        if not config["Enabled"]:
            raise Conflict(f"distribution {self.target} is disabled: it serves nobody from any origin")

    @override
    def write(self, call: Call, value: Value) -> None:
        """The whole configuration goes back as it was read; CloudFront refuses it if it changed meanwhile."""
        config, version = self._found(call)
        behavior = {**config["DefaultCacheBehavior"], "TargetOriginId": value}
        call(
            "cloudfront",
            "update_distribution",
            Id=self.target,
            IfMatch=version,
            DistributionConfig={**config, "DefaultCacheBehavior": behavior},
        )

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        status = call("cloudfront", "get_distribution", Id=self.target)["Distribution"]["Status"]
        return None if status == "Deployed" else "it is on its way to the edge locations"

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        get = f"aws cloudfront get-distribution-config --id {self.target}"

        def update(origin: str) -> str:
            program = shlex.quote(".DistributionConfig | .DefaultCacheBehavior.TargetOriginId = $origin")
            config = f'"$({get} | jq -c --arg origin {origin} {program})"'
            version = f'"$({get} --query ETag --output text)"'
            update = f"aws cloudfront update-distribution --id {self.target}"
            return f"{update} --if-match {version} --distribution-config {config}"

        if change:
            return Commands(do=(update(change.after),), undo=(update(change.before),))
        query = "DistributionConfig.DefaultCacheBehavior.TargetOriginId"
        return Commands(
            look=(f"{keep}=$({get} --query {query} --output text)",),
            do=(update(self.given.origin),),
            undo=(update(f'"${keep}"'),),
        )
