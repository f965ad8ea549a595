"""`incidentio approvals`: decide what automation may do."""

from collections.abc import Mapping
from typing import Any

import click

from incidentio.cli import output
from incidentio.cli.shell import APPROVAL_ID, INCIDENT_ID, Group, Shell, pass_shell

_reason = click.option("-m", "--reason", default="", help="Why, for the timeline.")


@click.group(cls=Group)
def approvals() -> None:
    """Decide what automation may do."""


@approvals.command("list")
@click.argument("incident_id", metavar="[ID]", type=INCIDENT_ID, required=False)
@click.option("--all", "everything", is_flag=True, help="Decided and expired ones as well.")
@pass_shell
def list_approvals(shell: Shell, incident_id: str | None, everything: bool) -> None:
    """List what waits for a decision: of one incident, or of all that are open."""
    from incidentio.cli.client import open_incidents  # noqa: PLC0415 - requests is slow to import, and --help needs none

    ids = [incident_id] if incident_id else open_incidents(shell.api)
    found = [
        {"incident_id": each, **approval}
        for each in ids
        for approval in shell.api.call("GET", f"/incidents/{each}/approvals")["items"]
        if everything or approval["status"] == "pending"
    ]
    if shell.as_json:
        output.emit_json({"items": found, "next": None})
        return
    output.emit_table(
        ["approval", "status", "playbook", "risk", "target", "expires", "incident"],
        [
            (
                a["id"], a["status"], f"{a['playbook']} {a['version']}", "by hand" if _manual(a) else a["risk"],
                _target(a), output.moment(a.get("expires_at"))[11:], a["incident_id"],
            )
            for a in found
        ],
        empty="nothing waits for a decision",
    )  # fmt: skip
    for asked in filter(_manual, found):
        output.emit_line(f"{asked['id']}: {asked['note']}")
        for command in asked.get("commands", ()):
            output.emit_line(f"  {command}")


def _manual(approval: Mapping[str, Any]) -> bool:
    """Whether somebody is asked to do something, and not whether something may be done."""
    return approval.get("kind") == "manual"


def _target(approval: Mapping[str, Any]) -> str:
    targets = approval.get("targets") or [approval.get("target") or ""]
    return ", ".join(str(target).rsplit("|", 1)[-1] for target in targets)


@approvals.command()
@click.argument("approval_id", metavar="APPROVAL", type=APPROVAL_ID)
@_reason
@pass_shell
def approve(shell: Shell, approval_id: str, reason: str) -> None:
    """Let it happen; this also acknowledges the incident. Of a step by hand: it is done."""
    _decide(shell, approval_id, "approve", reason)


@approvals.command()
@click.argument("approval_id", metavar="APPROVAL", type=APPROVAL_ID)
@_reason
@pass_shell
def reject(shell: Shell, approval_id: str, reason: str) -> None:
    """Refuse it: nothing is changed. Of a step by hand: it is not done, and the run gives back."""
    _decide(shell, approval_id, "reject", reason)


def _decide(shell: Shell, approval_id: str, decision: str, reason: str) -> None:
    body = {"decision": decision, **({"reason": reason} if reason else {})}
    approval = shell.api.call("POST", f"/approvals/{approval_id}", body=body)
    if shell.as_json:
        output.emit_json(approval)
    else:
        output.emit_line(f"{approval['id']} is {approval['status']}: {approval['playbook']} on {_target(approval)}")
