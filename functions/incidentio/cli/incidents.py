"""`incidentio incidents`: see incidents and move them through their life."""

from collections.abc import Mapping
from typing import Any

import click

from incidentio.cli import changing, output
from incidentio.cli.facts import facts_of
from incidentio.cli.shell import INCIDENT_ID, Group, Shell, pass_shell
from incidentio.core.severity import parse_severity

_PAGE = 100
_id = click.argument("incident_id", metavar="ID", type=INCIDENT_ID)


@click.group(cls=Group)
def incidents() -> None:
    """See incidents and move them through their life."""


for _command in changing.COMMANDS:
    incidents.add_command(_command)


@incidents.command("list")
@click.option("--status", help="open (every status before resolved), or one status.")
@click.option("--all", "everything", is_flag=True, help="Whatever the status; the default is open.")
@click.option("--service")
@click.option("--severity")
@click.option("--kind", type=click.Choice(["real", "drill", "heartbeat"]))
@click.option("--environment")
@click.option(
    "--signal",
    metavar="KEY",
    help="Only the incident that this alarm (name or ARN) or dedup key (of a webhook: the sender's) went to.",
)
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
    signal: str | None,
    limit: int,
) -> None:
    """List incidents, the newest first."""
    filters = {
        "status": status or (None if everything or signal else "open"),
        "service": service,
        "severity": parse_severity(severity).value if severity else None,
        "kind": kind,
        "environment": environment,
        "signal": signal,
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
        empty=_none(signal, everything or bool(status)),
    )
    if cursor:
        output.say(f"there are more: --limit {limit * 2}")


def _none(signal: str | None, any_status: bool) -> str:
    if signal:
        return (
            f"{signal} went to no incident: nothing under that key has fired, or not yet (an alarm comes in within "
            "five minutes). The key of an Alertmanager or Grafana alert is its fingerprint: look for its title in "
            "`incidentio incidents list --all`. More: docs/why-was-i-paged.md"
        )
    return "no incident matches" if any_status else "no incident is open"


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
