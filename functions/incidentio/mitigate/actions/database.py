"""An RDS instance and the cluster it may be a member of (Aurora, or a Multi-AZ DB cluster)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from incidentio.core.errors import NotFound
from incidentio.mitigate.actions.action import Call, Place, Statement
from incidentio.mitigate.actions.recent_metric import recent

NAME = r"[A-Za-z](-?[A-Za-z0-9]){0,62}"


@dataclass(frozen=True)
class Database:
    """`cluster` is None for an instance on its own."""

    instance: Mapping[str, Any]
    cluster: Mapping[str, Any] | None

    @property
    def name(self) -> str:
        return str(self.instance["DBInstanceIdentifier"])

    @property
    def tags(self) -> dict[str, str]:
        every = [*(self.instance.get("TagList") or ()), *((self.cluster or {}).get("TagList") or ())]
        return {tag["Key"]: tag.get("Value", "") for tag in every}

    @property
    def writer(self) -> str | None:
        """The cluster's writer."""
        return next((m["DBInstanceIdentifier"] for m in self._members if m.get("IsClusterWriter")), None)

    @property
    def readers(self) -> list[str]:
        """The cluster's readers, first whom AWS would promote first: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.AuroraHighAvailability.html"""
        found = [m for m in self._members if not m.get("IsClusterWriter")]
        found.sort(key=lambda m: (int(m.get("PromotionTier", 1)), m["DBInstanceIdentifier"]))
        return [str(m["DBInstanceIdentifier"]) for m in found]

    @property
    def standby(self) -> str | None:
        """The zone of an instance's standby, when it has one and is no cluster's member."""
        return self.instance.get("SecondaryAvailabilityZone") if self.instance.get("MultiAZ") else None

    @property
    def _members(self) -> list[Mapping[str, Any]]:
        return list((self.cluster or {}).get("DBClusterMembers") or ())


def described(call: Call, name: str) -> Database:
    """Raises NotFound: there is no such instance."""
    instance = instance_of(call, name)
    cluster = None
    if instance.get("DBClusterIdentifier"):
        found = call("rds", "describe_db_clusters", DBClusterIdentifier=instance["DBClusterIdentifier"])
        cluster = found["DBClusters"][0]
    return Database(instance, cluster)


def instance_of(call: Call, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = call("rds", "describe_db_instances", DBInstanceIdentifier=name)["DBInstances"]
    if not found:
        raise NotFound(f"there is no database {name}")
    return found[0]


def seconds_behind(call: Call, reader: str, engine: str) -> float | None:
    """How far a reader was behind its writer at most in the last minutes; None when nothing was measured.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html
    """
    of_aurora = engine.startswith("aurora")
    metric = "AuroraReplicaLag" if of_aurora else "ReplicaLag"
    measured = recent(call, "AWS/RDS", metric, {"DBInstanceIdentifier": reader})
    if measured is None:
        return None
    return measured[1] / 1000 if of_aurora else measured[1]


def looking(place: Place) -> tuple[Statement, ...]:
    """The rights to describe an instance and its cluster, its events and its measurements."""
    return (
        Statement(actions=("rds:DescribeDBInstances",), resources=(place.arn("rds", "db:*"),)),
        Statement(actions=("rds:DescribeDBClusters",), resources=(place.arn("rds", "cluster:*"),)),
        Statement(actions=("cloudwatch:GetMetricStatistics", "rds:DescribeEvents"), resources=("*",)),
    )
