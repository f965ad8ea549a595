"""Structured log lines and metrics on standard output, without the import cost of a logging library.

Metrics are CloudWatch Embedded Metric Format
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html):
CloudWatch reads them out of the log, no call is made.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from incidentio.core.errors import IncidentioError
from incidentio.core.redaction import redact

_RANK = {"DEBUG": 0, "INFO": 1, "WARNING": 2, "ERROR": 3, "CRITICAL": 4}


def log(message: str, *, level: str = "INFO", **fields: Any) -> None:
    """One line of JSON, from LOG_LEVEL up; fields that are None are left out. Never pass a payload."""
    if _RANK[level] < _RANK.get(os.environ.get("LOG_LEVEL", "INFO"), 1):
        return
    line = {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "level": level,
        "service": _service(),
        "message": message,
        **{name: value for name, value in fields.items() if value is not None},
    }
    print(json.dumps(line, default=str), file=sys.stdout)


def told(error: Exception) -> dict[str, str]:
    """What may be logged of an error: our own messages are written for that, others may quote data."""
    found = {"error": type(error).__name__}
    return {**found, "detail": redact(error.message, limit=500)} if isinstance(error, IncidentioError) else found


def count(counts: Mapping[str, int]) -> None:
    """Emit each non-zero count as a metric of this function's service."""
    if emitted := {name: value for name, value in counts.items() if value}:
        _emit(emitted, unit="Count")


def measure(name: str, value: float, *, unit: str, **dimensions: str) -> None:
    """Emit one value, zero too; `unit` is one of CloudWatch's. `dimensions` come beside the service."""
    _emit({name: value}, unit=unit, **dimensions)


def _emit(values: Mapping[str, float], *, unit: str, **dimensions: str) -> None:
    directive = {
        "Namespace": os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "incidentio"),
        "Dimensions": [["service", *dimensions]],
        "Metrics": [{"Name": name, "Unit": unit} for name in values],
    }
    line = {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        "service": _service(),
        **dimensions,
        **values,
    }
    print(json.dumps(line), file=sys.stdout)


def _service() -> str:
    return os.environ.get("POWERTOOLS_SERVICE_NAME", "incidentio")
