"""Triage rules of `routing.yaml`: what a team says of a signal before anybody looks at it. `core.ruling` tries them."""

import re
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from incidentio.core.errors import InvalidInput
from incidentio.core.matchers import MatcherField, all_match
from incidentio.core.reach import AtLeast
from incidentio.core.severity import Severity, parse_severity
from incidentio.core.signal import Mode

if TYPE_CHECKING:
    from incidentio.core.ruling import Seen

Receiver = Literal["page", "ticket"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


def _severity(value: Any) -> Severity:
    try:
        return parse_severity(str(value))
    except InvalidInput as error:
        raise ValueError(error.message) from None


def _clock(text: str) -> str:
    if not _CLOCK.fullmatch(text):
        raise ValueError(f"{text!r} is not a time of day: write it like 08:30 or 22:00")
    return text


def _timezone(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - only who writes `during` pays for it

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone: write it like Europe/Berlin or UTC") from None
    return name


_RESERVED = frozenset({"alertname", "metric", "namespace", "source", "service", "environment", "severity", "kind"})


def _free(name: str) -> str:
    if name in _RESERVED or name.startswith("dim_"):
        raise ValueError(
            f"{name} is a label the signal has: choose another name, or set {name} itself where that is possible"
        )
    return name


Clock = Annotated[str, AfterValidator(_clock)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Label = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.-]{0,62}$"), AfterValidator(_free)]
Value = Annotated[str, Field(max_length=128)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class During(_Strict):
    """A window of local time. With `to` before `from` it ends on the next day; `days` are those it begins on."""

    days: tuple[Day, ...] = _DAYS
    start: Clock = Field(default="00:00", alias="from")
    end: Clock = Field(default="24:00", alias="to")
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"

    def holds(self, at: datetime) -> bool:
        from zoneinfo import ZoneInfo  # noqa: PLC0415 - only who writes `during` pays for it

        local = at.astimezone(ZoneInfo(self.timezone))
        today, yesterday = _DAYS[local.weekday()], _DAYS[(local - timedelta(days=1)).weekday()]
        now, start, end = local.time().replace(tzinfo=None), _time(self.start), _time(self.end)
        if self.end == "24:00":
            return today in self.days and now >= start
        if start < end:
            return today in self.days and start <= now < end
        return (today in self.days and now >= start) or (yesterday in self.days and now < end)


def _time(text: str) -> time:
    return time.min if text == "24:00" else time.fromisoformat(text)


class Outcome(_Strict):
    """What a rule sets; at least one thing."""

    severity: Annotated[Severity, BeforeValidator(_severity)] | None = None
    service: Name | None = None
    environment: Name | None = None
    labels: dict[Label, Value] = Field(default_factory=dict, max_length=16)
    responders: tuple[Value, ...] = Field(default=(), max_length=10)
    receiver: Receiver | None = None

    @model_validator(mode="after")
    def _sets_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"sets nothing: give at least one of {', '.join(sorted(type(self).model_fields))}")
        return self


class Rule(_Strict):
    """One rule. Without matchers it holds for everything, without `during` at any time.

    `impact`: only where the service and those that depend on it carry at least so much, as the catalogue says.
    In `mode: monitor` it sets nothing, and triage says what it would have set.
    """

    name: Name
    matchers: tuple[MatcherField, ...] = ()
    during: During | None = None
    impact: AtLeast | None = None
    set: Outcome
    mode: Mode = Mode.LIVE

    def holds(self, seen: "Seen", at: datetime) -> bool:
        if self.during is not None and not self.during.holds(at):
            return False
        return all_match(self.matchers, seen.labels) and (self.impact is None or self.impact.reached(seen.reach))


def distinct(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Raises: ValueError: two rules of one name, which no timeline could tell apart."""
    names = [rule.name for rule in rules]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two rules are named {', '.join(twice)}: every rule needs a name of its own")
    return rules


Rules = Annotated[tuple[Rule, ...], AfterValidator(distinct)]
