"""`incidentio hands-off`: stop automation for one incident, one service, one playbook, or everywhere."""

import click

from incidentio.cli import output
from incidentio.cli.shell import INCIDENT_ID, Leaf, Shell, pass_shell

_REACH = (
    "this stops runs for its incidents, and runs on resources that its match.resources in services.yaml lists by name; "
    "not a run for another incident on what only tags or ARN patterns make its own: stop that incident, or all"
)


@click.command("hands-off", cls=Leaf)
@click.argument("scope", required=False)
@click.argument("state", type=click.Choice(["on", "off"]), required=False)
@click.option("--reason", help="Why, for the record.")
@click.option("--hold", is_flag=True, help="Runs under way keep what they changed, as a loan, instead of undoing it.")
@pass_shell
def hands_off(shell: Shell, scope: str | None, state: str | None, reason: str | None, hold: bool) -> None:
    """Stop automation (`on`), let it work again (`off`), or, without SCOPE, list where it is stopped.

    SCOPE is an incident id, the name of a service or a playbook, or all. It blocks every further
    change that automation would make; the call under way is finished, and what was changed is given
    back, or with --hold kept for now. breaker#PLAYBOOK off lets a playbook start by itself again.
    """
    if scope is None:
        _list(shell)
        return
    if state is None or not reason:
        raise click.UsageError(f"say on or off, and why: incidentio hands-off {scope} on --reason WHY")
    body = {"scope": _scope(scope), "on": state == "on", "reason": reason, **({"hold": True} if hold else {})}
    answer = shell.api.call("POST", "/hands-off", body=body)
    if shell.as_json:
        output.emit_json(answer)
    else:
        output.emit_line(f"automation is {'stopped' if state == 'on' else 'working again'} for {scope}")
        if state == "on" and str(answer.get("scope", "")).startswith("service#"):
            output.say(_REACH)


def _list(shell: Shell) -> None:
    """Switches and breakers that are on; incidents say so themselves."""
    found = shell.api.call("GET", "/hands-off")
    if shell.as_json:
        output.emit_json(found)
        return
    rows = [(s["scope"], s.get("by"), output.moment(s.get("at")), s.get("reason")) for s in found["items"] if s["on"]]
    output.emit_table(["stopped", "by", "since", "why"], rows, empty="automation is stopped nowhere")


def _scope(text: str) -> str:
    """An id as the API knows it; anything else as it is."""
    if not text.strip().upper().startswith("INC-"):
        return text
    return INCIDENT_ID.convert(text, None, None)
