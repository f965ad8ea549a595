"""`incidentio silences`: nobody is told of what matches, for a while."""

import click

from incidentio.cli import output
from incidentio.cli.matchers import note_unusual
from incidentio.cli.said import as_typed
from incidentio.cli.shell import Group, Shell, pass_shell


@click.group(cls=Group)
def silences() -> None:
    """Tell nobody of what matches, for a while and for a reason."""


@silences.command()
@click.argument("matchers", nargs=-1, metavar="MATCHER...")
@click.option("-m", "--comment", required=True, help="Why, for the timeline of every incident it holds back.")
@click.option("--for", "duration", help="How long, such as 30m or 2h (default: 1h).")
@click.option("--until", "ends_at", metavar="TIME", help="Instead: when it ends, such as 2026-03-01T14:00:00Z.")
@click.option("--starts", "starts_at", metavar="TIME", help="When it begins (default: now).")
@click.option("--everything", is_flag=True, help="Yes, every incident.")
@click.option("--mode", type=click.Choice(["live", "monitor"]), help="monitor only shows what it would hold back.")
@pass_shell
def create(shell: Shell, /, matchers: tuple[str, ...], *, everything: bool, **given: str | None) -> None:
    """Silence every incident that all MATCHERs fit, such as 'service="checkout"' or 'severity=~"SEV[345]"'."""
    body = {"matchers": list(matchers), **{name: value for name, value in given.items() if value is not None}}
    with as_typed({"starts_at": "--starts", "ends_at": "--until", "duration": "--for", "everything": "--everything"}):
        silence = shell.api.call("POST", "/silences", body={**body, **({"everything": True} if everything else {})})
    if shell.as_json:
        output.emit_json(silence)
        return
    note_unusual(silence["matchers"])
    what = ", ".join(silence["matchers"]) or "everything"
    done = "is silenced" if silence["mode"] == "live" else "would be silenced, which is only shown,"
    when = f"from {output.moment(silence['starts_at'])} until" if silence["state"] == "pending" else "until"
    output.emit_line(f"{silence['id']}: {what} {done} {when} {output.moment(silence['ends_at'])}")


@silences.command("list")
@click.option("--all", "everything", is_flag=True, help="Expired ones as well, for 90 days.")
@pass_shell
def list_silences(shell: Shell, *, everything: bool) -> None:
    """List what is silenced or will be."""
    found = shell.api.call("GET", "/silences", query={"all": "true" if everything else None})
    if shell.as_json:
        output.emit_json(found)
        return
    output.emit_table(
        ["silence", "state", "matchers", "until", "by", "comment"],
        [
            (s["id"], output.with_mode(s["state"], s["mode"]), ", ".join(s["matchers"]) or "everything",
             output.moment(s["ends_at"]), s["author"], s["comment"])
            for s in found["items"]
        ],
        empty="there are no silences" if everything else "nothing is silenced",
    )  # fmt: skip


@silences.command()
@click.argument("silence_id", metavar="SILENCE")
@pass_shell
def expire(shell: Shell, silence_id: str) -> None:
    """End it now: what it held back, and nobody has acknowledged, is told within a minute."""
    silence = shell.api.call("POST", f"/silences/{silence_id.strip().upper()}/expire")
    if shell.as_json:
        output.emit_json(silence)
    else:
        output.emit_line(f"{silence['id']} has ended ({output.moment(silence['ends_at'])})")
