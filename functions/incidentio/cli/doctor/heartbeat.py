"""Is the sweeper alive? It repeats pages, watches recovery and gives borrowed changes back."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from incidentio.cli.doctor.finding import Finding
from incidentio.cli.output import ago
from incidentio.core.ports import Records

SILENT_AFTER = timedelta(minutes=3)
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
