"""The decisions of triage, pure: incident and evidence in, judgement with reasons out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from incidentio.core.attachment import PAGE_TAG, wants_pages
from incidentio.core.bundle import Bundle
from incidentio.core.catalog import Service
from incidentio.core.errors import InvalidInput
from incidentio.core.incident import Incident
from incidentio.core.labels import labels_of, sent_labels
from incidentio.core.ruling import Ruling, Seen, rule_on
from incidentio.core.severity import Severity, parse_severity, severity_from_tier, worst
from incidentio.core.signal import Mode
from incidentio.triage.evidence import Evidence, Heard
from incidentio.triage.proposals import proposed

_TAGGED_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_PRODUCTION = frozenset({"production", "prod", "prd", "live"})


@dataclass(frozen=True)
class Triage:
    """What was decided; every `…_why` is a sentence part a person reads in the timeline."""

    service: str | None
    service_why: str
    severity: Severity
    severity_why: str
    environment: str
    environment_why: str
    mode: Mode
    mode_reason: str
    labels: Mapping[str, str]
    ruling: Ruling
    blast_radius: tuple[str, ...]
    proposed_why: Mapping[str, str]
    missing: tuple[str, ...] = field(default_factory=tuple)

    @property
    def proposed(self) -> tuple[str, ...]:
        return tuple(self.proposed_why)


def classify(incident: Incident, evidence: Evidence, bundle: Bundle) -> Triage:
    """Judge `incident`; what was already judged or said by a person is kept, and severity only rises.

    Rules are judged at the time it was detected, so that triage says the same whenever it runs.
    """
    mode, mode_reason = _mode(incident, evidence)
    known = incident.model_copy(update={"mode": mode, "mode_reason": mode_reason})

    def look(ruling: Ruling) -> Seen:
        so_far = _judged(known, evidence, bundle, ruling).incident
        labels = {**evidence.labels, **ruling.labels, **labels_of(so_far)}
        hit = (so_far.service, *bundle.catalog.downstream_of(so_far.service)) if so_far.service else ()
        return Seen(labels, bundle.catalog.reach_of(hit))

    ruling = rule_on(bundle.catalog.routing.rules, look, incident.detected_at)
    judged = _kept(incident, _judged(known, evidence, bundle, ruling), ruling)
    service = judged.incident.service
    return Triage(
        service=service,
        service_why=judged.service_why,
        severity=judged.incident.severity,
        severity_why=judged.severity_why,
        environment=judged.incident.environment,
        environment_why=judged.environment_why,
        mode=mode,
        mode_reason=mode_reason,
        labels=judged.incident.labels,
        ruling=ruling,
        blast_radius=bundle.catalog.downstream_of(service) if service else (),
        proposed_why=proposed(labels_of(judged.incident), judged.entry.automation, bundle),
        missing=evidence.missing + judged.unread,
    )


@dataclass(frozen=True)
class _Judged:
    """`incident` with service, environment, severity and labels as decided; `entry` is its service's."""

    incident: Incident
    entry: Service
    service_why: str
    environment_why: str
    severity_why: str
    unread: tuple[str, ...]


def _judged(incident: Incident, evidence: Evidence, bundle: Bundle, ruling: Ruling) -> _Judged:
    service, service_why = _service(incident, evidence, bundle)
    if ruling.service and "service" not in incident.given:
        service, service_why = ruling.service, _by_rule(ruling, "service")
    listed = bundle.catalog.services.get(service or "")
    environment, environment_why = _environment(incident, evidence, listed)
    if ruling.environment and "environment" not in incident.given:
        environment, environment_why = _spelled(ruling.environment), _by_rule(ruling, "environment")
    entry = listed or Service()
    labels = {**(incident.labels if evidence.missing else {}), **sent_labels(evidence.agreed)}
    known = incident.model_copy(
        update={
            "service": service,
            "environment": environment,
            "labels": {**labels, **ruling.labels},
        }
    )
    severity, severity_why, unread = _severity(known, evidence, entry.tier, ruling)
    judged = known.model_copy(update={"severity": severity})
    return _Judged(judged, entry, service_why, environment_why, severity_why, unread)


def _kept(before: Incident, judged: _Judged, ruling: Ruling) -> _Judged:
    """A second look never lowers the severity; a rule may, as long as nobody was told."""
    found = judged.incident.severity
    if not before.triaged_at or not before.severity.is_worse_than(found) or (ruling.severity and not before.pages):
        return judged
    why = f"it was already {before.severity.value}, and triage does not lower; {judged.severity_why}"
    kept = judged.incident.model_copy(update={"severity": before.severity})
    return replace(judged, incident=kept, severity_why=why)


def _by_rule(ruling: Ruling, name: str) -> str:
    return f"rule {ruling.by[name]}"


