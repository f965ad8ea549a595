"""`fail-over-database`: make the standby or a reader take over from a database instance that fails.

The value is what serves writes: the name of the cluster's writer, or the zone of a Multi-AZ instance.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-failover.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.Failover.html
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
from incidentio.mitigate.actions.database import NAME, Database, described, instance_of, looking, seconds_behind

RECENT_MINUTES = 15
"""How long after a failover there is no other. AWS may show the old zone for minutes, and two failovers are none."""


class Failover(Parameters):
    reader: Annotated[str, Field(pattern=rf"^({NAME})?$", description="who takes over; empty: the first that can")] = ""
    max_lag: int = Field(default=10, ge=1, le=3_600, description="seconds that who takes over may be behind")


class FailOverDatabase(Action[Failover]):
    name = "fail-over-database"
    target_type = "AWS::RDS::DBInstance"
    target_pattern = NAME
    parameters: ClassVar[type[Parameters]] = Failover
    one_way = "a failover back is another failover, with another interruption; start it by hand if it is worth that"

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        instances, clusters = place.arn("rds", "db:*"), place.arn("rds", "cluster:*")
        return (
            *looking(place),
            Statement(actions=("rds:RebootDBInstance",), resources=(instances,)),
            Statement(actions=("rds:FailoverDBCluster",), resources=(clusters, instances)),
        )

    @property
    @override
    def subject(self) -> str:
        return f"who serves writes for database {self.target}"

    @property
    @override
    def resource(self) -> str:
        return f"database {self.target}"

    @override
    def read(self, call: Call) -> Value:
        self._seen = described(call, self.target)
        self._behind = self._lags(call, self._seen)
        return self._seen.writer if self._seen.cluster else self._seen.instance.get("AvailabilityZone")

    @staticmethod
    def _lags(call: Call, database: Database) -> dict[str, float | None]:
        """Seconds that each available reader is behind."""
        if database.cluster is None:
            return {}
        engine = str(database.cluster.get("Engine", ""))
        return {
            reader: seconds_behind(call, reader, engine)
            for reader in database.readers
            if instance_of(call, reader).get("DBInstanceStatus") == "available"
        }

    @override
    def wanted(self, before: Value) -> Value:
        if self._seen.cluster is None:
            return self._other_zone()
        if before != self.target:
            raise Conflict(f"{self.resource} does not serve writes, {before} does: fail over from that one")
        return self._next_writer(str(self._seen.cluster["DBClusterIdentifier"]))

    def _other_zone(self) -> str:
        if self.given.reader:
            raise Conflict(f"{self.resource} is no member of a cluster: its standby takes over, and not a reader")
        if not self._seen.standby:
            raise Conflict(
                f"{self.resource} has no standby (it is not Multi-AZ): there is nothing to fail over to. "
                "Promote a read replica or restore by hand"
            )
        return self._seen.standby

    def _next_writer(self, cluster: str) -> str:
        if self.given.reader and self.given.reader not in self._seen.readers:
            known = ", ".join(self._seen.readers) or "none"
            raise Conflict(f"{self.given.reader} is no reader of cluster {cluster}: it has {known}")
        asked = [self.given.reader] if self.given.reader else self._seen.readers
        fit = [r for r in asked if (lag := self._behind.get(r)) is not None and lag <= self.given.max_lag]
        if not fit:
            told = "; ".join(f"{reader} {self._lag(reader)}" for reader in asked) or "it has no reader"
            raise Conflict(
                f"nobody in cluster {cluster} can take over: {told}. Who takes over must be available and at most "
                f"{self.given.max_lag} s behind (max_lag)"
            )
        return fit[0]

    def _lag(self, reader: str) -> str:
        if reader not in self._behind:
            return "is not available"
        lag = self._behind[reader]
        return "is behind, and nobody measured how far" if lag is None else f"is {lag:g} s behind"

    @override
    def guard(self, call: Call, change: Change) -> None:
        database = described(call, self.target)
        refuse_system(self.resource, database.tags)
        what, status = (
            (f"cluster {database.cluster['DBClusterIdentifier']}", database.cluster.get("Status"))
            if database.cluster
            else (self.resource, database.instance.get("DBInstanceStatus"))
        )
        if status != "available":
            raise Conflict(f"{what} is {status}: only one that is available can be failed over")
        self._refuse_another(call, database)

    def _refuse_another(self, call: Call, database: Database) -> None:
        name, kind = (
            (database.cluster["DBClusterIdentifier"], "db-cluster")
            if database.cluster
            else (self.target, "db-instance")
        )
        events = call(
            "rds",
            "describe_events",
            SourceIdentifier=name,
            SourceType=kind,
            Duration=RECENT_MINUTES,
            EventCategories=["failover"],
        ).get("Events", ())
        if events:
            raise Conflict(
                f"{name} failed over in the last {RECENT_MINUTES} minutes ({events[-1]['Message']}): wait, and see "
                "whether it recovers"
            )

    @override
    def write(self, call: Call, value: Value) -> None:
        instance = instance_of(call, self.target)
        if cluster := instance.get("DBClusterIdentifier"):
            call("rds", "failover_db_cluster", DBClusterIdentifier=cluster, TargetDBInstanceIdentifier=value)
        else:
            call("rds", "reboot_db_instance", DBInstanceIdentifier=self.target, ForceFailover=True)

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        database = described(call, self.target)
        if database.cluster:
            status = database.cluster.get("Status")
            return None if status == "available" else f"the cluster is {status}"
        status = database.instance.get("DBInstanceStatus")
        return None if status == "available" else f"it is {status}"

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        name, region = shlex.quote(self.target), f"--region {self.place.region}"
        look = f"aws rds describe-db-instances --db-instance-identifier {name} {region} --output text"
        reader = self.given.reader or (str(change.after) if change and self._of_cluster(change) else "")
        which = f" --target-db-instance-identifier {shlex.quote(reader)}" if reader else ""
        cluster = f'aws rds failover-db-cluster --db-cluster-identifier "${keep}" {region}{which}'
        alone = f"aws rds reboot-db-instance --db-instance-identifier {name} --force-failover {region}"
        return Commands(
            look=(f"{keep}=$({look} --query 'DBInstances[0].DBClusterIdentifier')",),
            do=(f'if [ "${keep}" = None ]; then {alone}; else {cluster}; fi',),
        )

    def _of_cluster(self, change: Change) -> bool:
        return str(change.before) == self.target
