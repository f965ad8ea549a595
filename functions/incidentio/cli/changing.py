"""Commands that change an incident: open it, move it through its life, note and correct."""

import sys
from collections.abc import Mapping
from typing import Any

import click

from incidentio.cli import output
from incidentio.cli.shell import INCIDENT_ID, Leaf, Shell, pass_shell
from incidentio.core.lifecycle import CANCEL_REASONS
from incidentio.core.severity import parse_severity

_note = click.option("-m", "--note", default="", help="Why, for the timeline.")
_if_version = click.option(
    "--if-version", type=click.IntRange(1), metavar="N", help="Only if the incident is still at this version."
)
_id = click.argument("incident_id", metavar="ID", type=INCIDENT_ID)


@click.command(cls=Leaf)
@click.option("--title", required=True)
@click.option("--severity", help="SEV1 to SEV5.")
@click.option("--service")
@click.option("--environment")
@click.option("--kind", type=click.Choice(["real", "drill"]))
@pass_shell
def create(shell: Shell, /, **given: str | None) -> None:
    """Open an incident that no alarm has seen."""
    _print_change(shell, shell.api.call("POST", "/incidents", body={k: v for k, v in given.items() if v is not None}))


def _moved(name: str, verb: str, help: str) -> click.Command:
    """A command that needs no more than the incident and, for the timeline, why."""

    @click.command(name, cls=Leaf, help=help)
    @_id
    @_note
    @_if_version
    @pass_shell
    def move(shell: Shell, incident_id: str, note: str, if_version: int | None) -> None:
        _move(shell, incident_id, verb, {"note": note}, if_version)

    return move


@click.command(cls=Leaf)
@_id
@click.option("--reason", type=click.Choice(CANCEL_REASONS), required=True)
@_note
@_if_version
@pass_shell
def cancel(shell: Shell, incident_id: str, reason: str, note: str, if_version: int | None) -> None:
    """It was no incident."""
    _move(shell, incident_id, "cancel", {"reason": reason, "note": note}, if_version)


@click.command(cls=Leaf)
@_id
@click.argument("severity")
@click.option("--reason", required=True, help="Why, for the timeline.")
@_if_version
@pass_shell
def severity(shell: Shell, incident_id: str, severity: str, reason: str, if_version: int | None) -> None:
    """Change the severity."""
    body = {"severity": parse_severity(severity).value, "reason": reason}
    _move(shell, incident_id, "severity", body, if_version)


@click.command(cls=Leaf)
@_id
@click.argument("text", nargs=-1, required=True)
@pass_shell
def note(shell: Shell, incident_id: str, text: tuple[str, ...]) -> None:
    """Write a line to the timeline (`-` reads standard input)."""
    words = sys.stdin.read().strip() if text == ("-",) else " ".join(text)
    _move(shell, incident_id, "notes", {"text": words}, None)


@click.command(cls=Leaf)
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


COMMANDS = (
    create,
    _moved("ack", "acknowledge", "Take it: repeated pages stop."),
    _moved("mitigate", "mitigate", "The impact has stopped; the cause may still be there."),
    _moved("resolve", "resolve", "It is over: borrowed changes are given back, a postmortem is drafted."),
    _moved("close", "close", "Nothing is owed any more."),
    _moved("reopen", "reopen", "It was not over after all (soon after it was resolved)."),
    cancel,
    severity,
    note,
    correct,
)
