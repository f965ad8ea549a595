"""The timeline entries of communicate."""

from datetime import datetime
from typing import Any

from incidentio.communicate.pages import Page
from incidentio.communicate.plan import Nobody, repeat_seconds
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.person import SYSTEM
from incidentio.core.routing import Routing


def published(incident: Incident, page: Page, *, subject: str, message_id: str, routing: Routing) -> Change:
    """Somebody was told; a call also starts the clock of its repetition."""
    at = page.published_at or incident.detected_at
    updates: dict[str, Any] = {"repeat_seconds": repeat_seconds(incident, routing)}
    if page.call:
        updates |= {
            "pages": incident.pages + 1,
            "first_paged_at": incident.first_paged_at or at,
            "last_paged_at": at,
            "told_episode": max(incident.told_episode, page.version),
        }
    return recorded(
        incident,
        "PagePublished",
        actor=SYSTEM,
        at=at,
        text=f"told the {page.channel.value} topic: {subject}",
        data={
            "page_id": page.page_id,
            "channel": page.channel.value,
            "event": page.event,
            "call": page.call,
            "n": page.n,
            "severity": incident.severity.value,
            "subject": subject,
            "message_id": message_id,
        },
        **updates,
    )


def skipped(incident: Incident, nobody: Nobody, *, routing: Routing, at: datetime) -> Change:
    """Nobody was told, and why."""
    updates: dict[str, Any] = {"repeat_seconds": repeat_seconds(incident, routing)}
    if nobody.settles:
        updates["told_episode"] = incident.episode
    return recorded(
        incident,
        "NotificationSkipped",
        actor=SYSTEM,
        at=at,
        text=f"nobody was told: {nobody.reason}",
        data={"code": nobody.code, "reason": nobody.reason},
        **updates,
    )
