"""The kinds of alarm: metric, composite and log alarms. `DescribeAlarms` tells only of those it is asked for.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

_ANSWERED = ("MetricAlarms", "CompositeAlarms", "LogAlarms")


def alarm_types(client: Any) -> list[str]:
    """All `AlarmTypes` that the API model of this CloudWatch client knows: the one of the runtime may be older."""
    return list(client.meta.service_model.shape_for("AlarmType").enum)


def alarms_in(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The alarms of one answer (or page) of `DescribeAlarms`, of every kind."""
    for kind in _ANSWERED:
        yield from answer.get(kind, ())
