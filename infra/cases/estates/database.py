"""An Aurora cluster with readers, or an RDS instance on its own with or without a standby.

The emulator knows no standby: that an instance has one, and that a restart with failover swaps the two zones, is
answered here, as https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RebootDBInstance.html tells it.
"""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate

_SECRET = "not-a-secret-here"  # noqa: S105  (of a database that exists on the emulator only)


class Database(Estate):
    """A cluster: `readers` with their lag in ms (`{b: 20}`, null: not measured) and who is `writer` (`a` at first).

    An instance: its `zone` and that of its `standby` (null: none). The target is `a` in any case.
    """

    values = ("readers", "standby", "writer", "zone")
    example = "orders-a"
    namespace, metric = "AWS/RDS", "DatabaseConnections"
    stands_in = ("rds.describe_db_instances", "rds.reboot_db_instance")

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        rds = self._rds
        every = [{"Key": key, "Value": value} for key, value in tags.items()]
        self._zones = [given.get("zone", f"{self.aws.region}a"), given.get("standby")]
        self._readers = given.get("readers")
        if self._readers is None:
            rds.create_db_instance(
                DBInstanceIdentifier=self.target,
                DBInstanceClass="db.r6g.large",
                Engine="mysql",
                AllocatedStorage=100,
                MultiAZ=self._zones[1] is not None,
                MasterUsername="admin",
                MasterUserPassword=_SECRET,
                Tags=every,
            )
            return
        engine = "aurora-postgresql"
        rds.create_db_cluster(
            DBClusterIdentifier=self._cluster,
            Engine=engine,
            MasterUsername="admin",
            MasterUserPassword=_SECRET,
            Tags=every,
        )
        for name in ("a", *self._readers):
            rds.create_db_instance(
                DBInstanceIdentifier=self._name(name),
                DBInstanceClass="db.r6g.large",
                Engine=engine,
                DBClusterIdentifier=self._cluster,
            )
        for name, lag in self._readers.items():
            if lag is not None:
                self._measure(name, lag)
        if given.get("writer", "a") != "a":
            self.set("writer", given["writer"])

    def _measure(self, reader: str, milliseconds: float) -> None:
        self.aws.client("cloudwatch").put_metric_data(
            Namespace="AWS/RDS",
            MetricData=[
                {
                    "MetricName": "AuroraReplicaLag",
                    "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": self._name(reader)}],
                    "Value": milliseconds,
                    "Unit": "Milliseconds",
                }
            ],
        )

    @property
    @override
    def target(self) -> str:
        return self._name("a")

    @property
    @override
    def dimensions(self) -> dict[str, str]:
        return {"DBInstanceIdentifier": self.target}

    @override
    def now(self, name: str) -> Any:
        match name:
            case "readers":
                return self._readers
            case "zone":
                return self._zones[0]
            case "standby":
                return self._zones[1]
        members = self._rds.describe_db_clusters(DBClusterIdentifier=self._cluster)["DBClusters"][0]["DBClusterMembers"]
        return next(m["DBInstanceIdentifier"][-1] for m in members if m["IsClusterWriter"])

    @override
    def set(self, name: str, value: Any) -> None:
        if name != "writer":
            return super().set(name, value)
        self._rds.failover_db_cluster(DBClusterIdentifier=self._cluster, TargetDBInstanceIdentifier=self._name(value))
        return None

    def describe_db_instances(self, **which: Any) -> dict[str, Any]:
        """What the emulator says, with the zones of an instance on its own."""
        found = self._rds.describe_db_instances(**which)["DBInstances"]
        for instance in found:
            if not instance.get("DBClusterIdentifier"):
                instance.pop("DBClusterIdentifier", None)
                zone, standby = self._zones
                instance |= {"AvailabilityZone": zone, **({"SecondaryAvailabilityZone": standby} if standby else {})}
        return {"DBInstances": found}

    def reboot_db_instance(self, DBInstanceIdentifier: str, ForceFailover: bool = False) -> dict[str, Any]:  # noqa: N803
        found = self.describe_db_instances(DBInstanceIdentifier=DBInstanceIdentifier)["DBInstances"][0]
        if ForceFailover:
            self._zones.reverse()
        return {"DBInstance": {**found, "DBInstanceStatus": "rebooting"}}

    @property
    def _rds(self) -> Any:
        return self.aws.client("rds")

    @property
    def _cluster(self) -> str:
        return f"orders-{self.aws.tag}"

    def _name(self, letter: str) -> str:
        return f"{self._cluster}-{letter}"
