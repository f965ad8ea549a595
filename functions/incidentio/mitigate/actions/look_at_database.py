"""`look-at-database`: who writes and who reads of a database, how full and how busy it is, and what happened to it."""

import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any, ClassVar

from typing_extensions import override

from incidentio.mitigate.actions.action import Call, Change, Commands, Look, Parameters, Place, Statement
from incidentio.mitigate.actions.database import NAME, Database, described, instance_of, looking, seconds_behind
from incidentio.mitigate.actions.recent_metric import MINUTES, recent

_EVENTS, _EVENT_MINUTES = 10, 180
_GIB = 1024**3

_LOAD: Mapping[str, tuple[str, float, str]] = {
    "CPUUtilization": ("CPU", 1, "%"),
    "DatabaseConnections": ("connections", 1, ""),
    "FreeableMemory": ("free memory", _GIB, "GiB"),
    "DiskQueueDepth": ("requests that wait for the disk", 1, ""),
}
"""Metric → what it is, by what to divide it, its unit."""


class LookAtDatabase(Look[Parameters]):
    name = "look-at-database"
    target_type = "AWS::RDS::DBInstance"
    target_pattern = NAME
    parameters: ClassVar[type[Parameters]] = Parameters

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        both = (place.arn("rds", "cluster:*"), place.arn("rds", "db:*"))
        return (
            *looking(place),
            Statement(actions=("rds:DescribePendingMaintenanceActions",), resources=both),
        )

    @property
    @override
    def subject(self) -> str:
        return f"database {self.target}"

    @override
    def facts(self, call: Call) -> tuple[str, ...]:
        database = described(call, self.target)
        return (
            _what(database),
            *_who(database),
            *self._lag(call, database),
            *self._load(call),
            *self._room(call, database),
            *self._waiting(call, database),
            *self._events(call, database),
        )

    def _lag(self, call: Call, database: Database) -> Iterator[str]:
        if database.cluster:
            engine = str(database.cluster.get("Engine", ""))
            for reader in database.readers:
                status = instance_of(call, reader).get("DBInstanceStatus")
                yield f"reader {reader} is {status}, {_behind(seconds_behind(call, reader, engine))}"
        elif database.instance.get("ReadReplicaSourceDBInstanceIdentifier"):
            engine = str(database.instance.get("Engine", ""))
            source = database.instance["ReadReplicaSourceDBInstanceIdentifier"]
            yield f"it is a replica of {source}, {_behind(seconds_behind(call, self.target, engine))}"
        for replica in database.instance.get("ReadReplicaDBInstanceIdentifiers") or ():
            yield f"it has a read replica, {replica}"

    def _load(self, call: Call) -> Iterator[str]:
        missing = []
        for metric, (what, by, unit) in _LOAD.items():
            measured = recent(call, "AWS/RDS", metric, {"DBInstanceIdentifier": self.target})
            if measured is None:
                missing.append(what)
                continue
            average, most = (f"{number / by:.1f}".removesuffix(".0") for number in measured)
            yield f"{what} {average} {unit}".rstrip() + f" on average, {most} {unit}".rstrip() + " at most"
        if missing:
            yield f"not measured in the last {MINUTES} minutes: {', '.join(missing)}"

    def _room(self, call: Call, database: Database) -> Iterator[str]:
        """Aurora's storage grows by itself."""
        if str(database.instance.get("Engine", "")).startswith("aurora"):
            return
        size = database.instance.get("AllocatedStorage")
        measured = recent(call, "AWS/RDS", "FreeStorageSpace", {"DBInstanceIdentifier": self.target})
        free = "how much is free was not measured" if measured is None else f"{measured[0] / _GIB:.1f} GiB are free"
        grows = database.instance.get("MaxAllocatedStorage")
        yield f"of {size} GiB storage {free}" + (f"; it grows up to {grows} GiB" if grows else "")

    def _waiting(self, call: Call, database: Database) -> Iterator[str]:
        """What changes at the next restart or in the next maintenance window."""
        for parameters in database.instance.get("DBParameterGroups") or ():
            if parameters.get("ParameterApplyStatus") == "pending-reboot":
                yield f"changes of parameter group {parameters['DBParameterGroupName']} wait for a restart"
        if pending := database.instance.get("PendingModifiedValues"):
            yield f"modifications wait: {', '.join(sorted(pending))}"
        arns = [database.instance.get("DBInstanceArn"), (database.cluster or {}).get("DBClusterArn")]
        for arn in filter(None, arns):
            found = call("rds", "describe_pending_maintenance_actions", ResourceIdentifier=arn)
            for resource in found.get("PendingMaintenanceActions", ()):
                for action in resource.get("PendingMaintenanceActionDetails", ()):
                    when = action.get("CurrentApplyDate") or action.get("AutoAppliedAfterDate")
                    at = f" from {when.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if when else ""
                    yield f"maintenance waits: {action.get('Action')}{at}"

    def _events(self, call: Call, database: Database) -> Iterator[str]:
        sources = [("db-instance", self.target)]
        if database.cluster:
            sources.append(("db-cluster", database.cluster["DBClusterIdentifier"]))
        found = [
            event
            for kind, name in sources
            for event in call(
                "rds", "describe_events", SourceType=kind, SourceIdentifier=name, Duration=_EVENT_MINUTES
            ).get("Events", ())
        ]
        found.sort(key=lambda event: event["Date"])
        for event in found[-_EVENTS:]:
            yield f"{event['Date'].astimezone(UTC):%H:%M} UTC {event['SourceIdentifier']}: {event['Message']}"

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        name, region = shlex.quote(self.target), f"--region {self.place.region}"
        parts = "DBInstances[0].[DBInstanceStatus,Engine,DBInstanceClass,MultiAZ,PendingModifiedValues]"
        members = f"\"DBClusters[?DBClusterMembers[?DBInstanceIdentifier=='{self.target}']].DBClusterMembers\""
        events = f"--source-type db-instance --source-identifier {name} --duration {_EVENT_MINUTES}"
        maintenance = "aws rds describe-pending-maintenance-actions"
        return Commands(
            look=(
                f"aws rds describe-db-instances --db-instance-identifier {name} {region} --query '{parts}'",
                f"aws rds describe-db-clusters {region} --query {members}",
                f"aws rds describe-events {events} {region} --query 'Events[].[Date,Message]' --output text",
                f"{maintenance} --filters Name=db-instance-id,Values={name} {region}",
            )
        )


def _what(database: Database) -> str:
    found = database.instance
    version = f"{found.get('Engine')} {found.get('EngineVersion', '')}".rstrip()
    return f"{found.get('DBInstanceStatus')}: {version} on {found.get('DBInstanceClass')}"


def _who(database: Database) -> Iterator[str]:
    if database.cluster:
        cluster = database.cluster
        writes = database.writer == database.name
        other = "" if writes else f"; {database.writer} writes"
        role, status = "the writer" if writes else "a reader", cluster.get("Status")
        yield f"it is {role} of cluster {cluster['DBClusterIdentifier']}, which is {status}{other}"
        if not database.readers:
            yield "the cluster has no reader that could take over"
    elif database.standby:
        yield f"it is in {database.instance.get('AvailabilityZone')}, its standby in {database.standby}"
    else:
        yield "it has no standby"


def _behind(seconds: float | None) -> str:
    return "how far behind was not measured" if seconds is None else f"at most {seconds:g} s behind"
