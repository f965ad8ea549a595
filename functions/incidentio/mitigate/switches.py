"""Kill switches: for everything, a service, a playbook, or one incident. They stop changes, never an undo."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from incidentio.core.amend import amend
from incidentio.core.bundle import Bundle
from incidentio.core.errors import InvalidInput, NotFound
from incidentio.core.ids import iso
from incidentio.core.incident import Change, Incident, recorded
from incidentio.core.nearest import nearest
from incidentio.core.person import Actor
from incidentio.core.ports import Filters, Key, Put, Record, Records, Table
from incidentio.core.redaction import redact
from incidentio.core.targets import target_name
from incidentio.mitigate.breaker import PREFIX, scope_of
from incidentio.mitigate.keys import SWITCHES, switch_key
from incidentio.mitigate.run import Run

GLOBAL = "global"
_ALL = frozenset({"on", "all", "true", "yes", "1", "stop", GLOBAL})
_NONE = frozenset({"off", "none", "false", "no", "0", "-"})


def scopes_of(incident: Incident, run: Run, bundle: Bundle) -> list[str]:
    """The switches that `run` for `incident` obeys: those of the services it acts on too, as far as names tell them."""
    named = bundle.catalog.services_of([target_name(target) for target in run.all_targets])
    services = dict.fromkeys([*([incident.service] if incident.service else []), *named])
    return [GLOBAL, *(f"service#{service}" for service in services), f"playbook#{run.playbook}"]


def check_scope(table: Table, bundle: Bundle, scope: str) -> str:
    """`scope` as the switches know it; a bare name is that of a service or of a playbook, `breaker#NAME` a breaker.

    A service is known from the catalogue, from an open incident that names it, or from its own switch.

    Raises:
        NotFound: no such service or playbook, with the valid ones.
    """
    if scope in (GLOBAL, "all"):
        return GLOBAL
    valid = [*_known(bundle), *_remembered(table), *_breakers(bundle)]
    for full in (scope, f"service#{scope}", f"playbook#{scope}"):
        if full in valid:
            return full
    service = scope.removeprefix("service#")
    if service and table.page(Filters(status="open", service=service), limit=1).items:
        return f"service#{service}"
    named = {str(card["service"]) for card in table.page(Filters(status="open")).items if card.get("service")}
    valid = list(dict.fromkeys([*(f"service#{name}" for name in sorted(named)), *valid]))
    names = {full.partition("#")[2] for full in valid}
    raise NotFound(
        f"there is no service or playbook called {scope[:80]!r} to stop"
        f"{nearest(scope.rpartition('#')[2], {*names, 'all'})}. List them: incidentio playbooks list; "
        "services are in services.yaml; all is everything",
        valid=[GLOBAL, *valid],
    )


def set_switch(
    table: Records, scope: str, on: bool, actor: Actor, reason: str, *, now: datetime, hold: bool = False
) -> dict[str, Any]:
    """Engage (`on`: nothing acts) or release the switch of a checked `scope`; the record as it is now.

    `hold`: runs under way keep what they changed, as a loan, instead of giving it back at once.

    Raises:
        InvalidInput: not a scope.
    """
    if scope != GLOBAL and not scope.startswith(("service#", "playbook#", PREFIX)):
        raise InvalidInput(f"unknown scope {scope[:80]!r}: use global, service#NAME, playbook#NAME or breaker#NAME")
    body = {"scope": scope, "on": on, "by": actor.id, "reason": redact(reason, limit=500), "at": iso(now)}
    if hold and on:
        body["hold"] = True
    writes = [Put(Record(switch_key(scope), body))]
    if scope.startswith("service#"):
        writes.append(Put(Record(Key(SWITCHES, scope), {"scope": scope})))
    table.write(*writes)
    return body


def switches(table: Records, bundle: Bundle) -> list[Mapping[str, Any]]:
    """Every switch that was ever set and still means something."""
    scopes = dict.fromkeys([GLOBAL, *_known(bundle), *_remembered(table), *_breakers(bundle)])
    keys = [switch_key(scope) for scope in scopes]
    found: list[Mapping[str, Any]] = []
    for start in range(0, len(keys), 100):
        part = keys[start : start + 100]
        stored = table.get_many(part)
        found += [stored[key] for key in part if key in stored]
    # A breaker that only counts is none yet.
    return [
        body for body in found if body["on"] or not str(body["scope"]).startswith(PREFIX) or not body.get("failures")
    ]


def set_hands_off(
    table: Table,
    incident_id: str,
    on: bool,
    actor: Actor,
    reason: str,
    *,
    now: datetime,
    hold: bool = False,
    **conditions: Any,
) -> Incident:
    """Stop automation for one incident, or let it work again. `hold` as in `set_switch`, `conditions` as in `amend`."""
    holds = on and hold

    def decide(incident: Incident) -> Change | None:
        if (incident.hands_off, incident.hands_off_holds) == (on, holds):
            return None
        why = f": {redact(reason, limit=500)}" if reason else ""
        kept = ", and what runs have changed so far is held" if holds else ""
        return recorded(
            incident,
            "HandsOffChanged",
            actor=actor,
            at=now,
            text=f"automation {'stopped' if on else 'allowed again'} for {incident_id} by {actor}{kept}{why}",
            data={"hands_off": on, "hold": holds, "reason": redact(reason, limit=500)},
            hands_off=on,
            hands_off_holds=holds,
        )

    return amend(table, incident_id, decide, **conditions)


def stopped(table: Records, incident: Incident, run: Run, *, parameter: str, bundle: Bundle) -> str | None:
    """Why nothing may act now, or None. `parameter` is the text of the SSM parameter."""
    if incident.hands_off:
        return f"automation is stopped for {incident.id} (hands off)"
    scopes = scopes_of(incident, run, bundle)
    stored = table.get_many([switch_key(scope) for scope in scopes])
    for scope in scopes:
        body = stored.get(switch_key(scope))
        if body and body["on"]:
            name = "everything" if scope == GLOBAL else scope.partition("#")[2]
            return (
                f"automation is stopped for {name} (hands off) by {body['by']}: {body['reason'] or 'no reason given'}"
            )
    return _stopped_by_parameter(parameter, {*scopes, incident.id}, {*_known(bundle), incident.id})


def holds(table: Records, incidents: Sequence[Incident], run: Run, *, parameter: str, bundle: Bundle) -> bool:
    """Whether what stops automation for any of `incidents` says to hold what is changed: all of it must, or it is
    given back.

    The SSM parameter cannot say so.
    """
    scopes = list(dict.fromkeys(scope for incident in incidents for scope in scopes_of(incident, run, bundle)))
    ids = {incident.id for incident in incidents}
    if _stopped_by_parameter(parameter, {*scopes, *ids}, {*_known(bundle), *ids}):
        return False
    stored = table.get_many([switch_key(scope) for scope in scopes])
    said = [bool(body.get("hold")) for body in stored.values() if body["on"]]
    said += [incident.hands_off_holds for incident in incidents if incident.hands_off]
    return bool(said) and all(said)


def _stopped_by_parameter(text: str, scopes: Iterable[str], known: Iterable[str]) -> str | None:
    """`on`, `off`, or a list of scopes. A word nobody knows stops everything: somebody meant to stop something."""
    ours = {name for scope in scopes for name in (scope, scope.partition("#")[2])} - {""}
    valid = {name for scope in known for name in (scope, scope.partition("#")[2])} - {""}
    for word in (part.strip() for part in text.split(",")):
        if not word or word.lower() in _NONE:
            continue
        if word.lower() in _ALL:
            return "the kill switch parameter is on"
        if word in ours:
            return f"the kill switch parameter names {word}"
        if word not in valid and not word.startswith("INC-"):
            return f"the kill switch parameter holds {redact(word, limit=60)!r}, which nobody knows: all is stopped"
    return None


def _remembered(table: Records) -> list[str]:
    """Services that have a switch: one outside the catalogue is known when no incident names it any more."""
    return [key.sk for key, _ in table.query(SWITCHES)]


def _breakers(bundle: Bundle) -> list[str]:
    return [scope_of(name) for name in sorted(bundle.playbooks)]


def _known(bundle: Bundle) -> Sequence[str]:
    return [
        *(f"service#{name}" for name in sorted(bundle.catalog.services)),
        *(f"playbook#{name}" for name in sorted(bundle.playbooks)),
    ]
