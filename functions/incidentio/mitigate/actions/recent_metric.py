"""How a CloudWatch metric was in the last minutes, as one sentence."""

from collections.abc import Mapping
from datetime import timedelta

from incidentio.mitigate.actions.action import Call
from incidentio.mitigate.actions.metric_series import datapoints

MINUTES = 15


def recent(call: Call, namespace: str, metric: str, dimensions: Mapping[str, str]) -> tuple[float, float] | None:
    """Average and maximum over the last 15 minutes, in the metric's own unit; None when nothing was measured."""
    over, step = timedelta(minutes=MINUTES), timedelta(minutes=1)
    points, _ = datapoints(call, namespace, metric, dimensions, ("Average", "Maximum"), over=over, step=step)
    if not points:
        return None
    return sum(p["Average"] for p in points) / len(points), max(p["Maximum"] for p in points)
