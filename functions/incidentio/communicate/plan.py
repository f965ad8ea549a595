"""What becomes of an event: what it was, and who is told because of it, or why nobody is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from incidentio.communicate.pages import Page
from incidentio.core.quiet import Quiet


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
    matters; `quiet` is the silence or window that it waits for.
    """

    code: str
    reason: str
    settles: bool = False
    until: datetime | None = None
    quiet: Quiet | None = None


@dataclass(frozen=True)
class Nothing:
    """Nothing to do and nothing to record: it was told already, or something else comes first."""

    reason: str


Plan = Publish | Nobody | Nothing
