"""What the app costs: list prices (us-east-1, no free tier) times operations counted or read off the template."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.load.rows import Row, row

USD = {
    "kms_key_month": 1.00,
    "alarm_metric_month": 0.10,
    "custom_metric_month": 0.30,
    "lambda_request": 0.20e-6,
    "lambda_arm_gb_second": 13.3334e-6,
    "sqs_request": 0.40e-6,
    "dynamodb_write_unit": 0.625e-6,
    "dynamodb_read_unit": 0.125e-6,
    "logs_gb": 0.50,
    "eventbridge_event": 1.00e-6,
    "sns_publish": 0.50e-6,
    "kms_request": 3e-6,
    "xray_trace": 5.00e-6,
}
ASSEMBLY = Path("cdk.out")
"""What `make synth` wrote."""
_MINUTES = 60 * 24 * 30.4
_POLLERS = 5  # Lambda keeps five long polls of 20 s open on an idle queue
_NEW_SHARE = 0.001  # of a million signals, this share opens an incident; the rest repeats
_EVENTS_PER_INCIDENT = 8
_LOG_BYTES_PER_INVOCATION = 600
_SWEEP_SECONDS = 0.05
_SWEEP_READ_UNITS = 2.5
_BEATS = _MINUTES / 5
_BEAT = {
    "lambda_request": 8, "sqs_request": 8, "dynamodb_write_unit": 30, "dynamodb_read_unit": 12, "eventbridge_event": 4,
    "sns_publish": 1, "xray_trace": 8, "kms_request": 4, "lambda_arm_gb_second": 8 * 0.05 * 0.75,
    "logs_gb": 8 * _LOG_BYTES_PER_INVOCATION / 1e9,
}  # fmt: skip
"""What one heartbeat asks for: 20 calls to AWS (`tests/unit/trust/test_heartbeat.py`), and what goes with them."""
_INGEST_SECONDS_PER_BATCH = 0.03


def measure(counted: Mapping[str, float], assembly: Path = ASSEMBLY) -> Iterator[Row]:
    """`counted`: rows measured in the same run."""
    yield row("idle_usd_per_month", sum(idle(resources(assembly)).values()))
    yield row("usd_per_million_signals", sum(million(counted).values()))


def idle(deployed: list[dict[str, Any]]) -> dict[str, float]:
    """Monthly cost by what causes it, with no signal at all."""

    def of(type: str) -> list[dict[str, Any]]:
        return [r["Properties"] for r in deployed if r["Type"] == type]

    alarms = sum(max(1, sum("MetricStat" in m for m in a.get("Metrics", []))) for a in of("AWS::CloudWatch::Alarm"))
    sweeps = sum(len(r["Targets"]) for r in of("AWS::Events::Rule") if r.get("ScheduleExpression") == "rate(1 minute)")
    queues = sum("sqs" in json.dumps(m["EventSourceArn"]).lower() or "Queue" in json.dumps(m["EventSourceArn"])
                 for m in of("AWS::Lambda::EventSourceMapping"))  # fmt: skip
    memory = max(f.get("MemorySize", 128) for f in of("AWS::Lambda::Function")) / 1024
    runs = sweeps * _MINUTES
    return {
        "kms": len(of("AWS::KMS::Key")) * USD["kms_key_month"] + runs * USD["kms_request"] / 5,
        "alarms": alarms * USD["alarm_metric_month"],
        "sweeps": runs * (USD["lambda_request"] + _SWEEP_SECONDS * memory * USD["lambda_arm_gb_second"]),
        "table": runs * (USD["dynamodb_write_unit"] + _SWEEP_READ_UNITS * USD["dynamodb_read_unit"]),
        "polling": queues * _POLLERS * 3 * _MINUTES * USD["sqs_request"],
        "logs": runs * _LOG_BYTES_PER_INVOCATION / 1e9 * USD["logs_gb"],
        "heartbeats": USD["custom_metric_month"] + _BEATS * sum(n * USD[what] for what, n in _BEAT.items()),
        # X-Ray records the first invocation of every second, which is each one when nothing happens.
        "traces": runs * USD["xray_trace"],
    }


def million(counted: Mapping[str, float]) -> dict[str, float]:
    """Cost of a million signals that arrive in full batches of ten."""
    signals, batches, new = 1e6, 1e5, 1e6 * _NEW_SHARE
    write_units = signals * counted["write_units_per_duplicate"] + new * counted["write_units_per_new_incident"]
    return {
        "queue": (signals + 2 * batches) * USD["sqs_request"],
        "lambda": batches * (USD["lambda_request"] + _INGEST_SECONDS_PER_BATCH * 0.5 * USD["lambda_arm_gb_second"]),
        "table": write_units * USD["dynamodb_write_unit"],
        "events": new * _EVENTS_PER_INCIDENT * (USD["eventbridge_event"] + 2 * USD["lambda_request"]),
        "pages": new * USD["sns_publish"],
        "logs": batches * _LOG_BYTES_PER_INVOCATION / 1e9 * USD["logs_gb"],
    }


def resources(assembly: Path) -> list[dict[str, Any]]:
    """Every resource of the templates in `assembly`."""
    templates = sorted(assembly.glob("*.template.json"))
    return [r for t in templates for r in json.loads(t.read_text())["Resources"].values()]
