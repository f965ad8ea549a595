"""The timeline entries of communicate."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidentio.communicate.calls import repeat_seconds
from incidentio.communicate.pages import Page
from incidentio.communicate.plan import Nobody
from incidentio.core.ids import iso, moment
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.quiet import INHIBITION, Quiet
from incidentio.core.routing import Routing


def published(
    incident: Incident, page: Page, *, subject: str, message_id: str, routing: Routing, would: Quiet | None = None
) -> Change:
    """Somebody was told; a call also starts the clock of its repetition. `would` only shows itself."""
    at = page.published_at or incident.detected_at
    updates: dict[str, Any] = {"repeat_seconds": repeat_seconds(incident, routing)}
    if page.call:
        updates |= {
            "pages": incident.pages + 1,
            "first_paged_at": incident.first_paged_at or at,
            "last_paged_at": at,
            "told_episode": max(incident.told_episode, page.version),
            "quiet_until": None,
        }
    return recorded(
        incident,
        "PagePublished",
        actor=SYSTEM,
        at=at,
        text=f"told the {page.channel.value} topic: {subject}" + (f". In monitor mode: {would}" if would else ""),
        data={
            "page_id": page.page_id,
            "channel": page.channel.value,
            "event": page.event,
            "call": page.call,
            "n": page.n,
            "severity": incident.severity.value,
            "subject": subject,
            "message_id": message_id,
            **({"would": _by(would)} if would else {}),
        },
        **updates,
    )


def skipped(incident: Incident, nobody: Nobody, *, routing: Routing, at: datetime) -> Change:
    """Nobody was told, and why."""
    updates: dict[str, Any] = {"repeat_seconds": repeat_seconds(incident, routing)}
    if nobody.settles:
        updates["told_episode"] = incident.episode
    if nobody.until:
        updates["quiet_until"] = nobody.until
    quiet = nobody.quiet
    by: Mapping[str, Any] = _by(quiet) if quiet else nobody.by and {"comment": nobody.reason, **nobody.by}
    until = None if quiet else nobody.until
    return recorded(
        incident,
        "NotificationSkipped",
        actor=SYSTEM,
        at=at,
        text=f"nobody was told: {nobody.reason}",
        data={"code": nobody.code, "reason": nobody.reason, **by, **({"until": iso(until)} if until else {})},
        **updates,
    )


def _by(quiet: Quiet) -> dict[str, str]:
    ends = {"ends": quiet.ends} if quiet.ends else {"until": iso(quiet.until)}
    return {"kind": quiet.kind, "quiet": quiet.id, "author": quiet.author, "comment": quiet.reason, **ends}


def quiet_over(incident: Incident, quiet_id: str | None, *, at: datetime) -> Change | None:
    """What it waited for is over. None when it does not wait any more."""
    if incident.quiet_until is None or not incident.is_open:
        return None
    what = f"{quiet_id} has ended" if quiet_id else "the wait is over"
    timed = not (quiet_id and quiet_id.startswith(INHIBITION))
    early = f" before its time, {moment(incident.quiet_until)}" if timed and at < incident.quiet_until else ""
    return recorded(
        incident,
        "QuietEnded",
        actor=SYSTEM,
        at=at,
        text=f"{what}{early}: whoever should know of this is told from now on",
        data={"quiet": quiet_id},
        quiet_until=None,
    )
