"""Deep links into the AWS console: the alarm, its metric, traces and logs at the time of the incident.

The console's addresses are not an API. What is used here: the domain of each partition (AWS, GovCloud, China); objects
behind `~(` in jsurl notation, where a character is `*` and its code in hexadecimal; and in Logs Insights the same
percent-encoded twice, with `$` for `%`. Where we know no console (isolated partitions), there are no links.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from incidentio.core.ids import iso
from incidentio.core.signal import Subject

_DOMAINS = {"us-gov": "console.amazonaws-us-gov.com", "cn": "console.amazonaws.cn"}
_BEFORE = timedelta(minutes=30)
_AFTER = timedelta(minutes=30)
_QUERY = (
    "fields @timestamp, @message, @logStream\n| filter @message like /(?i)(error|exception|fail|timeout)/\n| limit 200"
)
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")


def console_links(
    subject: Subject, *, since: datetime, until: datetime, traces: tuple[str, ...] = ()
) -> dict[str, str]:
    """`alarm`, `metrics`, `logs` and `traces`, each where the subject names what it needs.

    `since` is when the impact began and `until` when it ended, or now; half an hour around is shown as well.
    """
    if not subject.region or (base := _base(subject.region)) is None:
        return {}
    start, end = iso(since - _BEFORE), iso(until + _AFTER)
    links = {}
    if subject.alarm_name:
        links["alarm"] = f"{base}#alarmsV2:alarm/{quote(subject.alarm_name, safe='')}"
    if subject.metric and subject.namespace:
        links["metrics"] = f"{base}#metricsV2:graph={_jsurl(_graph(subject, start, end))}"
    if group := log_group(subject.dimensions):
        links["logs"] = f"{base}#logsV2:logs-insights$3FqueryDetail$3D{_twice(_jsurl(_insights(group, start, end)))}"
    if traces:
        links["traces"] = f"{base}#xray:traces/{quote(traces[0], safe='')}"
    elif subject.namespace in _TRACED:
        query = {"query": {}, "context": {"timeRange": {"start": start, "end": end}}}
        links["traces"] = f"{base}#xray:traces/query?{_jsurl(query)}"
    return links


_TRACED = frozenset({"AWS/Lambda", "AWS/ApiGateway", "AWS/ECS", "AWS/X-Ray", "AWS/States", "AWS/AppRunner"})
"""Namespaces of what can send traces to X-Ray by a setting."""


def log_group(dimensions: Mapping[str, str]) -> str | None:
    """The log group AWS gives to what the dimensions name: a function's, or a cluster's Container Insights."""
    if function := dimensions.get("FunctionName"):
        return f"/aws/lambda/{function}"
    if cluster := dimensions.get("ClusterName"):
        return f"/aws/ecs/containerinsights/{cluster}/performance"
    return None


def _base(region: str) -> str | None:
    if region.startswith(("us-iso", "eu-iso")):
        return None
    special = next((domain for prefix, domain in _DOMAINS.items() if region.startswith(prefix + "-")), None)
    return f"https://{region}.{special or 'console.aws.amazon.com'}/cloudwatch/home?region={region}"


def _graph(subject: Subject, start: str, end: str) -> dict[str, Any]:
    dimensions = [part for pair in sorted(subject.dimensions.items()) for part in pair]
    return {
        "view": "timeSeries",
        "stacked": False,
        "metrics": [[subject.namespace, subject.metric, *dimensions]],
        "region": subject.region,
        "start": start,
        "end": end,
    }


def _insights(group: str, start: str, end: str) -> dict[str, Any]:
    return {
        "end": end,
        "start": start,
        "timeType": "ABSOLUTE",
        "tz": "UTC",
        "editorString": _QUERY,
        "isLiveTail": False,
        "source": [group],
    }


def _jsurl(value: Any) -> str:
    """jsurl: `~(key~'text~other~(~'in~'a~'list))`."""
    return f"~{_value(value)}"


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Mapping():
            return "(" + "~".join(f"{name}~{_value(inner)}" for name, inner in value.items()) + ")"
        case list():
            return "(" + "".join(f"~{_value(inner)}" for inner in value) + ")"
    return "'" + "".join(_character(c) for c in str(value))


def _character(c: str) -> str:
    if c in _PLAIN:
        return c
    return f"*{ord(c):02x}" if ord(c) < 256 else f"**{ord(c):04x}"


def _twice(text: str) -> str:
    """Percent-encoded once as an escaped string (which leaves `*`), once as a component, and `$` for `%`."""
    once = quote(text, safe="*").replace("~", "%7E")  # which Python's quote leaves alone
    return quote(once, safe="*").replace("%", "$")
