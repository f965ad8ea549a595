"""How a CloudWatch metric went over the last hours, in steps of five minutes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from incidentio.mitigate.actions.action import Call

STEP = timedelta(minutes=5)


@dataclass(frozen=True)
class Series:
    """The value of each step, with its start. `now` is when it was read."""

    points: tuple[tuple[datetime, float], ...]
    now: datetime

    def between(self, start: timedelta, end: timedelta = timedelta()) -> list[float]:
        """Values of the steps that began from `start` ago until `end` ago."""
        return [value for at, value in self.points if self.now - start <= at < self.now - end]


def series(
    call: Call,
    namespace: str,
    metric: str,
    dimensions: Mapping[str, str],
    statistic: Literal["Sum", "Maximum", "SampleCount"],
    *,
    over: timedelta,
) -> Series:
    """The metric over the time until now, in its own unit. What was never measured has no points."""
    points, now = datapoints(call, namespace, metric, dimensions, (statistic,), over=over, step=STEP)
    return Series(tuple(sorted((point["Timestamp"], float(point[statistic])) for point in points)), now)


def datapoints(
    call: Call,
    namespace: str,
    metric: str,
    dimensions: Mapping[str, str],
    statistics: Sequence[str],
    *,
    over: timedelta,
    step: timedelta,
) -> tuple[Sequence[Mapping[str, Any]], datetime]:
    """What was measured over the time until now, in no order, and that now.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """
    now = datetime.now(UTC)
    answer = call(
        "cloudwatch",
        "get_metric_statistics",
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - over,
        EndTime=now,
        Period=int(step.total_seconds()),
        Statistics=list(statistics),
    )
    return answer.get("Datapoints", ()), now
