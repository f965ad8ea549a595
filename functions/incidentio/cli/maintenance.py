"""`incidentio maintenance`: planned work, during which nobody is told and nothing starts by itself."""

from collections.abc import Mapping
from typing import Any

import click

from incidentio.cli import output
from incidentio.cli.matchers import note_unusual
from incidentio.cli.said import as_typed
from incidentio.cli.shell import Group, Shell, pass_shell


@click.group(cls=Group)
def maintenance() -> None:
    """Plan work during which nobody is told and nothing starts by itself."""


@maintenance.command()
@click.argument("name")
@click.argument("matchers", nargs=-1, metavar="MATCHER...")
@click.option("-m", "--reason", required=True, help="Why, for the timeline of every incident it holds back.")
@click.option("--starts", "starts_at", metavar="TIME", help="When it begins, such as 2026-03-01T22:00:00Z.")
@click.option("--ends", "ends_at", metavar="TIME", help="When it ends; of a recurring one, when the last has begun.")
@click.option("--rrule", metavar="RULE", help="It comes again: RFC 5545, such as FREQ=WEEKLY;BYDAY=SU;BYHOUR=2.")
@click.option("--duration", help="How long a recurring one is open, such as 2h.")
@click.option("--timezone", metavar="ZONE", help="Whose wall clock the rule means, such as Europe/Berlin.")
@click.option("--everything", is_flag=True, help="Yes, every incident.")
@click.option("--mode", type=click.Choice(["live", "monitor"]), help="monitor only shows what it would hold back.")
@pass_shell
def create(shell: Shell, /, name: str, matchers: tuple[str, ...], *, everything: bool, **given: str | None) -> None:
    """Plan the window NAME for every incident that all MATCHERs fit, such as 'service="orders-db"'."""
    said = {key: value for key, value in given.items() if value is not None}
    body = {"name": name, "matchers": list(matchers), **said, **({"everything": True} if everything else {})}
    with as_typed({"starts_at": "--starts", "ends_at": "--ends", "rrule": "--rrule", "everything": "--everything"}):
        window = shell.api.call("POST", "/maintenance", body=body)
    if shell.as_json:
        output.emit_json(window)
    else:
        note_unusual(window["matchers"])
        output.emit_line(f"{window['id']} {window['name']}: {_when(window)}")


@maintenance.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are over as well, for 90 days.")
@pass_shell
def list_maintenance(shell: Shell, *, everything: bool) -> None:
    """List the windows that are open or will be, those of routing.yaml too."""
    found = shell.api.call("GET", "/maintenance", query={"all": "true" if everything else None})
    if shell.as_json:
        output.emit_json(found)
        return
    output.emit_table(
        ["window", "name", "matchers", "when", "by", "reason"],
        [
            (w["id"], w["name"], ", ".join(w["matchers"]) or "everything", _when(w), w["author"], w["reason"])
            for w in found["items"]
        ],
        empty="there are no maintenance windows" if everything else "no maintenance is planned",
    )


@maintenance.command()
@click.argument("window_id", metavar="WINDOW")
@pass_shell
def end(shell: Shell, window_id: str) -> None:
    """End it now, and all that would follow; what it held back and nobody has acknowledged is told within a minute."""
    window = shell.api.call("POST", f"/maintenance/{window_id.strip()}/end")
    if shell.as_json:
        output.emit_json(window)
    else:
        output.emit_line(f"{window['id']} {window['name']}: {_when(window)}")


def _when(window: Mapping[str, Any]) -> str:
    return output.with_mode(_opening(window), window["mode"])


def _opening(window: Mapping[str, Any]) -> str:
    if window["state"] == "active":
        return f"open until {output.moment(window['until'])}"
    if window["state"] == "pending":
        return f"opens {output.moment(window['next_starts_at'])}"
    if window["state"] == "broken":
        return f"holds nothing back: {window['problem']}"
    return f"ended {output.moment(window['ended_at'])}" if window["ended_at"] else "ended"
