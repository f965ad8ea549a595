"""How a CloudWatch metric was in the last minutes, as one sentence."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from incidentio.mitigate.actions.action import Call

MINUTES = 15


def recent(call: Call, namespace: str, metric: str, dimensions: Mapping[str, str]) -> tuple[float, float] | None:
    """Average and maximum over the last 15 minutes, in the metric's own unit; None when nothing was measured.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """
    now = datetime.now(UTC)
    points = call(
        "cloudwatch",
        "get_metric_statistics",
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(minutes=MINUTES),
        EndTime=now,
        Period=60,
        Statistics=["Average", "Maximum"],
    ).get("Datapoints", ())
    if not points:
        return None
    return sum(p["Average"] for p in points) / len(points), max(p["Maximum"] for p in points)
