"""`docs/playbooks.md`: every playbook we ship, from its YAML."""

from collections.abc import Iterator, Mapping

from incidentio.core.duration import format_duration
from incidentio.core.playbook import Playbook
from incidentio.core.risk import Risk
from incidentio.mitigate.actions import Statement, permissions_for
from infra.pages.diagram import overview

_WHO = {0: "nobody", 1: "one person", 2: "two people"}

_TOP = """# The playbooks

Made from `playbooks/*/playbook.yaml` by `make pages`; `make check` fails when it is out of date. What is around the
steps of each, and how to write your own: [write a playbook](write-a-playbook.md). Each folder has a page for 3 a.m.
(`README.md`) and the same as plain `aws` commands (`commands.md`).
"""


def library_page(playbooks: Mapping[str, Playbook]) -> str:
    ordered = sorted(playbooks.values(), key=lambda playbook: playbook.name)
    return "\n".join((_TOP, *_table(ordered), "", *(line for each in ordered for line in _section(each))))


def rights(playbook: Playbook) -> list[Statement]:
    """What the playbook's function may do, with `REGION` and `ACCOUNT` for those it is deployed in."""
    return permissions_for(playbook, partition="aws", account="ACCOUNT", region="REGION")


def _table(playbooks: list[Playbook]) -> Iterator[str]:
    yield "| playbook | what | risk | who approves | target | given back |"
    yield "|---|---|---|---|---|---|"
    for each in playbooks:
        cells = (
            f"[{each.name}](#{each.name})",
            _cell(each.description),
            each.risk.value,
            _WHO[each.risk.approvals],
            each.targets.type.removeprefix("AWS::"),
            _given_back(each),
        )
        yield f"| {' | '.join(cells)} |"


def _given_back(playbook: Playbook) -> str:
    if playbook.revert:
        return f"when resolved, at most {format_duration(playbook.revert.at_latest)}"
    return "nothing changes" if playbook.risk is Risk.READ_ONLY else "no"


def _section(playbook: Playbook) -> Iterator[str]:
    yield f"## {playbook.name}"
    yield ""
    home = f"../playbooks/{playbook.name}"
    yield f"{playbook.description} [For 3 a.m.]({home}/README.md), [by hand]({home}/commands.md)."
    yield ""
    if playbook.when:
        yield f"Proposed when {' and '.join(f'`{each}`' for each in playbook.when)}."
        yield ""
    if playbook.parameters:
        yield "| parameter | default | meaning |"
        yield "|---|---|---|"
        for name, parameter in playbook.parameters.items():
            default = "none" if parameter.default is None else parameter.default
            shown = "empty" if default == "" else default
            yield f"| `{name}` | {shown} | {_cell(parameter.description)} |"
        yield ""
    yield "```mermaid"
    yield overview(playbook)
    yield "```"
    yield ""
    yield "| right | on |"
    yield "|---|---|"
    for statement in rights(playbook):
        on = [*(f"`{each}`" for each in statement.resources), *_conditions(statement)]
        yield f"| {'<br>'.join(f'`{action}`' for action in statement.actions)} | {'<br>'.join(on)} |"
    yield ""


def _conditions(statement: Statement) -> Iterator[str]:
    for test, terms in statement.conditions.items():
        for key, value in terms.items():
            shown = value if isinstance(value, str) else ", ".join(map(str, value))
            yield f"if {test} `{key}`: `{shown}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
