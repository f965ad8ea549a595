"""Is it alive? The sweepers leave a sign of life, and heartbeats go the whole way from the queue to a topic."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from incidentio.cli.doctor.finding import Finding
from incidentio.cli.output import ago
from incidentio.core.heartbeat import ARRIVED
from incidentio.core.ports import Records

SILENT_AFTER = timedelta(minutes=3)
LATE_AFTER = timedelta(seconds=3)
"""Of each second between two heartbeats: three of them are missing."""
_SWEEPERS = ("communicate", "detect", "mitigate")


def check_heartbeats(records: Records, *, now: datetime, rule: str) -> Iterator[Finding]:
    """Each sweeper has left a heartbeat less than three minutes ago."""
    beats = {key.sk: str(body["at"]) for key, body in records.query("BEAT")}
    for name in sorted({*_SWEEPERS, *beats}):
        yield _heartbeat(name, beats.get(name), now, rule)


def _heartbeat(name: str, at: str | None, now: datetime, rule: str) -> Finding:
    check = f"{name} sweep"
    if at is None:
        return Finding(check, "fail", "has never run", f"aws events describe-rule --name {rule}: is it enabled?")
    if now - datetime.fromisoformat(at) > SILENT_AFTER:
        return Finding(
            check,
            "fail",
            f"was last seen {ago(at, now)} ago",
            f"aws events describe-rule --name {rule}; then the errors of the {name} function in CloudWatch Logs",
        )
    return Finding(check, "ok", f"ran {ago(at, now)} ago")


def check_delivery(records: Records, *, now: datetime) -> Iterator[Finding]:
    """A heartbeat came through lately, and how long it took."""
    last = records.get(ARRIVED)
    look = "incidentio dlq list; then the errors of ingest, publisher, triage and communicate in CloudWatch Logs"
    if last is None:
        yield Finding("heartbeat", "fail", "none has come through yet; the first is sent with the first sweep", look)
        return
    at = str(last["at"])
    what = f"the last came through {ago(at, now)} ago, {last['seconds']:g} s after it was sent"
    late = now - datetime.fromisoformat(at) > LATE_AFTER * int(last["every_seconds"])
    yield Finding("heartbeat", "fail" if late else "ok", what, look if late else "")
