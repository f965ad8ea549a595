"""`incidentio incidents`: see incidents and move them through their life."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from incidentio.cli import output
from incidentio.cli.facts import facts_of
from incidentio.cli.shell import INCIDENT_ID, Group, Shell, pass_shell
from incidentio.core.lifecycle import CANCEL_REASONS
from incidentio.core.severity import parse_severity

_PAGE = 100
_note = click.option("-m", "--note", default="", help="Why, for the timeline.")
_if_version = click.option(
    "--if-version", type=click.IntRange(1), metavar="N", help="Only if the incident is still at this version."
)
_id = click.argument("incident_id", metavar="ID", type=INCIDENT_ID)


@click.group(cls=Group)
def incidents() -> None:
    """See incidents and move them through their life."""


@incidents.command("list")
@click.option("--status", help="open (every status before resolved), or one status.")
@click.option("--all", "everything", is_flag=True, help="Whatever the status; the default is open.")
@click.option("--service")
@click.option("--severity")
@click.option("--kind", type=click.Choice(["real", "drill", "heartbeat"]))
@click.option("--environment")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most this many.")
@pass_shell
def list_incidents(
    shell: Shell,
    *,
    status: str | None,
    everything: bool,
    service: str | None,
    severity: str | None,
    kind: str | None,
    environment: str | None,
    limit: int,
) -> None:
    """List incidents, the newest first."""
    filters = {
        "status": status or (None if everything else "open"),
        "service": service,
        "severity": parse_severity(severity).value if severity else None,
        "kind": kind,
        "environment": environment,
    }
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while len(found) < limit:
        page = shell.api.call(
            "GET", "/incidents", query={**filters, "limit": str(min(_PAGE, limit - len(found))), "next": cursor}
        )
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    if shell.as_json:
        output.emit_json({"items": found, "next": cursor})
        return
    output.emit_table(
        ["id", "severity", "status", "service", "age", "title"],
        [
            (i["id"], i["severity"], _status(i), i.get("service"), output.ago(i.get("detected_at")), i["title"])
            for i in found
        ],
        empty="no incident matches" if everything or status else "no incident is open",
    )
    if cursor:
        output.say(f"there are more: --limit {limit * 2}")


def _status(incident: Mapping[str, Any]) -> str:
    marks = [str(incident[name]) for name, usual in (("mode", "live"), ("kind", "real")) if incident.get(name) != usual]
    return " ".join([str(incident["status"]), *(f"({mark})" for mark in marks if mark != "None")])


@incidents.command()
@_id
@pass_shell
def show(shell: Shell, incident_id: str) -> None:
    """Show one incident with its timeline."""
    incident = shell.api.call("GET", f"/incidents/{incident_id}")
    if shell.as_json:
        output.emit_json(incident)
        return
    output.emit_line(f"{incident['id']}  {incident['title']}", style="bold")
    output.emit_facts(facts_of(incident))
    output.emit_line("")
    _print_entries(_timeline(shell, incident_id))


@incidents.command()
@_id
@pass_shell
def why(shell: Shell, incident_id: str) -> None:
    """Say why somebody was, or was not, paged: mode, route, who was told, what held it back, what comes next."""
    found = shell.api.call("GET", f"/incidents/{incident_id}/why")
    if shell.as_json:
        output.emit_json(found)
        return
    for sentence in found["answer"]:
        output.emit_line(sentence)


@incidents.command()
@_id
@pass_shell
def timeline(shell: Shell, incident_id: str) -> None:
    """Show everything that was done to an incident, the oldest first."""
    entries = _timeline(shell, incident_id)
    if shell.as_json:
        output.emit_json({"items": entries, "next": None})
    else:
        _print_entries(entries)


def _timeline(shell: Shell, incident_id: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = shell.api.call("GET", f"/incidents/{incident_id}/timeline", query={"next": cursor})
        entries += page["items"]
        cursor = page["next"]
        if cursor is None:
            return entries


def _print_entries(entries: list[dict[str, Any]]) -> None:
    output.emit_table(
        ["at", "by", "what"],
        [(output.moment(e["at"])[11:], _actor(e), e["text"]) for e in entries],
        empty="nothing happened yet",
    )


def _actor(entry: Mapping[str, Any]) -> str:
    actor = entry["actor"]
    return str(actor["id"] if isinstance(actor, Mapping) else actor)


@incidents.command()
@_id
@pass_shell
def verify(shell: Shell, incident_id: str) -> None:
    """Recompute the hash chain of the timeline; name the first broken link and exit 1 where it does not hold."""
    found = shell.api.call("GET", f"/incidents/{incident_id}/verify")
    broken, anchor = found.get("broken"), found.get("anchor")
    if shell.as_json:
        output.emit_json(found)
    elif found["ok"]:
        anchored = f", anchored at entry {anchor['seq']} in {anchor['key']}" if anchor else ", not anchored yet"
        output.emit_line(f"{incident_id}: {found['entries']} entries, the chain holds{anchored}", style="green")
    else:
        where = f"broken at entry {broken['seq']}: {broken['why']}" if broken else "does not hold"
        output.emit_line(f"{incident_id}: {where}", style="bold red")
    if not found["ok"]:
        raise click.exceptions.Exit(1)


@incidents.command()
@click.option("--title", required=True)
@click.option("--severity", help="SEV1 to SEV5.")
@click.option("--service")
@click.option("--environment")
@click.option("--kind", type=click.Choice(["real", "drill"]))
@pass_shell
def create(shell: Shell, /, **given: str | None) -> None:
    """Open an incident that no alarm has seen."""
    _print_change(shell, shell.api.call("POST", "/incidents", body={k: v for k, v in given.items() if v is not None}))


@incidents.command()
@_id
@_note
@_if_version
@pass_shell
def ack(shell: Shell, incident_id: str, note: str, if_version: int | None) -> None:
    """Take it: repeated pages stop."""
    _move(shell, incident_id, "acknowledge", {"note": note}, if_version)


@incidents.command()
@_id
@_note
@_if_version
@pass_shell
def mitigate(shell: Shell, incident_id: str, note: str, if_version: int | None) -> None:
    """The impact has stopped; the cause may still be there."""
    _move(shell, incident_id, "mitigate", {"note": note}, if_version)


@incidents.command()
@_id
@_note
@_if_version
@pass_shell
def resolve(shell: Shell, incident_id: str, note: str, if_version: int | None) -> None:
    """It is over: borrowed changes are given back, a postmortem is drafted."""
    _move(shell, incident_id, "resolve", {"note": note}, if_version)


@incidents.command()
@_id
@_note
@_if_version
@pass_shell
def close(shell: Shell, incident_id: str, note: str, if_version: int | None) -> None:
    """Nothing is owed any more."""
    _move(shell, incident_id, "close", {"note": note}, if_version)


@incidents.command()
@_id
@_note
@_if_version
@pass_shell
def reopen(shell: Shell, incident_id: str, note: str, if_version: int | None) -> None:
    """It was not over after all (soon after it was resolved)."""
    _move(shell, incident_id, "reopen", {"note": note}, if_version)


@incidents.command()
@_id
@click.option("--reason", type=click.Choice(CANCEL_REASONS), required=True)
@_note
@_if_version
@pass_shell
def cancel(shell: Shell, incident_id: str, reason: str, note: str, if_version: int | None) -> None:
    """It was no incident."""
    _move(shell, incident_id, "cancel", {"reason": reason, "note": note}, if_version)


@incidents.command()
@_id
@click.argument("severity")
@click.option("--reason", required=True, help="Why, for the timeline.")
@_if_version
@pass_shell
def severity(shell: Shell, incident_id: str, severity: str, reason: str, if_version: int | None) -> None:
    """Change the severity."""
    body = {"severity": parse_severity(severity).value, "reason": reason}
    _move(shell, incident_id, "severity", body, if_version)


@incidents.command()
@_id
@click.argument("text", nargs=-1, required=True)
@pass_shell
def note(shell: Shell, incident_id: str, text: tuple[str, ...]) -> None:
    """Write a line to the timeline (`-` reads standard input)."""
    words = sys.stdin.read().strip() if text == ("-",) else " ".join(text)
    _move(shell, incident_id, "notes", {"text": words}, None)


@incidents.command()
@_id
@click.option("--title")
@click.option("--service")
@click.option("--environment")
@click.option("--impact-started-at", metavar="TIME", help="With a time zone, such as 2026-03-01T11:42:00Z.")
@click.option("--users", type=click.IntRange(0), help="How many it hit, instead of the estimate.")
@click.option("--revenue", metavar="AMOUNT", help='What it cost, instead of the estimate, such as "1200 EUR".')
@_if_version
@pass_shell
def correct(
    shell: Shell,
    /,
    incident_id: str,
    *,
    users: int | None,
    revenue: str | None,
    if_version: int | None,
    **given: str | None,
) -> None:
    """Put right what triage could not know; what it was before stays in the timeline."""
    impact = {name: value for name, value in (("users", users), ("revenue", revenue)) if value is not None}
    body = {name: value for name, value in given.items() if value is not None} | ({"impact": impact} if impact else {})
    _print_change(shell, shell.api.call("PATCH", f"/incidents/{incident_id}", body=body, if_match=if_version))


def _move(shell: Shell, incident_id: str, verb: str, body: dict[str, str], if_version: int | None) -> None:
    given = {name: value for name, value in body.items() if value}
    _print_change(shell, shell.api.call("POST", f"/incidents/{incident_id}/{verb}", body=given, if_match=if_version))


def _print_change(shell: Shell, incident: Mapping[str, Any]) -> None:
    if shell.as_json:
        output.emit_json(incident)
    else:
        output.emit_line(
            f"{incident['id']} is {incident['status']}, {incident['severity']}, version {incident['version']}: "
            f"{incident['title']}"
        )
