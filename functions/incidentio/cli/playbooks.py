"""`incidentio playbooks`: what automation can do, and asking it to."""

import time
from dataclasses import asdict
from typing import Any

import click

from incidentio.cli import authoring, output
from incidentio.cli.errors import NoRegionError
from incidentio.cli.shell import INCIDENT_ID, Group, Shell, pass_shell
from incidentio.core.errors import InvalidInput, Unavailable

_DRY_RUN_SECONDS = 60
_PEOPLE = {2: "two"}
_PARTS = ("look", "do", "undo")


@click.group(cls=Group)
def playbooks() -> None:
    """What automation can do, and asking it to."""


for _command in (authoring.new, authoring.lint, authoring.render, authoring.test):
    playbooks.add_command(_command)


@playbooks.command("list")
@pass_shell
def list_playbooks(shell: Shell) -> None:
    """List the playbooks of this deployment."""
    found = shell.api.call("GET", "/playbooks")
    if shell.as_json:
        output.emit_json(found)
        return
    output.emit_table(
        ["playbook", "version", "risk", "target", "parameters", "succeeded", "stale for", "what"],
        [
            (
                p["name"], p["version"], p["risk"], p["target_type"].removeprefix("AWS::"), ", ".join(p["parameters"]),
                _percent(p["success_rate"]), _stale_for(p["rehearsals"]),
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
@click.option("--break-glass", metavar="REASON", help="Without waiting for approval: loud, and on record.")
@pass_shell
def run(
    shell: Shell,
    *,
    incident_id: str,
    playbook: str,
    target: str | None,
    parameters: tuple[str, ...],
    dry_run: bool,
    break_glass: str | None,
) -> None:
    """Ask for a playbook to be run for an incident.

    It starts by itself and may wait for an approval. A dry run is waited for and printed; the exit code is 1
    when it would be refused.
    """
    body: dict[str, Any] = {"parameters": dict(_parameter(text) for text in parameters)}
    optional = {"target": target, "dry_run": dry_run, "break_glass": break_glass}
    body |= {name: value for name, value in optional.items() if value}
    asked = shell.api.call("POST", f"/incidents/{incident_id}/playbooks/{playbook}", body=body)
    if dry_run:
        asked = _finished(shell, incident_id, str(asked["id"]))
    if shell.as_json:
        output.emit_json(asked)
    elif dry_run:
        _print_plan(asked)
    else:
        output.emit_line(
            f"{asked['id']} is {asked['status'].replace('_', ' ')}: {asked['playbook']} {asked['version']} "
            f"on {asked['target'].rsplit('|', 1)[-1]}"
        )
        output.say(f"{_approvals(asked, incident_id)}follow it with: incidentio incidents timeline {incident_id}")
    if dry_run and asked["status"] != "planned":
        raise click.exceptions.Exit(1)


@playbooks.command()
@click.argument("run_id", metavar="RUN-…")
@click.option("--by-hand", metavar="WHAT", help="What you did instead: ends a loan that could not be given back.")
@pass_shell
def restore(shell: Shell, *, run_id: str, by_hand: str | None) -> None:
    """Give back what a run borrowed, now instead of when its incident is over."""
    body = {"by_hand": by_hand} if by_hand else {}
    run = shell.api.call("POST", f"/runs/{run_id.upper()}/restore", body=body)
    if shell.as_json:
        output.emit_json(run)
        return
    what = f"what {run['playbook']} borrowed on {run['target'].rsplit('|', 1)[-1]}"
    output.emit_line(
        f"{run['id']}: {what} is settled" if by_hand else f"{run['id']}: {what} is given back within a minute"
    )


@playbooks.command()
@click.argument("playbook")
@click.option("--service", required=True, help="For which service of the catalogue.")
@click.option("--target", help="What it would act on; the default is that of the last rehearsal or success.")
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@pass_shell
def rehearse(shell: Shell, *, playbook: str, service: str, target: str | None, parameters: tuple[str, ...]) -> None:
    """Rehearse a playbook for a service: a dry run in a drill that tells nobody, waited for and printed.

    A playbook that was not rehearsed since its definition changed, or for 90 days, does not start by itself. The exit
    code is 1 when the rehearsal fails, which also opens a ticket.
    """
    body: dict[str, Any] = {"service": service, "parameters": dict(_parameter(text) for text in parameters)}
    body |= {"target": target} if target else {}
    asked = shell.api.call("POST", f"/playbooks/{playbook}/rehearsals", body=body)
    ended = _finished(shell, str(asked["incident_id"]), str(asked["id"]))
    if shell.as_json:
        output.emit_json(ended)
    else:
        _print_plan(ended)
    if ended["status"] != "planned":
        output.say(f"a ticket about it is open for {service}, or was already: incidentio incidents list")
        raise click.exceptions.Exit(1)


@playbooks.command()
@click.argument("playbook")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@pass_shell
def history(shell: Shell, *, playbook: str, limit: int) -> None:
    """Show how each version of a playbook did, when it was last rehearsed for whom, and its runs."""
    runs = shell.api.call("GET", f"/playbooks/{playbook}/history?limit={limit}")["items"]
    known = {p["name"]: p for p in shell.api.call("GET", "/playbooks")["items"]}[playbook]
    if shell.as_json:
        output.emit_json({name: known[name] for name in ("success_rate", "versions", "rehearsals")} | {"runs": runs})
        return
    output.emit_table(
        ["version", "definition", "succeeded", "rolled back", "rollback failed", "refused", "success", "last"],
        [
            (
                v["version"], v["definition_hash"], v["succeeded"], v["rolled_back"], v["rollback_failed"],
                v["refused"], _percent(v["success_rate"]), output.moment(v["last_at"]),
            )
            for v in known["versions"]
        ],
        empty=f"{playbook} has not been run for a real incident yet",
    )  # fmt: skip
    for each in known["rehearsals"]:
        seen = "last dry run that would have worked" if each["dry_run"] else "last seen to work"
        when = f"{seen} for {each['service']} on {each['target']} at {output.moment(each['at'])}"
        output.emit_line(f"stale: {each['stale']}" if each["stale"] else when)
    if runs:
        output.emit_table(
            ["run", "kind", "at", "incident", "service", "version", "outcome", "reason"],
            [
                (
                    r["run_id"], _kind(r), output.moment(r["at"]), r["incident_id"], r["service"], r["version"],
                    r["outcome"].replace("_", " "), r["reason"],
                )
                for r in runs
            ],
            empty="",
        )  # fmt: skip


@playbooks.command("commands")
@click.argument("playbook")
@click.option("--target", required=True, help="What to act on: a function's name, or cluster/service.")
@click.option("--param", "parameters", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@click.option("--only", type=click.Choice(_PARTS), help="Only one part. Without it, undo is printed as comments.")
@pass_shell
def commands(shell: Shell, *, playbook: str, target: str, parameters: tuple[str, ...], only: str | None) -> None:
    """Print a playbook as plain `aws` commands, for when incidentio itself is down.

    Reads the playbooks of this checkout and calls nothing; without a Region it prints REGION. The commands, for bash,
    do nothing after a look that failed. They check nothing else and nobody: you do.
    """
    from incidentio.cli.by_hand import by_hand  # noqa: PLC0415 - reads YAML, which no other command here needs
    from incidentio.cli.deployment import discover  # noqa: PLC0415 - boto3 is slow to import, and --help needs none

    try:
        deployment = discover(shell.choice, directory=shell.directory)
    except NoRegionError:
        deployment = None
    values = dict(_parameter(text) for text in parameters)
    told = by_hand(playbook, target=target, parameters=values, region=deployment.region if deployment else "REGION")
    parts: dict[str, tuple[str, ...]] = asdict(told)
    if deployment is None:
        output.say("(no AWS Region is known: replace REGION)")
    elif deployment.is_local:
        output.say(f"({deployment.found})")
        parts = {name: tuple(map(deployment.pasteable, lines)) for name, lines in parts.items()}
    if shell.as_json:
        output.emit_json({name: lines for name, lines in parts.items() if only in (None, name)})
        return
    for name in _PARTS if only is None else (only,):
        # All of it at once into a shell must not give back what it has just done.
        comment = "# " if name == "undo" and only is None else ""
        output.emit_line(f"# {name}" + (": with --only undo it can be pasted" if comment and parts[name] else ""))
        for line in "\n".join(parts[name]).splitlines():
            output.emit_line(comment + line)


def _stale_for(rehearsals: list[dict[str, Any]]) -> str:
    """The services for which it does not start by itself, though their teams let it."""
    return ", ".join(each["service"] for each in rehearsals if each["automatic"] and each["stale"])


def _kind(run: dict[str, Any]) -> str:
    """A dry run in a drill is a rehearsal."""
    if run["kind"] == "real":
        return "dry run" if run["dry_run"] else "run"
    return "rehearsal" if run["dry_run"] else str(run["kind"])


def _approvals(asked: dict[str, Any], incident_id: str) -> str:
    """Whom an asked run waits for: nobody, when its risk or a broken glass says so."""
    needed = 0 if asked["break_glass"] else asked["approvals_needed"]
    if not needed:
        return ""
    people = "one person's approval" if needed == 1 else f"the approval of {_PEOPLE.get(needed, needed)} people"
    return f"it waits for {people}, not yours: incidentio approvals list {incident_id}; "


def _percent(rate: float | None) -> str:
    return "" if rate is None else f"{rate:g} %"


def _finished(shell: Shell, incident_id: str, run_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + _DRY_RUN_SECONDS
    while True:
        runs: list[dict[str, Any]] = shell.api.call("GET", f"/incidents/{incident_id}")["runs"]
        found = next((run for run in runs if run["id"] == run_id), None)
        if found and found["finished_at"]:
            return found
        if time.monotonic() > deadline:
            raise Unavailable(
                f"{run_id} has not finished after {_DRY_RUN_SECONDS} s: incidentio incidents show {incident_id}"
            )
        time.sleep(0.5)


def _print_plan(run: dict[str, Any]) -> None:
    output.emit_line(
        f"{run['id']}: {run['status']}, nothing was changed" + (f": {run['reason']}" if run["reason"] else "")
    )
    for step in run["plan"]:
        if step.get("error"):
            continue  # the run's reason says it
        output.emit_line(step["summary"])
        for command in step["do"]:
            output.emit_line(f"  do    {command}")
        for command in step["undo"]:
            output.emit_line(f"  undo  {command}")


def _parameter(text: str) -> tuple[str, int | str]:
    """`limit=10` as name and value; whole numbers become numbers, unless that would lose a zero.

    Raises:
        InvalidInput: there is no `=`.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidInput(f"--param {text}: write it as NAME=VALUE, such as limit=10")
    try:
        number = int(value)
    except ValueError:
        return name.strip(), value
    return name.strip(), number if str(number) == value else value
