"""Two weighted records of one name in a hosted zone."""

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from infra.cases.estate import Estate

_NAME = "api.shop.example."


class RecordSet(Estate):
    """`primary` and `backup`: their weights. `backup_is` `healthy` or `unhealthy`: it has a health check."""

    values = ("backup", "backup_is", "primary")
    stands_in = ("route53.get_health_check_status",)
    example = "Z0123456789ABCDEFGHIJ/api.shop.example/A"
    named: ClassVar[Mapping[str, str]] = {
        "primary": "primary",
        "backup": "backup",
        "away_from": "primary",
        "to": "backup",
    }

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        route53 = self.aws.client("route53")
        zone = route53.create_hosted_zone(Name="shop.example", CallerReference=self.aws.tag)
        self._zone = str(zone["HostedZone"]["Id"]).removeprefix("/hostedzone/")
        self._health = given.get("backup_is")
        self._check = ""
        if tags:
            route53.change_tags_for_resource(
                ResourceType="hostedzone",
                ResourceId=self._zone,
                AddTags=[{"Key": k, "Value": v} for k, v in tags.items()],
            )
        if self._health:
            check = {"Type": "HTTPS", "FullyQualifiedDomainName": "backup.shop.example"}
            made = route53.create_health_check(CallerReference=self.aws.tag, HealthCheckConfig=check)
            self._check = str(made["HealthCheck"]["Id"])
        for name in ("primary", "backup"):
            self.set(name, given.get(name, 0))

    @property
    @override
    def target(self) -> str:
        return f"{self._zone}/{_NAME.rstrip('.')}/A"

    @override
    def now(self, name: str) -> Any:
        if name == "backup_is":
            return self._health
        records = self.aws.client("route53").list_resource_record_sets(HostedZoneId=self._zone)["ResourceRecordSets"]
        return next(record["Weight"] for record in records if record.get("SetIdentifier") == name)

    @override
    def set(self, name: str, value: Any) -> None:
        record: dict[str, Any] = {
            "Name": _NAME,
            "Type": "A",
            "SetIdentifier": name,
            "Weight": value,
            "TTL": 60,
            "ResourceRecords": [{"Value": "192.0.2.1" if name == "primary" else "192.0.2.2"}],
        }
        if name == "backup" and self._check:
            record["HealthCheckId"] = self._check
        self.aws.client("route53").change_resource_record_sets(
            HostedZoneId=self._zone, ChangeBatch={"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
        )

    def get_health_check_status(self, **_given: Any) -> dict[str, Any]:
        said = "Success: HTTP Status Code 200, OK" if self._health == "healthy" else "Failure: connection timed out"
        checkers = [("us-east-1", "192.0.2.11"), ("eu-west-1", "192.0.2.12"), ("ap-southeast-2", "192.0.2.13")]
        return {
            "HealthCheckObservations": [
                {"Region": region, "IPAddress": address, "StatusReport": {"Status": said}}
                for region, address in checkers
            ]
        }
