"""`incidentio test-page`: one drill through the whole path, timed."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import click

from incidentio.cli import output
from incidentio.cli.client import Api
from incidentio.cli.errors import CallRefusedError
from incidentio.cli.shell import Leaf, Shell, pass_shell
from incidentio.core.duration import parse_duration
from incidentio.core.errors import IncidentioError
from incidentio.core.ids import iso

PAGE_SECONDS = 60.0
_POLL_SECONDS = 0.5
_DEDUP_PREFIX = "incidentio:test-page/"


class NotSeenError(IncidentioError):
    """What should have happened did not, within the time given."""

    code = "not_seen"


@dataclass(frozen=True)
class Report:
    """Seconds from sending the signal. `acknowledged_after` is None when nobody did, or nobody waited."""

    incident_id: str
    opened_after: float
    page_published_after: float
    acknowledged_after: float | None
    acknowledged_by: str | None


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One test page: publishes the signal, follows the incident and tidies up."""

    api: Api
    publish: Callable[[str], None]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Callable[[float], None] = time.sleep

    def run(self, *, acknowledge_within: float, told: Callable[[str], None]) -> Report:
        """Raises NotSeenError when no incident or no page came."""
        token = uuid.uuid4().hex[:12]
        sent = self.clock()
        self.publish(self._signal(token, "firing"))
        incident = self._until(
            lambda: self._incident(token), PAGE_SECONDS, "no incident was opened: see `incidentio doctor`"
        )
        incident_id = str(incident["id"])
        told(f"{incident_id} is open")
        try:
            opened = self._elapsed(sent, incident["detected_at"])
            page = self._until(
                lambda: self._entry(incident_id, "PagePublished"),
                PAGE_SECONDS,
                f"{incident_id} was opened and nobody was paged: incidentio incidents timeline {incident_id}",
            )
            published = self._elapsed(sent, page["at"])
            told(f"page published after {published:.1f} s (to the test topic: it is a drill)")
            acknowledgement = self._acknowledgement(incident_id, acknowledge_within)
            return Report(
                incident_id=incident_id,
                opened_after=opened,
                page_published_after=published,
                acknowledged_after=self._elapsed(sent, acknowledgement["at"]) if acknowledgement else None,
                acknowledged_by=acknowledgement["actor"]["id"] if acknowledgement else None,
            )
        finally:
            self._end(incident_id, token, told)

    def _end(self, incident_id: str, token: str, told: Callable[[str], None]) -> None:
        self.publish(self._signal(token, "ok"))
        try:
            self.api.call("POST", f"/incidents/{incident_id}/cancel", body={"reason": "test"})
        except CallRefusedError as refused:
            told(f"not cancelled: {refused.message}")

    def _signal(self, token: str, state: str) -> str:
        return json.dumps(
            {
                "incidentio": "signal/v1",
                "dedup_key": f"{_DEDUP_PREFIX}{token}",
                "state": state,
                "title": "Test page: nothing is wrong",
                "kind": "drill",
                "severity": "SEV2",
                "changed_at": iso(self.clock()),
                "reason": "incidentio test-page",
            }
        )

    def _incident(self, token: str) -> dict[str, Any] | None:
        drills = self.api.call("GET", "/incidents", query={"status": "open", "kind": "drill"})["items"]
        incidents = (self.api.call("GET", f"/incidents/{card['id']}") for card in drills)
        return next((i for i in incidents if i["dedup_key"] == f"{_DEDUP_PREFIX}{token}"), None)

    def _entry(self, incident_id: str, type: str) -> dict[str, Any] | None:
        entries = self.api.call("GET", f"/incidents/{incident_id}/timeline")["items"]
        return next((entry for entry in entries if entry["type"] == type), None)

    def _acknowledgement(self, incident_id: str, within: float) -> dict[str, Any] | None:
        if not within:
            return None
        try:
            return self._until(lambda: self._entry(incident_id, "IncidentAcknowledged"), within, "nobody acknowledged")
        except NotSeenError:
            return None

    def _until(self, seen: Callable[[], dict[str, Any] | None], seconds: float, otherwise: str) -> dict[str, Any]:
        deadline = self.clock().timestamp() + seconds
        while True:
            if found := seen():
                return found
            if self.clock().timestamp() > deadline:
                raise NotSeenError(f"waited {seconds:g} s: {otherwise}")
            self.pause(_POLL_SECONDS)

    def _elapsed(self, sent: datetime, at: str) -> float:
        # Two clocks: what AWS wrote is not earlier than the signal, and not later than now.
        seconds = (datetime.fromisoformat(at) - sent).total_seconds()
        return round(min(max(seconds, 0.0), (self.clock() - sent).total_seconds()), 3)


@click.command("test-page", cls=Leaf)
@click.option("--wait", metavar="DURATION", help="Wait this long (such as 5m) for somebody to acknowledge.")
@pass_shell
def test_page(shell: Shell, wait: str | None) -> None:
    """Send one drill through the whole path and say how long the page took.

    With --wait it exits 1 when nobody acknowledged in time.
    """
    try:
        seconds = parse_duration(wait).total_seconds() if wait else 0.0
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    topic, sns = shell.deployment.output("SignalTopicArn"), shell.deployment.client("sns")
    drill = Drill(api=shell.api, publish=lambda body: sns.publish(TopicArn=topic, Message=body))
    report = drill.run(acknowledge_within=seconds, told=output.say)
    if shell.as_json:
        output.emit_json(asdict(report))
    else:
        output.emit_line(
            f"{report.incident_id}: incident after {report.opened_after:.1f} s, page published after "
            f"{report.page_published_after:.1f} s, {_acknowledged(report, seconds)}"
        )
    if seconds and report.acknowledged_after is None:
        raise click.exceptions.Exit(1)


def _acknowledged(report: Report, waited: float) -> str:
    if report.acknowledged_after is not None:
        return f"acknowledged after {report.acknowledged_after:.1f} s by {report.acknowledged_by}"
    return f"not acknowledged within {waited:g} s" if waited else "not waited for an acknowledgement (--wait 5m)"
