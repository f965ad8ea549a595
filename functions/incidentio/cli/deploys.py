"""`incidentio deploys`: tell of a deploy, and see what changed."""

import click

from incidentio.cli import output
from incidentio.cli.shell import Group, Shell, pass_shell


@click.group(cls=Group)
def deploys() -> None:
    """Tell of a deploy, and see what changed."""


@deploys.command()
@click.option("--service", required=True, help="What was deployed.")
@click.option("--version", required=True, help="Which version of it, such as a tag or a commit.")
@click.option("--id", "deploy_id", help="Your own id of the deploy; the same id again is the same deploy.")
@click.option("--environment", help="Where, if not where the catalogue says.")
@click.option("--status", type=click.Choice(["started", "succeeded", "failed"]), help="How far it is (succeeded).")
@click.option("--irreversible", metavar="REASON", help="It cannot be rolled back, and why: a migration, for example.")
@click.option("--url", help="Where to read more.")
@pass_shell
def record(
    shell: Shell,
    *,
    service: str,
    version: str,
    deploy_id: str | None,
    environment: str | None,
    status: str | None,
    irreversible: str | None,
    url: str | None,
) -> None:
    """Tell of a deploy: from a pipeline, or by hand."""
    given = {"id": deploy_id, "environment": environment, "status": status, "url": url}
    body = {
        "service": service,
        "version": version,
        **{name: value for name, value in given.items() if value},
        **({"reversible": False, "reason": irreversible} if irreversible else {}),
    }
    change = shell.api.call("POST", "/deploys", body=body)
    if shell.as_json:
        output.emit_json(change)
    else:
        output.emit_line(f"{change['what']} is on record as {change['id']}")


@deploys.command("list")
@click.argument("service", required=False)
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="How many at most.")
@pass_shell
def list_deploys(shell: Shell, service: str | None, limit: int) -> None:
    """List what changed of SERVICE, newest first; without a name, what is of no service in the catalogue."""
    found = shell.api.call("GET", "/deploys", query={"service": service, "limit": str(limit)})
    if shell.as_json:
        output.emit_json(found)
        return
    output.emit_table(
        ["at", "what", "by", "rollback", "id"],
        [
            (output.moment(c["at"]), c["what"], c["actor"], "yes" if c["reversible"] else f"no: {c['reason']}", c["id"])
            for c in found["items"]
        ],
        empty=f"no change of {service} is on record" if service else "no change without a service is on record",
    )
