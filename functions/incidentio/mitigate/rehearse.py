"""Rehearsing a playbook: a dry run for a service, in a drill of its own that ends with it.

It reads the target with the playbook's own function and rights, plans every step, and changes nothing. A failed one
opens a ticket, which ends with the next that does not fail.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from incidentio.core.amend import amend
from incidentio.core.archive import anchor_due
from incidentio.core.bundle import Bundle
from incidentio.core.catalog import Service
from incidentio.core.changes import REHEARSE_AFTER, DeployedService
from incidentio.core.counted import counted
from incidentio.core.errors import Conflict, Forbidden, IncidentioError, InvalidInput, NotFound, Unavailable
from incidentio.core.ids import new_incident_id
from incidentio.core.incident import Change, Incident
from incidentio.core.lifecycle import cancel
from incidentio.core.nearest import nearest
from incidentio.core.person import SYSTEM, Actor
from incidentio.core.ports import ABSENT, Delete, Key, Put, Record, Refused, Stale, Table, Write
from incidentio.core.redaction import redact
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode, Subject
from incidentio.core.targets import called
from incidentio.mitigate.rehearsal_ticket import opened, ticket, works_again
from incidentio.mitigate.requests import playbook_named, request_run
from incidentio.mitigate.run import Run
from incidentio.mitigate.track_record import last_rehearsal

DRILL = "REHEARSAL"
"""Partition: `<incident id>` is a drill that ends with its run."""
_ONCE = "REHEARSAL#ONCE"
_KEPT = timedelta(days=30)
_TRIES = 5


def rehearse(
    table: Table,
    bundle: Bundle,
    playbook: str,
    *,
    service: str,
    actor: Actor,
    now: datetime,
    account: str,
    region: str,
    target: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    seed: str | None = None,
) -> Run:
    """Ask for a dry run of `playbook` for `service`; it starts by itself, like any other.

    Args:
        target: name of what it would act on; without it, that of the last rehearsal or success.
        seed: what makes two of them one, such as the id of a deploy.

    Raises:
        NotFound: no such playbook or service, with the valid names; InvalidInput: no target is known, or something
        does not fit; Forbidden: a target of another account or Region; Unavailable: try again.
    """
    definition = playbook_named(bundle, playbook)
    known = bundle.catalog.services
    if service not in known:
        valid = sorted(known)
        raise NotFound(
            f"there is no service {service[:60]!r} in the catalogue{nearest(service, valid)}. "
            f"It has {counted(len(valid), 'service')}: see services.yaml",
            valid=valid,
        )
    last = last_rehearsal(table, playbook, service)
    target = target or (last.target if last else None)
    if target is None:
        raise InvalidInput(f"{playbook} was never rehearsed for {service}: pass {called(definition.targets.type)}")
    drill = _drill(
        table,
        Incident(
            id="INC-000000",
            title=f"rehearsal of {playbook} for {service}",
            severity=Severity.SEV5,
            severity_set=True,
            service=service,
            environment=known[service].environment,
            given=("environment", "service"),
            kind=Kind.DRILL,
            mode=Mode.MONITOR,
            mode_reason="a rehearsal tells nobody",
            source="rehearsal",
            subject=Subject(account=account, region=region),
            impact_started_at=now,
            detected_at=now,
        ),
        {"playbook": definition.name, "service": service},
        actor=actor,
        once=Key(_ONCE, f"{playbook}#{service}#{seed}") if seed is not None else None,
    )
    try:
        return request_run(
            table,
            bundle,
            drill,
            playbook,
            actor=actor,
            now=now,
            account=account,
            region=region,
            target=target,
            parameters=parameters,
            dry_run=True,
            seed="rehearsal",
        )
    except (InvalidInput, Forbidden, Conflict) as error:
        _end(table, drill, now, error.message)
        raise


def _drill(table: Table, blank: Incident, body: Mapping[str, Any], *, actor: Actor, once: Key | None) -> str:
    """The id of a new incident like `blank`; of the one there is under `once`."""
    until = blank.detected_at + _KEPT
    for _ in range(_TRIES):
        if once is not None and (made := table.get(once)):
            return str(made["incident_id"])
        new = new_incident_id()
        named = {**body, "incident_id": new}
        writes: list[Write] = [Put(Record(Key(DRILL, new), named, expires_at=until))]
        if once is not None:
            writes.append(Put(Record(once, named, expires_at=until), when=ABSENT))
        incident = blank.model_copy(update={"id": new, "correlation_id": new})
        try:
            table.commit(opened(incident, actor, f"{blank.title}: a dry run, nothing is changed"), *writes)
        except (Stale, Refused):
            continue
        return new
    raise Unavailable("no free incident id was found: try again")


def over(table: Table, incident_id: str, now: datetime, *, failed: str | None) -> None:
    """A dry run of the incident has ended. If it was a rehearsal its drill is over.

    A failed one opens a ticket, which ends with the next that does not fail.
    """
    body = table.get(Key(DRILL, incident_id))
    if body is None:
        return
    playbook, service = str(body["playbook"]), str(body["service"])
    if failed is not None:
        ticket(table, playbook, service, failed, now)
    else:
        works_again(table, playbook, service, now)
    _end(table, incident_id, now, failed or "it would work")


def rehearse_deployed(
    table: Table, bundle: Bundle, deployed: DeployedService, *, now: datetime, account: str, region: str
) -> None:
    """A service was deployed: rehearse what may start by itself for it, where its target is known."""
    opted_in = bundle.catalog.services.get(deployed.service, Service()).automation.auto
    for name in opted_in:
        if name not in bundle.playbooks or last_rehearsal(table, name, deployed.service) is None:
            continue
        try:
            rehearse(
                table,
                bundle,
                name,
                service=deployed.service,
                actor=SYSTEM,
                now=now,
                account=account,
                region=region,
                seed=f"deploy {deployed.change}",
            )
        except Unavailable:
            raise
        except IncidentioError as error:
            ticket(table, name, deployed.service, error.message, now)
    table.write(Delete(Key(REHEARSE_AFTER, deployed.key)))


def _end(table: Table, incident_id: str, now: datetime, note: str) -> None:
    def decide(incident: Incident) -> tuple[Change, list[Write]] | None:
        if not incident.is_open:
            return None
        change = cancel(incident, actor=SYSTEM, at=now, reason="test", note=redact(note, limit=500))
        return change, [anchor_due(incident.id, now), Delete(Key(DRILL, incident_id))]

    amend(table, incident_id, decide)
