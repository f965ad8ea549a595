"""Changes ranked as suspects: a sum of points a person can follow, each with its reason."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from incidentio.core.catalog import Catalog, Service
from incidentio.core.changes import ChangeRecord
from incidentio.core.redaction import redact
from incidentio.core.signal import Subject
from incidentio.core.situation import Suspect

LOOK_BACK = timedelta(hours=1)
LISTED = 5
_NEAR = 40
_OWN, _DIRECT, _FURTHER, _TOUCHED = 40, 25, 15, 35
_FAILED, _IRREVERSIBLE, _SAME_RESOURCE = 10, 5, 5
_AFTER = 10
_DEPLOYS = frozenset({"deploys", "codedeploy", "codepipeline", "ecs", "cloudformation"})
_NEW_CODE = "UpdateFunctionCode"


def ranked(
    changes: Iterable[ChangeRecord],
    *,
    service: str | None,
    environment: str,
    subject: Subject,
    catalog: Catalog,
    impact_started_at: datetime,
    now: datetime,
) -> tuple[Suspect, ...]:
    """The suspects, the likeliest first; of one score the later change.

    Points: whose change it is (own service 40, what it depends on directly 25, further away 15, of no known service but
    on the alarm's resource 35), how near to the start of impact (40 at once, 0 an hour before; 10 for what came
    after it began), failed 10, not reversible 5, on the alarm's resource 5.
    """
    found = {}
    for change in changes:
        if not impact_started_at - LOOK_BACK <= change.at <= now or _elsewhere(change, environment, catalog):
            continue
        suspect = _suspect(change, service=service, subject=subject, catalog=catalog, impact=impact_started_at)
        if suspect:
            found[change.id, change.at] = suspect
    order = sorted(found.values(), key=lambda s: (-s.score, -s.at.timestamp(), s.id))
    return tuple(order[:LISTED])


def _suspect(
    change: ChangeRecord, *, service: str | None, subject: Subject, catalog: Catalog, impact: datetime
) -> Suspect | None:
    touches = touched(change.resources, subject.dimensions)
    whose = _whose(change, service, catalog, touches)
    if whose is None:
        return None
    minutes = round((impact - change.at).total_seconds() / 60)
    points = [whose, _when(minutes)]
    if change.status == "failed":
        points.append((_FAILED, "failed"))
    if not change.reversible:
        points.append((_IRREVERSIBLE, "not reversible"))
    if touches and change.service:
        points.append((_SAME_RESOURCE, "on the alarm's resource"))
    return Suspect(
        id=redact(change.id, limit=128),
        what=redact(change.what, limit=200),
        kind=kind_of(change),
        service=change.service,
        at=change.at,
        minutes=minutes,
        actor=redact(change.actor, limit=100),
        version=redact(change.version, limit=60),
        status=change.status,
        reversible=change.reversible,
        reason=redact(change.reason, limit=200),
        url=redact(change.url, limit=300),
        score=min(100, sum(p for p, _ in points)),
        why=", ".join(f"{reason} (+{p})" for p, reason in points),
    )


def _elsewhere(change: ChangeRecord, environment: str, catalog: Catalog) -> bool:
    """In neither the incident's environment nor the one its service is in by the catalogue: a deploy to staging."""
    usual = catalog.services.get(change.service or "", Service()).environment
    return bool(change.service) and change.environment not in (environment, usual)


def kind_of(change: ChangeRecord) -> str:
    """`deploy`, or `change` for what is none."""
    return "deploy" if change.source in _DEPLOYS or change.what.startswith(_NEW_CODE) else "change"


def touched(resources: Sequence[str], dimensions: Mapping[str, str]) -> bool:
    """Whether a changed resource is one that the alarm's dimensions name: an ARN's last part, or the whole name."""
    named = {value for value in dimensions.values() if value}
    return any(part in named for resource in resources for part in (resource, *resource.replace(":", "/").split("/")))


def _whose(change: ChangeRecord, service: str | None, catalog: Catalog, touches: bool) -> tuple[int, str] | None:
    if not change.service:
        return (_TOUCHED, "on the alarm's resource") if touches else None
    if change.service == service:
        return _OWN, "own service"
    if service and service in catalog.services and change.service in catalog.services[service].depends_on:
        return _DIRECT, f"{service} depends on it"
    return _FURTHER, "further down the dependencies"


def _when(minutes: int) -> tuple[int, str]:
    if minutes < 0:
        return _AFTER, f"{-minutes} min after impact began"
    return round(_NEAR * max(0, 60 - minutes) / 60), f"{minutes} min before impact"
