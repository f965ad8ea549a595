"""`incidentio playbooks`: what automation can do, and asking it to."""

from typing import Any

import click

from incidentio.cli import output
from incidentio.cli.shell import INCIDENT_ID, Group, Shell, pass_shell
from incidentio.core.errors import InvalidInput


@click.group(cls=Group)
def playbooks() -> None:
    """What automation can do, and asking it to."""


@playbooks.command("list")
@pass_shell
def list_playbooks(shell: Shell) -> None:
    """List the playbooks of this deployment."""
    found = shell.api.call("GET", "/playbooks")
    if shell.as_json:
        output.emit_json(found)
        return
    output.emit_table(
        ["playbook", "version", "risk", "approvals", "target", "parameters", "what"],
        [
            (
                p["name"], p["version"], p["risk"], p["approvals"], p["target_type"], ", ".join(p["parameters"]),
                p["description"],
            )
            for p in found["items"]
        ],
        empty="this deployment has no playbook",
    )  # fmt: skip


@playbooks.command()
@click.argument("incident_id", metavar="ID", type=INCIDENT_ID)
@click.argument("playbook")
@click.option("--target", help="What to act on; the default is what the alarm is about.")
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--dry-run", is_flag=True, help="Say what it would do, and do nothing.")
@pass_shell
def run(
    shell: Shell, *, incident_id: str, playbook: str, target: str | None, parameters: tuple[str, ...], dry_run: bool
) -> None:
    """Ask for a playbook to be run for an incident."""
    body: dict[str, Any] = {"parameters": dict(_parameter(text) for text in parameters)}
    if target:
        body["target"] = target
    if dry_run:
        body["dry_run"] = True
    asked = shell.api.call("POST", f"/incidents/{incident_id}/playbooks/{playbook}", body=body)
    if shell.as_json:
        output.emit_json(asked)
        return
    output.emit_facts({name.replace("_", " "): value for name, value in asked.items() if not isinstance(value, dict)})
    if not dry_run:
        output.say(f"follow it with: incidentio incidents timeline {incident_id}")


def _parameter(text: str) -> tuple[str, int | str]:
    """`limit=10` as name and value; whole numbers become numbers, as in YAML.

    Raises:
        InvalidInput: there is no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidInput(f"--param {text}: write it as NAME=VALUE, such as limit=10")
    try:
        return name.strip(), int(value)
    except ValueError:
        return name.strip(), value
