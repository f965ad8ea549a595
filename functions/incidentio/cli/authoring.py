"""`incidentio playbooks new|lint|render|test`: for whoever writes one, in a checkout and without AWS."""

from pathlib import Path
from typing import Any

import click

from incidentio.cli import output
from incidentio.cli.shell import Leaf, Shell, pass_shell
from incidentio.core.errors import InvalidInput

_FILES = ("playbook.yaml", "cases.yaml", "README.md")
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("new", cls=Leaf)
@click.argument("name")
@click.option("--like", metavar="PLAYBOOK", help="Begin with a copy of this one; the default is the skeleton.")
@click.option("--owner", default="platform", show_default=True, help="The team that answers for it.")
@click.option("--folder", type=_FOLDER, help="Where playbooks are; the default is playbooks/ of this checkout.")
def new(*, name: str, like: str | None, owner: str, folder: Path | None) -> None:
    """Make a playbook to change: its YAML, cases that already pass, and its page."""
    from incidentio.cli.drafting import draft  # noqa: PLC0415 - reads YAML, which --help needs not

    for path in draft(name, like=like, owner=owner, folder=folder):
        output.emit_line(str(path))
    output.say(f"change them, then: incidentio playbooks lint; incidentio playbooks test {name}; make pages")


@click.command("lint", cls=Leaf)
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--folder", type=_FOLDER, help="Where playbooks are; the default is playbooks/ of this checkout.")
@pass_shell
def lint(shell: Shell, *, names: tuple[str, ...], folder: Path | None) -> None:
    """Tell every mistake in playbooks and their cases, each with its line and what would be right."""
    from incidentio.cli.drafting import mistakes  # noqa: PLC0415 - as above

    checked, found = mistakes(names, folder=folder)
    if shell.as_json:
        output.emit_json({"checked": checked, "mistakes": found})
    else:
        for line in found:
            output.emit_line(line)
        count = f"{len(checked)} playbook{'' if len(checked) == 1 else 's'}"
        output.say(f"{count}, {len(found)} mistake{'' if len(found) == 1 else 's'}")
    if found:
        raise click.exceptions.Exit(1)


@click.command("render", cls=Leaf)
@click.argument("name")
@click.option("--states", "whole", is_flag=True, help="Every state of its machine instead of the way of a run.")
@click.option("--folder", type=_FOLDER, help="Where playbooks are; the default is playbooks/ of this checkout.")
@pass_shell
def render(shell: Shell, *, name: str, whole: bool, folder: Path | None) -> None:
    """Draw a playbook as a Mermaid diagram, and print the IAM rights its function gets."""
    from incidentio.cli.drafting import playbook_named  # noqa: PLC0415 - as above
    from infra.compiler import compile_playbook  # noqa: PLC0415 - as above
    from infra.pages.diagram import overview, states  # noqa: PLC0415 - as above
    from infra.pages.overview import rights  # noqa: PLC0415 - as above

    playbook = playbook_named(name, folder=folder)
    machine = compile_playbook(playbook, control_arn="CONTROL", action_arn="ACTION") if whole else {}
    drawn = states(machine) if whole else overview(playbook)
    policy: list[dict[str, Any]] = [
        {
            "Effect": "Allow",
            "Action": list(statement.actions),
            "Resource": list(statement.resources),
            **({"Condition": dict(statement.conditions)} if statement.conditions else {}),
        }
        for statement in rights(playbook)
    ]
    if shell.as_json:
        output.emit_json({"diagram": drawn, "rights": policy})
        return
    output.emit_text(drawn)
    for statement in policy:
        output.emit_line(f"allow {', '.join(statement['Action'])}")
        for resource in statement["Resource"]:
            output.emit_line(f"   on {resource}")
        for test, terms in statement.get("Condition", {}).items():
            output.emit_line(f"   if {test} {', '.join(f'{key} = {value}' for key, value in terms.items())}")


@click.command("test", cls=Leaf)
@click.argument("names", nargs=-1, metavar="[NAME]…")
def test(*, names: tuple[str, ...]) -> None:
    """Run the cases of playbooks of this checkout, and what must hold for every one.

    On a bare emulator on this machine with IAM enforced, as somebody who has just the declared rights: seconds, and
    no AWS account. `make test` runs the cases on the deployed app as well.
    """
    from incidentio.cli.drafting import mistakes  # noqa: PLC0415 - as above
    from incidentio.cli.trying import tried  # noqa: PLC0415 - starts pytest

    checked, found = mistakes(names, folder=None)
    if names and not found:
        _, found = mistakes((), folder=None)  # what tries them reads all of them
    if found:
        more = f" (and {len(found) - 1} more: incidentio playbooks lint)" if found[1:] else ""
        raise InvalidInput(found[0] + more)
    raise click.exceptions.Exit(0 if tried(checked if names else ()) else 1)
