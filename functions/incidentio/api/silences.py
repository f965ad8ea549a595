"""Silences over the API: what a request may say, what is kept, and what the answer shows."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from incidentio.api import texts
from incidentio.api.calls import Api, Call, reused
from incidentio.api.requests import Body, Moment, Text
from incidentio.api.views import Next, Shown, View
from incidentio.core import quiet
from incidentio.core.duration import parse_duration
from incidentio.core.errors import InvalidInput, NotFound
from incidentio.core.ids import base32_of, random_base32
from incidentio.core.maintenance import Window
from incidentio.core.matchers import Matcher, parse_matcher
from incidentio.core.ports import Refused
from incidentio.core.redaction import redact
from incidentio.core.signal import Mode
from incidentio.core.silence import Silence, refuse_everything

LONGEST = timedelta(days=366)
_COMMENT_BYTES = 500

MatcherText = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Matchers = Annotated[
    list[MatcherText],
    Field(max_length=20, description='Alertmanager\'s: `service="checkout"`, `=~`, `!=`, `!~`; all must hold.'),
]
RuleMode = Annotated[
    Mode, Field(description="`monitor` holds nothing back: what is told says that it would not have been.")
]
Everything = Annotated[bool, Field(description="Must be true where the matchers match every incident.")]


class NewSilence(Body):
    """Until `ends_at`, or for `duration` (such as 2h) from its start; an hour where neither is given."""

    matchers: Matchers = Field(default_factory=list)
    everything: Everything = False
    comment: Text
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    duration: Annotated[str, StringConstraints(max_length=40)] | None = None
    mode: RuleMode = Mode.LIVE


class SilenceView(View):
    id: str
    state: Literal["pending", "active", "expired"]
    mode: Mode
    matchers: list[str]
    author: str
    comment: str
    starts_at: Shown
    ends_at: Shown
    created_at: Shown
    ended_by: str | None


class SilenceList(View):
    items: list[SilenceView]
    next: Next = None


def create(api: Api, call: Call, wanted: NewSilence) -> Silence:
    """Keep a new silence; the same `Idempotency-Key` again is the same silence.

    Raises:
        InvalidInput: a matcher, the times or the comment are wrong, or it would match every incident.
        Conflict: the key belongs to another request, or there are too many already.
    """
    matchers = matchers_of(wanted.matchers, everything=wanted.everything)
    starts_at = max(wanted.starts_at or call.at, call.at)
    if wanted.ends_at and wanted.duration:
        raise InvalidInput("give ends_at or duration, not both", field="duration")
    lasts = wanted.ends_at - starts_at if wanted.ends_at else _duration(wanted.duration or "1h")
    if lasts > LONGEST:
        raise InvalidInput("a silence lasts at most a year: set the alarm or its route right instead", field="ends_at")
    ends_at = starts_at + lasts
    if ends_at <= starts_at:
        raise InvalidInput(f"ends_at {ends_at.isoformat()} is over, or not after starts_at", field="ends_at")
    made = Silence(
        id=new_id("SIL", call.key),
        matchers=matchers,
        everything=wanted.everything,
        author=call.actor.id,
        comment=redact(texts.required(wanted.comment, field="comment"), limit=_COMMENT_BYTES),
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=call.at,
        mode=wanted.mode,
    )
    kept = keep(api, call, made)
    if not isinstance(kept, Silence):
        raise reused()
    return kept


def listed(api: Api, *, everything: bool) -> list[Silence]:
    """Those that hold or will; or all of the last 90 days. The latest to end first."""
    found = [s for s in quiet.all_kept(api.table, "SIL-") if isinstance(s, Silence)]
    wanted = [s for s in found if everything or s.state(api.clock()) != "expired"]
    return sorted(wanted, key=lambda s: (s.ends_at, s.id), reverse=True)


def expire(api: Api, call: Call, silence_id: str) -> Silence:
    """End it now. Ending it twice is ending it once.

    Raises:
        NotFound: there is no such silence.
    """
    id = silence_id.strip().upper()
    ended = quiet.end(api.table, id, by=call.actor.id, at=call.at)
    if not isinstance(ended, Silence):
        raise NotFound(f"{id[:40]} is a maintenance window: end it as one")
    return ended


def view(silence: Silence, api: Api) -> SilenceView:
    kept = {"id", "mode", "author", "comment", "starts_at", "ends_at", "created_at", "ended_by"}
    return SilenceView.model_validate(
        {
            **silence.model_dump(include=kept),
            "matchers": [str(m) for m in silence.matchers],
            "state": silence.state(api.clock()),
        }
    )


def matchers_of(written: list[str], *, everything: bool) -> tuple[Matcher, ...]:
    """The matchers of a request.

    Raises:
        InvalidInput: one is not a matcher or holds what would be redacted, or all together match every incident.
    """
    for text in written:
        if redact(text, limit=4096) != text:
            raise InvalidInput("a matcher holds what looks like a secret or personal data", field="matchers")
    try:
        matchers = tuple(parse_matcher(text) for text in written)
        refuse_everything(matchers, everything=everything)
    except ValueError as error:
        raise InvalidInput(str(error), field="matchers") from None
    return matchers


def new_id(prefix: str, key: str | None) -> str:
    """Where the request has an `Idempotency-Key`, the same id each time."""
    return f"{prefix}-{base32_of(key.partition('.')[0], 6) if key else random_base32(6)}"


def keep(api: Api, call: Call, made: Silence | Window) -> Silence | Window:
    """Store it, or find what the same request stored before.

    Raises:
        Conflict: the key belongs to another request.
    """
    try:
        quiet.add(api.table, made, key=call.key)
    except Refused:
        before, key = quiet.kept(api.table, made.id)
        if call.key is None or key != call.key:
            raise reused() from None
        return before
    return made


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InvalidInput(str(error), field="duration") from None
