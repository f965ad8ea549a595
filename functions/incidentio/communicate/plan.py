"""What becomes of an event: what it was, and who is told because of it, or why nobody is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from incidentio.communicate.pages import Page
from incidentio.core.incident import Incident
from incidentio.core.quiet import Quiet
from incidentio.core.signal import Mode


@dataclass(frozen=True)
class Event:
    """What happened, if something did: the sweep comes without one."""

    type: str
    version: int
    seq: int
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Publish:
    pages: tuple[Page, ...]


@dataclass(frozen=True)
class Nobody:
    """Nobody is told, and the timeline says why, once per `code` and version.

    `settles`: nobody will be told of this episode of impact. `until`: a call waits until then, and is made if it still
    matters; `quiet` is the silence or window that it waits for. Where something else holds it back, `by` says whose
    rule that is (`author`), why (`comment`; else it is the reason) and until when, in words (`ends`).
    """

    code: str
    reason: str
    settles: bool = False
    until: datetime | None = None
    quiet: Quiet | None = None
    by: Mapping[str, Any] = field(default_factory=dict)


def only_watched(incident: Incident, code: str, reason: str, *, settles: bool = False) -> Nobody:
    """What a live incident would have told, and who makes it one: a route in monitor mode, a threshold, or nobody."""
    author, ends = "routing.yaml", "when its route is live"
    if incident.held_for:
        ends = f"when {incident.held_for} signals of its group have fired"
    elif incident.mode is Mode.MONITOR:
        author, ends = "system", "when it is attached or tagged, or its service is in the catalogue"
    return Nobody(code, reason, settles=settles, by={"author": author, "ends": ends})


@dataclass(frozen=True)
class Nothing:
    """Nothing to do and nothing to record: it was told already, or something else comes first."""

    reason: str


Plan = Publish | Nobody | Nothing
