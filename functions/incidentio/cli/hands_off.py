"""`incidentio hands-off`: stop automation for one incident, one service, one playbook, or everywhere."""

import click

from incidentio.cli import output
from incidentio.cli.shell import INCIDENT_ID, Leaf, Shell, pass_shell


@click.command("hands-off", cls=Leaf)
@click.argument("scope")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--reason", required=True, help="Why, for the record.")
@pass_shell
def hands_off(shell: Shell, scope: str, state: str, reason: str) -> None:
    """Stop automation (`on`) or let it work again (`off`).

    SCOPE is an incident id, the name of a service or a playbook, or all. It blocks every further
    change that automation would make; an undo always goes on.
    """
    answer = shell.api.call("POST", "/hands-off", body={"scope": _scope(scope), "on": state == "on", "reason": reason})
    if shell.as_json:
        output.emit_json(answer)
    else:
        output.emit_line(f"automation is {'stopped' if state == 'on' else 'working again'} for {scope}")


def _scope(text: str) -> str:
    """An id as the API knows it; anything else as it is."""
    if not text.strip().upper().startswith("INC-"):
        return text
    return INCIDENT_ID.convert(text, None, None)
