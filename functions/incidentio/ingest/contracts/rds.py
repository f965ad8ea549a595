"""RDS: what fails in an instance, a cluster, a proxy or a blue/green deployment, and that it works again.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Events.Messages.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-cloudwatch-events.sample.html

A category is no verdict: "failure" also tells that a key can be read again, and "availability" that a database has been
shut down for lack of storage. So an event is known by its number, and by its category only where that says nothing.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import SignalState
from incidentio.ingest.contracts.aws_event import aws_event, observed, texts
from incidentio.ingest.observation import Ignored, Observation, text_field


class Problem(StrEnum):
    """What goes wrong with one resource; each is a signal of its own."""

    FAILURE = "failure"
    FAILOVER = "failover"
    LOW_STORAGE = "low storage"
    LOW_LOG_VOLUME = "low log volume"
    KEY_INACCESSIBLE = "encryption key inaccessible"
    RESTART_FAILED = "restart failed"
    REPLICATION_STOPPED = "replication stopped"
    GLOBAL_FAILOVER_FAILED = "global failover failed"
    OUTSIDE_SUPPORT = "outside the support perimeter"


CATEGORIES = {"failure": Problem.FAILURE, "low storage": Problem.LOW_STORAGE, "failover": Problem.FAILOVER}
"""What the numbers of a category mean that stand neither here nor in `HARMLESS`."""
FIRING = {
    "RDS-EVENT-0022": Problem.RESTART_FAILED,
    "RDS-EVENT-0045": Problem.REPLICATION_STOPPED,
    "RDS-EVENT-0057": Problem.REPLICATION_STOPPED,  # streaming has been terminated
    "RDS-EVENT-0165": Problem.OUTSIDE_SUPPORT,
    "RDS-EVENT-0187": Problem.GLOBAL_FAILOVER_FAILED,
    "RDS-EVENT-0221": Problem.LOW_STORAGE,  # the database has been shut down
    "RDS-EVENT-0222": Problem.LOW_STORAGE,
    "RDS-EVENT-0223": Problem.LOW_STORAGE,  # autoscaling cannot scale: also 0224 and 0254
    "RDS-EVENT-0224": Problem.LOW_STORAGE,
    "RDS-EVENT-0239": Problem.GLOBAL_FAILOVER_FAILED,
    "RDS-EVENT-0254": Problem.LOW_STORAGE,
    "RDS-EVENT-0330": Problem.LOW_LOG_VOLUME,
    "RDS-EVENT-0331": Problem.LOW_LOG_VOLUME,
    "RDS-EVENT-0418": Problem.KEY_INACCESSIBLE,
    "RDS-EVENT-0419": Problem.KEY_INACCESSIBLE,
}
OVER = {
    "RDS-EVENT-0006": Problem.RESTART_FAILED,
    "RDS-EVENT-0015": Problem.FAILOVER,
    "RDS-EVENT-0017": Problem.LOW_STORAGE,  # storage has been allocated, by a person or (0218) by autoscaling
    "RDS-EVENT-0021": Problem.FAILURE,
    "RDS-EVENT-0046": Problem.REPLICATION_STOPPED,
    "RDS-EVENT-0049": Problem.FAILOVER,
    "RDS-EVENT-0051": Problem.FAILOVER,
    "RDS-EVENT-0053": Problem.FAILURE,
    "RDS-EVENT-0065": Problem.FAILOVER,
    "RDS-EVENT-0071": Problem.FAILOVER,
    "RDS-EVENT-0166": Problem.OUTSIDE_SUPPORT,
    "RDS-EVENT-0185": Problem.GLOBAL_FAILOVER_FAILED,
    "RDS-EVENT-0218": Problem.LOW_STORAGE,
    "RDS-EVENT-0238": Problem.GLOBAL_FAILOVER_FAILED,
    "RDS-EVENT-0246": Problem.FAILURE,  # the blue/green deployment has been deleted
    "RDS-EVENT-0248": Problem.FAILURE,  # its switchover is complete
    "RDS-EVENT-0332": Problem.LOW_LOG_VOLUME,  # the dedicated log volume is disabled
    "RDS-EVENT-0420": Problem.KEY_INACCESSIBLE,
}
HARMLESS = ("RDS-EVENT-0034", "RDS-EVENT-0219", "RDS-EVENT-0220", "RDS-EVENT-0237")
"""A failover that was not even tried, and storage autoscaling that tries again by itself."""

_LESS = (Problem.FAILOVER, Problem.REPLICATION_STOPPED, Problem.OUTSIDE_SUPPORT)
_DATABASES = {":db:": "DBInstanceIdentifier", ":cluster:": "DBClusterIdentifier"}


def read(document: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    detail = event.detail
    arn = text_field(detail, "SourceArn", limit=512)
    name = text_field(detail, "SourceIdentifier", limit=255)
    number = text_field(detail, "EventID", limit=40)
    problem = OVER.get(number) or FIRING.get(number) or _by_category(number, detail.get("EventCategories"))
    if problem is None:
        return Ignored("neither a failure nor the end of one")
    dimension = next((dimension for kind, dimension in _DATABASES.items() if kind in arn), None)
    return observed(
        event,
        attachment,
        source="rds",
        key=f"{arn}#{problem.replace(' ', '-')}",
        state=SignalState.OK if number in OVER else SignalState.FIRING,
        changed_at=event.moment(detail.get("Date")),
        title=f"RDS {name}: {problem}",
        reason=f"{number}: {detail.get('Message') or ''}",
        severity=Severity.SEV2 if dimension and problem not in _LESS else Severity.SEV3,
        resources=texts([arn, name]),
        dimensions={dimension: name} if dimension else {},
    )


def _by_category(number: str, categories: Any) -> Problem | None:
    if number in HARMLESS or not isinstance(categories, list):
        return None
    return next((problem for category, problem in CATEGORIES.items() if category in categories), None)
