"""What every answer of the API is made of, and the answers that stand alone: mapped from the stored record."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from incidentio.core.changes import ChangeRecord
from incidentio.core.ids import iso
from incidentio.core.incident import PostmortemStatus
from incidentio.core.noise import AlarmNoise

Shown = Annotated[datetime, PlainSerializer(iso, return_type=str)]
Next = Annotated[str | None, Field(description="Cursor of the next page; null on the last one.")]


class View(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class ActorView(View):
    id: str
    kind: str


class ChangeView(View):
    """One change of the estate. `reversible` is false where rolling back would break data; `reason` says why."""

    id: str
    source: str
    service: str | None
    environment: str
    at: Shown
    what: str
    status: str
    actor: str
    version: str
    reversible: bool
    reason: str
    resources: list[str]
    url: str


class ChangeList(View):
    items: list[ChangeView]
    next: Next


def change_view(change: ChangeRecord) -> ChangeView:
    return ChangeView.model_validate(change.model_dump())


class PostmortemView(View):
    """`document` is the draft for programs; absent once a reviewed text replaced it."""

    incident_id: str
    status: PostmortemStatus
    key: str
    markdown: str
    document: dict[str, Any] | None


class SwitchView(View):
    scope: str
    on: bool
    reason: str
    by: str | None
    at: str | None


class SwitchList(View):
    items: list[SwitchView]
    next: Next = None


class NoiseReport(View):
    """Per alarm, over incidents that are over. `complete` is false where a day had too many to read."""

    days: int
    since: date
    until: date
    incidents: int
    complete: bool
    totals: dict[str, int]
    items: list[AlarmNoise]
