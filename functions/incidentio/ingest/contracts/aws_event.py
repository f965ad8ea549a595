"""What the events of AWS services have in common: account, Region, time and resources, and what is made of them.

https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.core.changes import ChangeRecord
from incidentio.core.ids import iso
from incidentio.core.person import person_from_arn
from incidentio.core.redaction import redact, redact_data
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode, Signal, SignalState, Subject
from incidentio.ingest.observation import (
    Observation,
    Unreadable,
    given_mode,
    instant,
    kind_tag,
    object_field,
    safe,
    severity_tag,
    text_field,
)

MAX_RESOURCES = 20
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


@dataclass(frozen=True, slots=True)
class AwsEvent:
    """One event. `at` is when it happened, `given` the mode that we ourselves put beside it."""

    id: str
    account: str
    region: str
    at: str
    resources: tuple[str, ...]
    detail: Mapping[str, Any]
    given: tuple[Mode, str] | None

    def key(self, *parts: str) -> str:
        """A dedup key for what has no ARN: source and account and Region keep equal names apart."""
        return "/".join((parts[0], self.account, self.region, *parts[1:]))

    def arn(self, service: str, resource: str) -> str:
        """The ARN of what an event only names."""
        partition = next((p for start, p in _PARTITIONS.items() if self.region.startswith(start)), "aws")
        return f"arn:{partition}:{service}:{self.region}:{self.account}:{resource}"

    def moment(self, *candidates: Any) -> str:
        """The first of `candidates` that is a time, else when the event happened."""
        for text in candidates:
            try:
                return instant(text)
            except Unreadable:
                continue
        return self.at


def aws_event(document: Mapping[str, Any]) -> AwsEvent:
    """Raises: Unreadable: a field that every event of AWS has is missing or wrong."""
    resources = document.get("resources")
    return AwsEvent(
        id=text_field(document, "id", limit=100),
        account=text_field(document, "account", limit=20),
        region=text_field(document, "region", limit=40),
        at=instant(document.get("time")),
        resources=texts(resources if isinstance(resources, list) else ()),
        detail=object_field(document, "detail"),
        given=given_mode(document),
    )


def texts(values: Iterable[Any]) -> tuple[str, ...]:
    """The texts among `values`, each once, without empty ones; what names things is not redacted but checked.

    Raises:
        Unreadable: one holds control characters.
    """
    found = dict.fromkeys(safe(value[:1024], "a resource") for value in values if isinstance(value, str) and value)
    return tuple(found)[:MAX_RESOURCES]


def resource_of(event: AwsEvent) -> str:
    """The first resource of an event that is about one.

    Raises:
        Unreadable: it names none.
    """
    if not event.resources:
        raise Unreadable("resources is empty: what is this event about?")
    return event.resources[0]


def milliseconds(value: Any) -> str | None:
    """A time in milliseconds since 1970; None when it is none of our days."""
    if not isinstance(value, int) or not 946_684_800_000 < value < 4_102_444_800_000:
        return None
    return iso(datetime.fromtimestamp(value / 1000, UTC))


def observed(
    event: AwsEvent,
    attachment: Attachment,
    *,
    source: str,
    key: str,
    state: SignalState,
    changed_at: str,
    title: str,
    reason: str = "",
    severity: Severity | None = None,
    resources: Sequence[str] = (),
    dimensions: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    impact_started_at: str | None = None,
    urgent: bool = False,
) -> Observation:
    """One signal. `resources` say whose it is; a severity in `tags` goes before the source's own.

    Raises:
        Unreadable: the key holds control characters or is longer than 1024 characters.
    """
    tags = tags or {}
    if len(safe(key, "the dedup key")) > 1024:
        raise Unreadable("what this event is about has a name of more than 1024 characters")
    severity = severity_tag(tags) or severity
    mode, mode_reason, service = attachment.of_resources(resources, tags, urgent=urgent)
    if event.given:
        mode, mode_reason = event.given

    def build(received_at: datetime) -> Signal:
        at = datetime.fromisoformat(changed_at)
        began = datetime.fromisoformat(impact_started_at) if impact_started_at else at
        return Signal(
            source=source,
            dedup_key=key,
            state=state,
            changed_at=at,
            received_at=received_at,
            impact_started_at=min(began, at) if state is SignalState.FIRING else None,
            title=redact(title, limit=200),
            reason=redact(reason, limit=1024),
            severity=severity,
            service=service,
            kind=kind_tag(tags),
            mode=mode,
            mode_reason=redact(mode_reason, limit=256),
            subject=Subject(
                account=event.account,
                region=event.region,
                dimensions={k: redact(v, limit=1024) for k, v in (dimensions or {}).items()},
                resources=tuple(redact(resource, limit=1024) for resource in resources),
            ),
            tags=redact_data(tags, limit=256),
        )

    return Observation(key, state, changed_at, mode, build, severity)


def change(
    event: AwsEvent,
    attachment: Attachment,
    *,
    source: str,
    id: str,
    what: str,
    status: str = "succeeded",
    at: str | None = None,
    actor: str = "",
    version: str = "",
    resources: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
) -> ChangeRecord:
    """One change. `id` is that of the whole change, which the record of its end shares with that of its start."""
    owner = attachment.catalog.owner_of(resources, tags or {})
    service = attachment.catalog.services.get(owner[0]) if owner else None
    return ChangeRecord(
        id=redact(id, limit=300),
        source=source,
        service=owner[0] if owner else None,
        environment=service.environment if service else "production",
        at=datetime.fromisoformat(at or event.at),
        what=redact(what, limit=300),
        status=status,
        actor=redact(actor, limit=300),
        version=redact(version, limit=300),
        resources=tuple(redact(resource, limit=300) for resource in resources),
    )


def person(arn: Any) -> str:
    """Who is behind a caller's ARN; empty when none is given.

    Raises:
        Unreadable: it holds control characters, or is not Unicode.
    """
    return person_from_arn(safe(arn, "the caller's ARN")).id if isinstance(arn, str) and arn else ""
