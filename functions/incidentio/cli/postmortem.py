"""`incidentio postmortem`: read what was drafted, and put a reviewed one on record."""

import sys
from pathlib import Path

import click

from incidentio.cli import output
from incidentio.cli.shell import INCIDENT_ID, Group, Shell, pass_shell

_id = click.argument("incident_id", metavar="ID", type=INCIDENT_ID)


@click.group(cls=Group)
def postmortem() -> None:
    """Read what was drafted, and put a reviewed one on record."""


@postmortem.command()
@_id
@pass_shell
def show(shell: Shell, incident_id: str) -> None:
    """Print the postmortem as Markdown."""
    found = shell.api.call("GET", f"/incidents/{incident_id}/postmortem")
    if shell.as_json:
        output.emit_json(found)
    else:
        output.emit_text(str(found["markdown"]))


@postmortem.command()
@_id
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="The reviewed Markdown; the default is what `show` prints. A draft with parts to fill in is refused.",
)
@pass_shell
def review(shell: Shell, incident_id: str, path: Path | None) -> None:
    """Store the reviewed version under a retention lock."""
    if path is None:
        markdown = shell.api.call("GET", f"/incidents/{incident_id}/postmortem")["markdown"]
    else:
        markdown = sys.stdin.read() if str(path) == "-" else path.read_text()
    _settle(shell, incident_id, "review", {"markdown": markdown})


@postmortem.command()
@_id
@click.option("--reason", required=True, help="Why none is needed, for the timeline.")
@pass_shell
def waive(shell: Shell, incident_id: str, reason: str) -> None:
    """Do without: the incident can close."""
    _settle(shell, incident_id, "waive", {"reason": reason})


def _settle(shell: Shell, incident_id: str, verb: str, body: dict[str, str]) -> None:
    answer = shell.api.call("POST", f"/incidents/{incident_id}/postmortem/{verb}", body=body)
    if shell.as_json:
        output.emit_json(answer)
    else:
        output.emit_line(f"the postmortem of {incident_id} is {'reviewed' if verb == 'review' else 'waived'}")
