"""Asking for a playbook: checked against its definition, pinned, and recorded before anything starts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from incidentio.core.amend import amend
from incidentio.core.bundle import Bundle
from incidentio.core.errors import Conflict, InvalidInput, NotFound
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident
from incidentio.core.nearest import no_playbook
from incidentio.core.person import Actor
from incidentio.core.playbook import Playbook
from incidentio.core.ports import ABSENT, Put, Record, Refused, Table, Write
from incidentio.core.redaction import redact
from incidentio.core.signal import Subject
from incidentio.core.steps import Leaf, Manual, Step
from incidentio.core.targets import partition_of, target_for
from incidentio.mitigate.glass import break_glass as break_glass_of
from incidentio.mitigate.keys import new_run_id, open_run_key
from incidentio.mitigate.run import Run, RunStep, StepKind
from incidentio.mitigate.runs import load_run, run_record, runs_of, told


def playbook_named(bundle: Bundle, name: str) -> Playbook:
    """Raises NotFound, with the valid names."""
    if name not in bundle.playbooks:
        valid = sorted(bundle.playbooks)
        raise NotFound(no_playbook(name, valid), valid=valid)
    return bundle.playbooks[name]


def request_run(
    table: Table,
    bundle: Bundle,
    incident_id: str,
    playbook: str,
    *,
    actor: Actor,
    now: datetime,
    account: str,
    region: str,
    target: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    dry_run: bool = False,
    break_glass: str = "",
    expected_version: int | None = None,
    idempotency_key: str | None = None,
    seed: str | None = None,
) -> Run:
    """Record a run that the conductor then starts: timeline entry, run and open pointer in one transaction.

    The same request while the first is unfinished is the same run. With an `idempotency_key` (or `seed`,
    for automation) it stays the same run for ever.

    Args:
        target: name of what to act on; without it, what the incident's alarm is about.
        parameters: overrides of the playbook's defaults.
        dry_run: only say what would be done.
        break_glass: a person's reason to act without waiting for approval. Loud and audited.
        account: ours, and so is `region`: used where the incident's subject names none.
        expected_version: `If-Match`.

    Raises:
        NotFound: no such incident or playbook; InvalidInput: parameters or target do not fit;
        Forbidden: a target of another account or Region; Conflict: the incident is over, or the same
        playbook already runs there with other parameters.
    """
    definition = playbook_named(bundle, playbook)
    values = _bound(definition, parameters or {})
    if break_glass and actor.kind != "person":
        raise InvalidInput("only a person can break the glass")
    if idempotency_key:
        seed = f"key {idempotency_key}"
    run_id = new_run_id(incident_id, seed=seed)
    asked: list[Run] = []

    def decide(incident: Incident) -> tuple[Change, list[Write]] | None:
        asked.clear()
        wanted = _targets(definition, incident.subject, target, account=account, region=region)
        run = _run(
            definition,
            values,
            run_id,
            incident=incident,
            targets=wanted,
            actor=actor,
            now=now,
            dry_run=dry_run,
            break_glass=break_glass,
            only_allowed=definition.targets.only_allowed or _only_allowed(bundle, incident.service),
        )
        _check_actions(run, account=account, region=region)
        same = _same(runs_of(table, incident_id), run)
        if same:
            asked.append(same)
            return None
        if not incident.is_open:
            raise Conflict(
                f"{incident_id} is {incident.status.value}: playbooks run for open incidents",
                status=incident.status.value,
            )
        asked.append(run)
        return _requested(incident, run, now), [
            Put(run_record(run), when=ABSENT),
            Put(_pointer(run)),
        ]

    try:
        amend(table, incident_id, decide, expected_version=expected_version, idempotency_key=idempotency_key)
        found = asked[0] if asked else load_run(table, incident_id, run_id)
        return break_glass_of(table, found, actor, break_glass, now=now) if break_glass else found
    except Refused:
        return load_run(table, incident_id, run_id)
    except NotFound:
        if asked or not idempotency_key or idempotency_key not in table.incident(incident_id).idempotency:
            raise
        raise Conflict(f"this idempotency key was used for something else on {incident_id}") from None


def _bound(definition: Playbook, parameters: Mapping[str, Any]) -> dict[str, int | str]:
    try:
        return definition.bind(dict(parameters))
    except ValueError as error:
        raise InvalidInput(str(error), playbook=definition.name, parameters=sorted(definition.parameters)) from None


def _run(
    definition: Playbook,
    values: dict[str, int | str],
    run_id: str,
    *,
    incident: Incident,
    targets: tuple[str, ...],
    actor: Actor,
    now: datetime,
    dry_run: bool,
    break_glass: str,
    only_allowed: bool,
) -> Run:
    steps = tuple(_step(leaf, values, targets) for leaf in definition.leaves)
    return Run(
        run_id=run_id,
        incident_id=incident.id,
        service=incident.service or "",
        kind=incident.kind,
        playbook=definition.name,
        version=definition.version,
        definition_hash=definition.definition_hash,
        risk=definition.risk,
        target=targets[0],
        targets=targets if len(targets) > 1 else (),
        parameters=values,
        requester=actor,
        requested_at=now,
        dry_run=dry_run,
        break_glass=redact(break_glass, limit=500),
        only_allowed=only_allowed,
        approvals_needed=definition.risk.approvals,
        steps=steps,
    )


def _only_allowed(bundle: Bundle, service: str | None) -> bool:
    known = bundle.catalog.services.get(service or "")
    return known is not None and known.automation.only_allowed


def _step(leaf: Leaf, values: Mapping[str, int | str], targets: tuple[str, ...]) -> RunStep:
    step = leaf.step
    missing = leaf.target >= len(targets)
    kind: StepKind = "action" if isinstance(step, Step) else "manual" if isinstance(step, Manual) else "wait"
    return RunStep(
        n=leaf.n,
        kind=kind,
        id=step.id,
        action=step.action if isinstance(step, Step) else kind,
        target="" if missing or len(targets) == 1 else targets[leaf.target],
        conditions=tuple(str(matcher) for matcher in step.if_),
        given=step.resolved(values),
        status="skipped" if missing else "pending",
        summary="there are no more targets" if missing else "",
    )


def _targets(
    definition: Playbook, subject: Subject, given: str | None, *, account: str, region: str
) -> tuple[str, ...]:
    """What the run acts on: several, separated by commas, only where its playbook takes several."""
    names = [name.strip() for name in (given or "").split(",")] if definition.takes_targets else [given or ""]
    named = dict.fromkeys(
        target_for(definition.targets.type, subject, name or None, account=account, region=region) for name in names
    )
    if len(named) > (most := definition.targets.max.count):
        raise InvalidInput(f"{definition.name} acts on at most {most} targets, and these are {len(named)}")
    return tuple(named)


def _check_actions(run: Run, *, account: str, region: str) -> None:
    """Refuse now, with a clear message, what the action function would refuse later."""
    from incidentio.mitigate.actions import Place, prepared  # noqa: PLC0415 - every action, and few events ask for a run

    place = Place(partition=partition_of(region), account=account, region=region)
    for step in run.steps:
        if step.kind == "action" and step.status != "skipped":
            prepared(step.action, step.given, run.target_of(step), place)


def _same(runs: list[Run], run: Run) -> Run | None:
    for other in runs:
        if other.run_id == run.run_id:
            return other
        unfinished = not other.finished and not other.dry_run and not run.dry_run
        if unfinished and (other.playbook, other.all_targets) == (run.playbook, run.all_targets):
            if other.parameters == run.parameters:
                return other
            raise Conflict(
                f"{run.playbook} is already at work on {run.where} as {other.run_id} "
                f"({other.status.replace('_', ' ')}) with other parameters",
                run_id=other.run_id,
                parameters=other.told_parameters,
            )
    return None


def _requested(incident: Incident, run: Run, now: datetime) -> Change:
    what = f"{run.playbook} {run.version} on {run.where}"
    manner = "dry run of " if run.dry_run else ""
    glass = f"; BREAK GLASS, without approval: {run.break_glass}" if run.break_glass else ""
    return told(
        incident,
        run,
        "PlaybookRequested",
        at=now,
        actor=run.requester,
        text=f"{manner}{what} requested by {run.requester}" + (f" ({run.given})" if run.given else "") + glass,
        data={"parameters": run.told_parameters, "requester": run.requester.id, "break_glass": run.break_glass},
        runs=incident.runs + 1,
    )


def _pointer(run: Run) -> Record:
    body = {
        "run_id": run.run_id,
        "incident_id": run.incident_id,
        "playbook": run.playbook,
        "target": run.target,
        "requested_at": iso(run.requested_at),
    }
    return Record(open_run_key(run.run_id), body)
