"""What deciding about a message needs, read cheaply; the whole signal is built only when it is news."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from incidentio.core.errors import InvalidInput
from incidentio.core.ids import iso
from incidentio.core.redaction import redact
from incidentio.core.severity import Severity, parse_severity
from incidentio.core.signal import Kind, Mode, Signal, SignalState

if TYPE_CHECKING:
    from incidentio.core.changes import ChangeRecord  # its module is imported only where a change comes in

ALARM_STATES = {"ALARM": SignalState.FIRING, "OK": SignalState.OK, "INSUFFICIENT_DATA": SignalState.NOTE}

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""Controls, line breaks, what turns the direction of reading, and blanks of no width; the joiners of emoji are none."""
_OLDEST = 2000
_CLOCK_SKEW = timedelta(minutes=15)

_PLAIN_UTC = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(?:\+0000|\+00:00|Z)")


class Unreadable(InvalidInput):
    """The message will never be understood: it belongs in the dead-letter queue, with this as its reason."""

    code = "unreadable"


@dataclass(frozen=True, slots=True)
class Observation:
    """One message, as far as deciding needs it.

    `changed_at` is UTC text that sorts by time. `build` makes the redacted Signal, given when it was received.
    `severity` is what the message itself says, where its source may raise it while it goes on firing.
    """

    dedup_key: str
    state: SignalState
    changed_at: str
    mode: Mode
    build: Callable[[datetime], Signal]
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that is understood and never becomes an incident."""

    why: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of the estate, and the signal where the same message says that it failed, or that it works again."""

    record: "ChangeRecord"
    signal: Observation | None = None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody behind an integration takes what it signalled under `dedup_key`. `at`: when we were told, as text."""

    dedup_key: str
    integration: str
    at: str


@dataclass(frozen=True, slots=True)
class Released:
    """Something that inhibited members of this incident is ok: they are looked at again."""

    incident_id: str


Found = Observation | Ignored | Changed | Acknowledgement | Released


def given_mode(event: Mapping[str, Any]) -> tuple[Mode, str] | None:
    """Mode and reason that we ourselves put beside `detail`, where nothing that comes over a bus can.

    Raises:
        Unreadable: it is there and is none.
    """
    given = event.get("incidentio")
    if given is None:
        return None
    try:
        return Mode(given["mode"]), str(given["reason"])
    except (KeyError, TypeError, ValueError):
        raise Unreadable("incidentio is not {mode, reason}") from None


def instant(text: Any) -> str:
    """A source's timestamp as sortable UTC text with milliseconds.

    Raises:
        Unreadable: not an ISO 8601 time with an offset.
    """
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None:
        raise Unreadable(f"{redact(str(text), limit=60)!r} is not a time with an offset")
    plain = _PLAIN_UTC.fullmatch(text)
    return f"{plain[1]}Z" if plain and at.year >= _OLDEST else iso(as_utc(at))


def as_utc(at: datetime) -> datetime:
    """Raises: Unreadable: a year in which no alarm fires, or with which one cannot count."""
    try:
        utc = at.astimezone(UTC)
    except OverflowError:
        utc = None
    if utc is None or utc.year < _OLDEST:
        raise Unreadable(f"{at.isoformat()} is too far from today")
    return utc


def not_of_the_future(observation: Observation, now: datetime) -> Observation:
    """The observation itself.

    Raises:
        Unreadable: its state changed in the future: as a fence it would shut out what is real.
    """
    if observation.changed_at > iso(now + _CLOCK_SKEW):
        raise Unreadable(f"its state changed at {observation.changed_at}, which is in the future")
    return observation


def safe(text: str, name: str) -> str:
    """`text`, which names something and so cannot be made inert: control characters are no part of a name.

    Raises:
        Unreadable: it has some, or is not Unicode.
    """
    if _UNSAFE.search(text):
        raise Unreadable(f"{name} holds control or invisible characters, or is not Unicode")
    return text


def text_field(document: Mapping[str, Any], name: str, *, limit: int = 1024) -> str:
    """A required, non-empty text.

    Raises:
        Unreadable: missing, empty, too long or another type.
    """
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"{name} is missing or not a text")
    if len(value) > limit:
        raise Unreadable(f"{name} is longer than {limit} characters")
    return safe(value, name)


def object_field(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A required object; same errors as `text_field`."""
    value = document.get(name)
    if not isinstance(value, dict):
        raise Unreadable(f"{name} is missing or not an object")
    return value


def as_object(value: Any) -> Mapping[str, Any]:
    """The object, or an empty one: for what a document may leave out."""
    return value if isinstance(value, dict) else {}


def pairs(items: Any) -> dict[str, str]:
    """Names and values, as an object or as a list of pairs, which AWS writes in either case."""
    if isinstance(items, dict):
        return {str(k): str(v) for k, v in items.items()}
    found = {}
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            low = {str(k).lower(): v for k, v in item.items()}
            name = low.get("name", low.get("key"))
            if name is not None:
                found[str(name)] = str(low.get("value", ""))
    return found


def severity_tag(tags: Mapping[str, str]) -> Severity | None:
    """What the tag `incidentio:severity` or `severity` says; None when it says nothing we know."""
    try:
        return parse_severity(tags.get("incidentio:severity") or tags.get("severity") or "")
    except InvalidInput:
        return None


def kind_tag(tags: Mapping[str, str]) -> Kind:
    """What the tag `incidentio:kind` says; anything unknown is real."""
    try:
        return Kind(tags.get("incidentio:kind", ""))
    except ValueError:
        return Kind.REAL
