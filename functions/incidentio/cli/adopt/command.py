"""`incidentio adopt`: a first catalogue from what is there."""

from pathlib import Path

import click

from incidentio.cli import output
from incidentio.cli.adopt.catalogue_file import (
    ROUTING,
    SERVICES,
    checked,
    difference,
    merged,
    routing_yaml,
    services_yaml,
)
from incidentio.cli.adopt.proposal import Proposal, propose
from incidentio.cli.adopt.seen import RIGHTS, look
from incidentio.cli.deployment import STACK, discover
from incidentio.cli.read_only import policy
from incidentio.cli.shell import Leaf, Shell, pass_shell
from incidentio.cli.text import inert_block
from incidentio.core.routing import Routing
from infra.documents import load_catalog
from infra.local.environment import ROOT

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(cls=Leaf)
@click.option("--catalog", type=_FOLDER, default=ROOT / "infra" / "catalog", help="Default: that of this checkout.")
@click.option("--write", is_flag=True, help="Put new services into the catalogue; exits 1 if some cannot be.")
@click.option("--policy", "only_policy", is_flag=True, help="Print the IAM policy this needs, and do nothing.")
@pass_shell
def adopt(shell: Shell, *, catalog: Path, write: bool, only_policy: bool) -> None:
    """Propose services.yaml and routing.yaml from this account's alarms, tags and resources.

    Says why and how sure for each service, and which alarms it could not place. What the catalogue says already
    stays as it is.
    """
    if only_policy:
        output.emit_json(policy(RIGHTS))
        return
    known = load_catalog(catalog)
    deployment = discover(shell.choice, directory=shell.directory)
    output.say(f"(reading the alarms of {deployment.region})")
    seen, unread = look(deployment.client("cloudwatch"), deployment.client("resourcegroupstaggingapi"))
    proposal = propose(seen, known, own_prefix=shell.stack or STACK)
    for problem in unread:
        output.say(f"could not read {problem}")
    if shell.as_json:
        output.emit_json(proposal.model_dump(mode="json"))
    else:
        _show(proposal, len(seen))
    there = _files(proposal, catalog, write=write)
    for name, why in proposal.left_out.items():
        output.say(f"{name} is left out: {why}; write it by hand")
    if write and (there or proposal.left_out):
        raise click.exceptions.Exit(1)


def _show(proposal: Proposal, alarms: int) -> None:
    placed = sum(len(service.alarms) for service in proposal.services)
    output.emit_line(
        f"{alarms} alarms: {placed} placed in {len(proposal.services)} proposed services, {proposal.known} in the "
        f"catalogue already, {sum(proposal.ignored.values())} none of our business, {len(proposal.unplaced)} not placed"
    )
    if proposal.services:
        output.emit_text(f"\n# {SERVICES}\nservices:\n{services_yaml(proposal.services)}")
    if routing := routing_yaml(proposal):
        output.emit_text(f"# {ROUTING}\n{routing}")
    for unplaced in proposal.unplaced:
        output.emit_line(f"not placed: {unplaced.alarm}: {unplaced.why}")


def _files(proposal: Proposal, catalog: Path, *, write: bool) -> tuple[str, ...]:
    """Show what would change in the files, and change it with `write`. Returns services that are there already."""
    path = catalog / SERVICES
    before = path.read_text() if path.is_file() else ""
    after, there = merged(before, proposal.services) if proposal.services else (before, ())
    files = {SERVICES: after} if after != before else {}
    routing = catalog / ROUTING
    ruled = routing.read_text() if routing.is_file() else ""
    wanted = routing_yaml(proposal)
    if wanted and load_catalog(catalog).routing == Routing():
        files[ROUTING] = f"{ruled.rstrip()}\n\n{wanted}".lstrip("\n")
    elif wanted:
        output.say(f"{routing} has rules of its own: it stays as it is")
    checked(catalog, files)
    for name, text in files.items():
        if write:
            changed = difference(ruled if name == ROUTING else before, text, str(catalog / name))
            click.echo(inert_block(changed), err=True)
            (catalog / name).write_text(text)
            output.say(f"wrote {catalog / name}")
    for name in there:
        output.say(f"{path} has {name} already, and it does not match all of its alarms: extend it by hand")
    if files and not write:
        output.say(f"--write puts this into {catalog}")
    return there
