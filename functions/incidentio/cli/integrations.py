"""`incidentio integrations`: who may send signals over HTTP."""

from typing import Any

import click

from incidentio.cli import output
from incidentio.cli.shell import Group, Shell, pass_shell
from incidentio.core.errors import IncidentioError
from incidentio.core.integration import PATHS

_name = click.argument("name")


@click.group(cls=Group)
def integrations() -> None:
    """Let systems send signals over HTTP, each with a key of its own."""


@integrations.command()
@_name
@click.option("--kind", required=True, type=click.Choice(sorted(PATHS)), help="What it speaks.")
@click.option("--mode", type=click.Choice(["live", "monitor"]), help="monitor: show what would be done, tell nobody.")
@click.option("--service", help="Of signals that name none.")
@click.option("--environment", help="Of signals that name none.")
@click.option("--severity", help="Of signals that name none.")
@click.option("--signed", is_flag=True, default=None, help="Standard Webhooks signatures as well (kind signals).")
@pass_shell
def create(shell: Shell, /, name: str, **settings: Any) -> None:
    """Make an integration. Its key is shown once."""
    given = {option: value for option, value in settings.items() if value is not None}
    _show_once(shell, shell.api.call("POST", "/integrations", body={"name": name, **given}))


@integrations.command("list")
@pass_shell
def list_integrations(shell: Shell) -> None:
    """List integrations, with the days their keys were made and last used."""
    answer = shell.api.call("GET", "/integrations")
    if shell.as_json:
        output.emit_json(answer)
        return
    output.emit_table(
        ["name", "kind", "mode", "service", "environment", "severity", "keys", "last used"],
        [
            (
                each["name"], each["kind"], each["mode"], each["service"], each["environment"], each["severity"],
                ", ".join(f"{key['id']} of {key['created_at'][:10]}" for key in each["keys"])
                or f"revoked {output.moment(each['revoked_at'])[:10]} by {each['revoked_by']}",
                each["last_used_on"],
            )
            for each in answer["items"]
        ],
        empty="no integrations: `incidentio integrations create NAME --kind alertmanager` makes one",
    )  # fmt: skip


@integrations.command()
@_name
@pass_shell
def changes(shell: Shell, name: str) -> None:
    """Who made, rotated or revoked it, and when."""
    answer = shell.api.call("GET", f"/integrations/{name}/changes")
    if shell.as_json:
        output.emit_json(answer)
        return
    rows = [
        (output.moment(each["at"]), each["action"], each["by"], ", ".join(each["keys"])) for each in answer["items"]
    ]
    output.emit_table(["at", "what", "by", "keys from then on"], rows, empty="nothing")


@integrations.command()
@_name
@click.option("--drop-old", is_flag=True, help="The key before stops working at once.")
@pass_shell
def rotate(shell: Shell, name: str, drop_old: bool) -> None:
    """Make a new key, shown once. The one before works until the next rotation."""
    _show_once(shell, shell.api.call("POST", f"/integrations/{name}/rotate", body={"drop_old": drop_old}))


@integrations.command()
@_name
@pass_shell
def revoke(shell: Shell, name: str) -> None:
    """End all its keys, now. What it has sent stays."""
    answer = shell.api.call("DELETE", f"/integrations/{name}")
    if shell.as_json:
        output.emit_json(answer)
    else:
        output.emit_line(f"{answer['name']} is revoked: its keys open nothing any more")


def _show_once(shell: Shell, answer: dict[str, Any]) -> None:
    integration = answer["integration"]
    url = _door(shell) + integration["path"]
    if shell.as_json:
        output.emit_json({**answer, "url": url})
        return
    output.say("write the key down: it is not shown again")
    secret = {"signing secret": answer["signing_secret"]} if answer["signing_secret"] else {}
    output.emit_facts({"name": integration["name"], "url": url, "key": answer["key"], **secret})


def _door(shell: Shell) -> str:
    """The address of the HTTP door, where this run can read it; the name of the output that says it elsewhere."""
    try:
        return shell.deployment.output("WebhookUrl").rstrip("/")
    except IncidentioError:
        return "<WebhookUrl>"
