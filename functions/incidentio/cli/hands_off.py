"""`incidentio hands-off`: stop automation for one incident, one service, one playbook, or everywhere."""

import click

from incidentio.cli import output
from incidentio.cli.shell import INCIDENT_ID, Leaf, Shell, pass_shell


@click.command("hands-off", cls=Leaf)
@click.argument("scope")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--hold", is_flag=True, help="Runs under way keep what they changed, as a loan, instead of undoing it.")
@pass_shell
def hands_off(shell: Shell, scope: str, state: str, reason: str, hold: bool) -> None:
    """Stop automation (`on`) or let it work again (`off`).

    SCOPE is an incident id, the name of a service or a playbook, or all. It blocks every further
    change that automation would make; the call under way is finished, and what was changed is given
    back, or with --hold kept for now. breaker#PLAYBOOK off lets a playbook start by itself again.
    """
    body = {"scope": _scope(scope), "on": state == "on", "reason": reason, **({"hold": True} if hold else {})}
    answer = shell.api.call("POST", "/hands-off", body=body)
    if shell.as_json:
        output.emit_json(answer)
    else:
        output.emit_line(f"automation is {'stopped' if state == 'on' else 'working again'} for {scope}")


def _scope(text: str) -> str:
    """An id as the API knows it; anything else as it is."""
    if not text.strip().upper().startswith("INC-"):
        return text
    return INCIDENT_ID.convert(text, None, None)
