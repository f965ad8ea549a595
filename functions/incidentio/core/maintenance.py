"""Maintenance windows: planned work during which nobody is told and nothing starts by itself."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from incidentio.core import recurrence, years
from incidentio.core.duration import Duration
from incidentio.core.matchers import MatcherField
from incidentio.core.signal import Mode
from incidentio.core.silence import refuse_everything

WindowName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Maintenance(BaseModel):
    """One-off (`starts_at`, `ends_at`) or recurring (`rrule`, `duration`, `timezone`).

    Of a recurring window `starts_at` is the first one, which also says the time of day where the rule does not, and
    no window begins at or after `ends_at`; both may be left out. In `mode: monitor` it holds nothing back, and what is
    told says that it would not have been.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: WindowName
    matchers: tuple[MatcherField, ...] = ()
    everything: bool = False
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    rrule: str | None = Field(default=None, max_length=500)
    duration: Duration | None = None
    timezone: str = "UTC"
    author: Said
    reason: Said
    mode: Mode = Mode.LIVE

    @model_validator(mode="after")
    def _complete(self) -> "Maintenance":
        refuse_everything(self.matchers, everything=self.everything)
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValueError("ends_at is not after starts_at")
        if self.rrule is None:
            if self.starts_at is None or self.ends_at is None or self.duration is not None:
                raise ValueError("give starts_at and ends_at, or rrule and duration")
            return self
        recurrence.parts_of(self.rrule)
        if self.duration is None or not timedelta(0) < self.duration <= recurrence.LONGEST:
            raise ValueError("a recurring window needs a duration of more than 0s and at most 14d")
        return self

    def check(self) -> None:
        """What only the calendar can tell: the years, the rule and the time zone. Done where a window is written.

        Raises:
            ValueError: says what is wrong.
        """
        for moment in filter(None, (self.starts_at, self.ends_at)):
            years.in_range(moment)
        if self.rrule is not None:
            recurrence.check(self.rrule, self.timezone, self.starts_at)

    def open_at(self, at: datetime) -> tuple[datetime, datetime] | None:
        """Start and end of the window that is open at `at`; None where none is.

        Raises:
            Unusable: its rule cannot be evaluated.
        """
        if self.rrule and self.duration:
            return recurrence.open_at(
                self.rrule, self.timezone, self.duration, at, begins=self.starts_at, ends=self.ends_at
            )
        if self.starts_at and self.ends_at and self.starts_at <= at < self.ends_at:
            return self.starts_at, self.ends_at
        return None

    def next_start(self, at: datetime) -> datetime | None:
        """When it opens next after `at`.

        Raises:
            Unusable: its rule cannot be evaluated.
        """
        if self.rrule:
            return recurrence.next_start(self.rrule, self.timezone, at, begins=self.starts_at, ends=self.ends_at)
        return self.starts_at if self.starts_at and self.starts_at > at else None

    def over_at(self) -> datetime | None:
        """The moment after which it is never open again; None where there is none."""
        if self.ends_at is None:
            return None
        return self.ends_at + self.duration if self.duration else self.ends_at


class Window(BaseModel):
    """A maintenance window made through the API, `id` first. `ended_by` ended it before its time."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    created_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    ended_by: str | None = None
    maintenance: Maintenance

    def state(self, at: datetime) -> str:
        """`active`, `pending` (it will open), `ended`, or `broken`: its rule cannot be evaluated."""
        if self.ended_at:
            return "ended"
        try:
            if self.maintenance.open_at(at):
                return "active"
            return "pending" if self.maintenance.next_start(at) else "ended"
        except recurrence.Unusable:
            return "broken"
