"""`python -m infra.pages [--check]`: write the pages, or name those that are out of date and exit with 1."""

import sys
from collections.abc import Mapping
from pathlib import Path

from incidentio.core.errors import InvalidInput
from infra.cases.model import ROOT, load_cases
from infra.documents import load_playbooks
from infra.located_yaml import shown
from infra.pages.commands import commands_page
from infra.pages.overview import library_page


def pages(root: Path = ROOT) -> dict[Path, str]:
    """Every generated page and what it should say.

    Raises:
        InvalidInput: a playbook or its cases are wrong; one mistake a line.
    """
    folder = root / "playbooks"
    playbooks = load_playbooks(folder)
    made = {root / "docs" / "playbooks.md": library_page(playbooks)}
    for name, playbook in playbooks.items():
        made[folder / name / "commands.md"] = commands_page(playbook, examples(name, folder))
    return made


def examples(name: str, folder: Path = ROOT / "playbooks") -> Mapping[str, int | str]:
    """The parameters that the first case with any gives the playbook."""
    return next((case.when.parameters for case in load_cases(name, folder) if case.when.parameters), {})


def stale(made: Mapping[Path, str]) -> list[Path]:
    return [path for path, text in made.items() if not path.is_file() or path.read_text() != text]


def main(arguments: list[str]) -> int:
    try:
        made = pages()
    except InvalidInput as error:
        print(error, file=sys.stderr)
        return 1
    old = stale(made)
    if arguments == ["--check"]:
        for path in old:
            print(f"{shown(path)} is not what its playbook.yaml says: run make pages", file=sys.stderr)
        return 1 if old else 0
    for path in old:
        path.write_text(made[path])
        print(shown(path))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
