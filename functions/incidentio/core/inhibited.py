"""Whether people are told of an open incident: not while a live signal fires that inhibits its only one.

A signal that comes after what inhibits it joins that one's incident (`ingest`). This is about those that came before
it, or at the same moment by another way.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from incidentio.core.catalog import Catalog
from incidentio.core.duration import format_duration
from incidentio.core.errors import NotFound
from incidentio.core.ids import iso
from incidentio.core.incident import Incident
from incidentio.core.inhibition import Source, as_target, name_of, sources
from incidentio.core.labels import labels_of_signalled
from incidentio.core.members import member_key, pointer_key
from incidentio.core.ports import Key, Table
from incidentio.core.quiet import HELD, INHIBITION, Quiet
from incidentio.core.signal import Kind, Mode, Subject

_LOOKED_AT_AGAIN = timedelta(days=1)
"""Every sweep looks whether it is over. Should that fail to notice, this is the end."""


def inhibition_of(incident: Incident, table: Table, catalog: Catalog, at: datetime) -> Quiet | None:
    """What inhibits `incident` now, or did until less than `stable_for` ago; no read where no rule could.

    What fires only after that is news.
    """
    rules = [rule for rule in catalog.routing.inhibit_rules if not rule.monitors]
    if not rules or incident.members != 1 or incident.dedup_key is None or incident.kind is Kind.HEARTBEAT:
        return None
    own = (member_key(incident.id, incident.dedup_key), pointer_key(incident.dedup_key))
    known = table.get_many(own)
    labels, apart = _labels(incident, known, own[0], catalog), known.get(own[1], {}).get("apart")
    stable = catalog.routing.recovery.stable_for
    since = max(iso(at - stable), str(known.get(own[0], {}).get("changed_at", "")))
    for side in as_target(rules, labels):
        for source in sources(side, incident.dedup_key, table):
            if source.holds(since=since) and _counts(source, incident, table, apart):
                ends = f"when {source.name} has been ok for {format_duration(stable)}"
                why = f"{source.name} fires ({side.rule})"
                reason = f"{why}: {side.rule.reason}" if side.rule.reason else why
                until = at + _LOOKED_AT_AGAIN
                return Quiet("inhibition", INHIBITION + source.name, side.rule.author, reason, until, (), ends=ends)
    return None


def _counts(source: Source, incident: Incident, table: Table, apart: Any) -> bool:
    """What nobody hears of silences nothing; nor does what this one was split off, or what waits for this one."""
    if source.incident_id in (None, incident.id, apart):
        return False
    try:
        other = table.incident(str(source.incident_id))
    except NotFound:
        return False
    if not (other.is_open and other.mode is Mode.LIVE and other.kind is incident.kind):
        return False
    waits = table.get(Key(HELD, other.id)) or {}
    return waits.get("quiet") != INHIBITION + name_of(str(incident.dedup_key))


def _labels(
    incident: Incident, known: Mapping[Key, Mapping[str, Any]], member: Key, catalog: Catalog
) -> Mapping[str, str]:
    """As ingest saw them, which wrote down what inhibits."""
    said = known.get(member, {})
    tags = dict(said.get("tags") or {})
    subject = Subject.model_validate(said.get("subject") or incident.subject)
    service = said.get("service") or catalog.service_of(subject, tags)
    return labels_of_signalled(
        subject,
        tags,
        source=str(said.get("source") or incident.source),
        service=service,
        environment=said.get("environment"),
        severity=said.get("severity"),
        kind=incident.kind,
    )