def _service(incident: Incident, evidence: Evidence, bundle: Bundle) -> tuple[str | None, str]:
    if incident.service and _stands(incident, "service"):
        return incident.service, "named by the incident"
    for heard in evidence.heard:
        if heard.service:
            return heard.service, "named by the signal"
        if named := _name(heard.tags.get("incidentio:service")):
            return named, f"{_kind_of_tag(heard)} incidentio:service={named}"
    found: dict[str, str] = {}
    for name, why in _matches(evidence, bundle):
        found.setdefault(name, why)
    if found:
        (name, why), *others = found.items()
        also = f" (also fits {', '.join(n for n, _ in others)}: the first in the catalogue is taken)" if others else ""
        return name, why + also
    for heard in evidence.heard:
        if tagged := _name(heard.tags.get("service")):
            return tagged, f"{_kind_of_tag(heard)} service={tagged} (not in the catalogue)"
    return None, "no service of the catalogue matches, and no tag names one"


def _stands(incident: Incident, name: str) -> bool:
    """What a rule decided is judged again from what was there before it, unless a person said it since."""
    return name in incident.given or name not in incident.ruled


def _matches(evidence: Evidence, bundle: Bundle) -> Iterator[tuple[str, str]]:
    for heard in evidence.heard:
        subject = heard.subject
        for name, service in bundle.catalog.services.items():
            why = service.match.why(alarm_name=subject.alarm_name, alarm_arn=subject.alarm_arn, tags=heard.tags)
            if why:
                yield name, why


def _environment(incident: Incident, evidence: Evidence, service: Service | None) -> tuple[str, str]:
    known = incident.environment != "production" or "environment" in incident.given
    if known and _stands(incident, "environment"):
        return _spelled(incident.environment), "named by the incident"
    for heard in evidence.heard:
        if heard.environment:
            return _spelled(heard.environment), "named by the signal"
        tag = heard.tag("environment")
        if tag and _name(tag[1]):
            return _spelled(tag[1]), f"{_kind_of_tag(heard)} {tag[0]}={tag[1]}"
    if service:
        return service.environment, "environment of the service"
    return "production", "unknown, which counts as production"


def _kind_of_tag(heard: Heard) -> str:
    """What its sender calls it: CloudWatch's alarms have tags, everything else has labels."""
    return "alarm tag" if heard.subject.alarm_name or heard.subject.alarm_arn else "label"


def _name(text: str | None) -> str | None:
    """A tag's value, if it could be the name of something."""
    return text if text and _TAGGED_NAME.fullmatch(text) else None


def _spelled(environment: str) -> str:
    """Tags say `Prod` and `PRODUCTION`; routing is written against `production`."""
    lower = environment.strip().lower()
    return "production" if lower in _PRODUCTION else lower


def _mode(incident: Incident, evidence: Evidence) -> tuple[Mode, str]:
    if incident.mode is Mode.LIVE or incident.held_for:
        return incident.mode, incident.mode_reason
    for heard in evidence.heard:
        if wants_pages(heard.tags):
            return Mode.LIVE, f"alarm {heard.subject.alarm_name} is tagged {PAGE_TAG}"
    return incident.mode, incident.mode_reason


def _severity(
    incident: Incident, evidence: Evidence, tier: int | None, ruling: Ruling
) -> tuple[Severity, str, tuple[str, ...]]:
    said, unread = _said(evidence)
    if incident.severity_set:
        return incident.severity, "set by a person, which triage leaves alone", unread
    if ruling.severity:
        return ruling.severity, _by_rule(ruling, "severity"), unread
    if said:
        found = worst(s for s, _ in said)
        why = ", ".join(dict.fromkeys(w for s, w in said if s is found))
        if len({s for s, _ in said}) > 1:
            why += f" (the highest of {', '.join(sorted({s.value for s, _ in said}))})"
    elif tier is not None:
        found, why = severity_from_tier(tier), f"{incident.service} is tier {tier}"
    elif incident.mode is Mode.LIVE and incident.subject.alarm_name:
        because = f" ({incident.mode_reason})" if incident.mode_reason else ""
        found, why = Severity.SEV2, f"no tag or tier says otherwise, and it was attached on purpose{because}"
    else:
        found, why = Severity.SEV3, "no tag or tier says otherwise"
    return found, why, unread


def _said(evidence: Evidence) -> tuple[list[tuple[Severity, str]], tuple[str, ...]]:
    """Every severity a tag or a source gives, and what could not be read as one."""
    said: list[tuple[Severity, str]] = []
    unread: list[str] = []
    for heard in evidence.heard:
        tag = heard.tag("severity")
        if tag is None:
            said += [(heard.severity, "the signal says so")] if heard.severity else []
            continue
        try:
            said.append((parse_severity(tag[1]), f"{_kind_of_tag(heard)} {tag[0]}={tag[1]}"))
        except InvalidInput as error:
            said += [(heard.severity, "the signal says so")] if heard.severity else []
            unread.append(f"{_kind_of_tag(heard)} {tag[0]}: {error.message}")
    return said, tuple(unread)
