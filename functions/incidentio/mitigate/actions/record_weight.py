"""`shift-weight`: move DNS traffic from one weighted Route 53 record to another of the same name.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy-weighted.html
"""

import json
import math
import shlex
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator
from typing_extensions import override

from incidentio.core.errors import Conflict, InvalidInput, NotFound
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

HIGHEST_WEIGHT = 255
TYPES = ("A", "AAAA", "CNAME")
HEALTHY = 0.18
"""Route 53 calls an endpoint healthy when more than this share of its checkers do.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
"""

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")]


class Shift(Parameters):
    source: Identifier = Field(description="set identifier of the record that gets less traffic")
    to: Identifier = Field(description="set identifier of the record that gets it")
    percent: int = Field(default=100, ge=1, le=100, description="how much of the source's weight moves")

    @model_validator(mode="after")
    def _two_records(self) -> "Shift":
        if self.source == self.to:
            raise ValueError(f"source and to are both {self.to}: name two records")
        return self


class ShiftWeight(Action[Shift]):
    """The value is the weight of both records: `{"primary": 100, "backup": 0}`."""

    name = "shift-weight"
    target_type = "AWS::Route53::RecordSet"
    target_pattern = r"Z[A-Z0-9]{1,31}/[A-Za-z0-9_.*-]{1,255}/(A|AAAA|CNAME)"
    parameters: ClassVar[type[Parameters]] = Shift

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        zones, checks = (f"arn:{place.partition}:route53:::{kind}/*" for kind in ("hostedzone", "healthcheck"))
        return (
            Statement(actions=("route53:ListResourceRecordSets", "route53:ListTagsForResource"), resources=(zones,)),
            Statement(
                actions=("route53:ChangeResourceRecordSets",),
                resources=(zones,),
                # https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html
                conditions={
                    "ForAllValues:StringEquals": {
                        "route53:ChangeResourceRecordSetsActions": ["CREATE", "DELETE"],
                        "route53:ChangeResourceRecordSetsRecordTypes": list(TYPES),
                    }
                },
            ),
            Statement(actions=("route53:GetHealthCheckStatus",), resources=(checks,)),
        )

    @property
    def zone(self) -> str:
        return self.target.split("/")[0]

    @property
    def record(self) -> str:
        """The name as Route 53 tells it: with its last dot, and `*` as an octal escape."""
        name = self.target.split("/")[1].lower().rstrip(".") + "."
        return name.replace("*", "\\052")

    @property
    def type(self) -> str:
        return self.target.split("/")[2]

    @property
    @override
    def subject(self) -> str:
        return f"weights of {self.target.split('/')[1]} {self.type}"

    @property
    @override
    def resource(self) -> str:
        name = self.target.split("/")[1]
        return f"pair of weighted records {self.given.source} and {self.given.to} of {name} {self.type} in {self.zone}"

    @override
    def said(self, value: Value) -> str:
        return ", ".join(f"{identifier} {weight}" for identifier, weight in value.items())

    @override
    def read(self, call: Call) -> Value:
        return {identifier: int(record["Weight"]) for identifier, record in self._records(call).items()}

    def _records(self, call: Call) -> dict[str, dict[str, Any]]:
        """Both records, whole.

        Raises:
            NotFound: one of them is not there, or has no weight.
        """
        found = {
            record["SetIdentifier"]: record
            for record in self._of_this_name(call)
            if record.get("SetIdentifier") in (self.given.source, self.given.to) and "Weight" in record
        }
        if len(found) != 2:
            raise NotFound(f"there is no {self.resource}")
        return {identifier: found[identifier] for identifier in (self.given.source, self.given.to)}

    def _of_this_name(self, call: Call) -> Iterator[dict[str, Any]]:
        """Records come sorted by name, so the pages end where another name begins."""
        start: dict[str, Any] = {"StartRecordName": self.record, "StartRecordType": self.type}
        while True:
            page = call("route53", "list_resource_record_sets", HostedZoneId=self.zone, **start)
            for record in page["ResourceRecordSets"]:
                if (record["Name"], record["Type"]) != (self.record, self.type):
                    return
                yield record
            if not page.get("IsTruncated"):
                return
            start = {
                f"Start{name}": page[f"Next{name}"]
                for name in ("RecordName", "RecordType", "RecordIdentifier")
                if f"Next{name}" in page
            }

    @override
    def wanted(self, before: Value) -> Value:
        source, to = before[self.given.source], before[self.given.to]
        if source == 0:
            raise Conflict(f"record {self.given.source} has weight 0 already: there is no traffic to move")
        moved = math.ceil(source * self.given.percent / 100)
        return {self.given.source: source - moved, self.given.to: min(HIGHEST_WEIGHT, to + moved)}

    @override
    def guard(self, call: Call, change: Change) -> None:
        answer = call("route53", "list_tags_for_resource", ResourceType="hostedzone", ResourceId=self.zone)
        tags = answer["ResourceTagSet"].get("Tags", ())
        refuse_system(f"hosted zone {self.zone}", {tag["Key"]: tag.get("Value", "") for tag in tags})
        if check := self._records(call)[self.given.to].get("HealthCheckId"):
            self._must_be_healthy(call, check)

    def _must_be_healthy(self, call: Call, check: str) -> None:
        try:
            seen = call("route53", "get_health_check_status", HealthCheckId=check)["HealthCheckObservations"]
        except InvalidInput:
            return  # a check that follows an alarm or other checks has no observations of its own
        well = sum(o.get("StatusReport", {}).get("Status", "").startswith("Success") for o in seen)
        if seen and well / len(seen) <= HEALTHY:
            raise Conflict(
                f"record {self.given.to} is not healthy ({well} of {len(seen)} checkers of {check} say so): "
                "traffic sent there would be lost"
            )

    @override
    def write(self, call: Call, value: Value) -> None:
        """One batch, all or nothing: a record that changed since it was read is not deleted, so nothing is."""
        changes = [
            {"Action": action, "ResourceRecordSet": record}
            for identifier, now in self._records(call).items()
            if now["Weight"] != value[identifier]
            for action, record in (("DELETE", now), ("CREATE", {**now, "Weight": value[identifier]}))
        ]
        if changes:
            call("route53", "change_resource_record_sets", HostedZoneId=self.zone, ChangeBatch={"Changes": changes})

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        both = f"(SetIdentifier=='{self.given.source}' || SetIdentifier=='{self.given.to}')"
        name = self.record.replace("\\", "\\\\")
        query = f"ResourceRecordSets[?Name=='{name}' && Type=='{self.type}' && {both}]"
        zone = f"--hosted-zone-id {self.zone}"
        look = f"aws route53 list-resource-record-sets {zone} --query {shlex.quote(query)} --output json"

        def weigh(records: str, weight: str) -> str:
            program = f'{weight} | {{Changes: map({{Action: "UPSERT", ResourceRecordSet: .}})}}'
            batch = f'"$({records} | jq -c {shlex.quote(program)})"'
            return f"aws route53 change-resource-record-sets {zone} --change-batch {batch}"

        def to_be(value: Value) -> str:
            return weigh(look, f"map(.Weight = {json.dumps(value)}[.SetIdentifier])")

        if change:
            return Commands(do=(to_be(change.after),), undo=(to_be(change.before),))
        source, to = json.dumps(self.given.source), json.dumps(self.given.to)
        moved = f"(map(select(.SetIdentifier == {source}).Weight) | add * {self.given.percent} / 100 | ceil) as $moved"
        less = f"map(if .SetIdentifier == {source} then .Weight -= $moved else . end"
        more = f"if .SetIdentifier == {to} then .Weight = ([.Weight + $moved, {HIGHEST_WEIGHT}] | min) else . end)"
        return Commands(
            look=(f"{keep}=$({look})",),
            do=(weigh(f'printf %s "${keep}"', f"{moved} | {less} | {more}"),),
            undo=(weigh(f'printf %s "${keep}"', "."),),
        )
