"""The YAML a team writes, read into the models of core; every mistake of every file is told at once.

Each mistake is one line with file, line, place and what would be right; all of them travel in one InvalidInput.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from incidentio.core.bundle import Bundle
from incidentio.core.catalog import Catalog, Name, Service
from incidentio.core.errors import InvalidInput
from incidentio.core.mistakes import in_words
from incidentio.core.playbook import Playbook
from incidentio.core.routing import Routing
from infra.located_yaml import Document, Location, Problem, Unreadable, read, shown
from infra.maintenance_checks import maintenance_mistakes
from infra.model_fields import keys_at
from infra.playbook_checks import automation_mistakes, playbook_mistakes
from infra.redaction_checks import redaction_mistakes

M = TypeVar("M", bound=BaseModel)

Mistakes = Callable[[Any], Iterator[tuple[Location, str]]]
"""What is wrong with a file's data beyond its model's reach, as (where, what)."""

CATALOG_FILES = ("routing.yaml", "services.yaml")
PLAYBOOK_FILE = "playbook.yaml"


def load_bundle(catalog: Path, *playbooks: Path) -> Bundle:
    """The catalogue folder and all playbooks below the other folders, checked against each other.

    Raises:
        InvalidInput: all mistakes, one a line.
    """
    problems: list[Problem] = []
    found = _playbooks(playbooks, problems)
    known = found if not problems else None
    loaded = _catalog(catalog, known, problems)
    _raise(problems)
    return Bundle(catalog=loaded, playbooks=found)


def load_catalog(folder: Path, playbooks: Mapping[str, Playbook] | None = None) -> Catalog:
    """`services.yaml` and `routing.yaml` of `folder`; each may be missing or empty.

    With `playbooks`, what `automation.auto` names must be among them and able to start by itself.

    Raises:
        InvalidInput: all mistakes, one a line.
    """
    problems: list[Problem] = []
    catalog = _catalog(folder, playbooks, problems)
    _raise(problems)
    return catalog


def load_playbooks(*folders: Path) -> dict[str, Playbook]:
    """Every `<name>/playbook.yaml` below the folders, by name.

    Raises:
        InvalidInput: all mistakes, one a line.
    """
    problems: list[Problem] = []
    found = _playbooks(folders, problems)
    _raise(problems)
    return found


def load_playbook_folder(home: Path) -> Playbook:
    """The playbook of one folder, which has its name.

    Raises:
        InvalidInput: all mistakes, one a line.
    """
    problems: list[Problem] = []
    found = _playbook(home, problems)
    if found is None and not problems:
        problems.append(Problem(shown(home / PLAYBOOK_FILE), 1, "", "the file is empty"))
    _raise(problems)
    assert found is not None  # noqa: S101 - or a problem says why
    return found


def _raise(problems: list[Problem]) -> None:
    if problems:
        lines = [str(problem) for problem in sorted(set(problems))]
        raise InvalidInput("\n".join(lines), problems=lines)


def _catalog(folder: Path, playbooks: Mapping[str, Playbook] | None, problems: list[Problem]) -> Catalog:
    if not folder.is_dir():
        problems.append(Problem(shown(folder), 1, "", "this folder does not exist"))
        return Catalog()
    problems.extend(
        Problem(shown(path), 1, "", f"unknown file: known are {', '.join(CATALOG_FILES)}")
        for path in folder.iterdir()
        if path.suffix in (".yaml", ".yml", ".json") and path.name not in CATALOG_FILES
    )
    services = _model(folder / "services.yaml", _Services, problems, lambda data: automation_mistakes(data, playbooks))
    routing = _model(folder / "routing.yaml", Routing, problems, _routing_mistakes)
    return Catalog(services=services.services if services else {}, routing=routing or Routing())


def _routing_mistakes(data: Any) -> Iterator[tuple[Location, str]]:
    yield from redaction_mistakes(data)
    yield from maintenance_mistakes(data)


class _Services(BaseModel):
    """`services.yaml`: the catalogue without the routing, which has its own file."""

    model_config = ConfigDict(extra="forbid")

    services: dict[Name, Service] = Field(default_factory=dict)


def _playbooks(folders: tuple[Path, ...], problems: list[Problem]) -> dict[str, Playbook]:
    found: dict[str, Playbook] = {}
    homes: dict[str, Path] = {}
    for home in (home for folder in folders for home in _homes(folder, problems)):
        playbook = _playbook(home, problems)
        if playbook is None:
            continue
        path = home / PLAYBOOK_FILE
        if playbook.name in homes:
            other = shown(homes[playbook.name] / PLAYBOOK_FILE)
            problems.append(Problem(shown(path), 1, "name", f"{playbook.name} is already in {other}"))
        found[playbook.name], homes[playbook.name] = playbook, home
    return found


def _playbook(home: Path, problems: list[Problem]) -> Playbook | None:
    path = home / PLAYBOOK_FILE
    if not path.is_file():
        problems.append(Problem(shown(home), 1, "", f"a playbook's folder holds a {PLAYBOOK_FILE}; there is none"))
        return None
    return _model(path, Playbook, problems, lambda data: playbook_mistakes(data, home.name))


def _homes(folder: Path, problems: list[Problem]) -> list[Path]:
    if not folder.is_dir():
        problems.append(Problem(shown(folder), 1, "", "this folder does not exist"))
        return []
    return [home for home in sorted(folder.iterdir()) if home.is_dir() and not home.name.startswith((".", "_"))]


def _model(path: Path, model: type[M], problems: list[Problem], mistakes: Mistakes = lambda _: iter(())) -> M | None:
    """The file as `model`; None where it is missing, empty or wrong (then its problems are added)."""
    try:
        document = read(path) if path.is_file() else None
    except Unreadable as error:
        problems.extend(error.problems)
        return None
    if document is None or (document.data is None and not _required(model)):
        return None
    if not isinstance(document.data, dict):
        problems.append(document.problem((), f"expected keys and values: {', '.join(keys_at(model, ()) or ())}"))
        return None
    wrong = [document.problem(at, message) for at, message in mistakes(document.data)]
    try:
        made: M | None = model.model_validate(document.data)
    except ValidationError as error:
        made = None
        wrong += _told(error, document, model, whole=not wrong)
    problems.extend(wrong)
    return None if wrong else made


def _required(model: type[BaseModel]) -> bool:
    return any(field.is_required() for field in model.model_fields.values())


def _told(error: ValidationError, document: Document, model: type[BaseModel], *, whole: bool) -> Iterator[Problem]:
    """pydantic's errors at their lines.

    Errors of the document as a `whole` have no place; they are left out when the same mistake was found with one.
    """
    found = error.errors(include_url=False)
    places = [e["loc"] for e in found]
    # A list whose items are wrong is called too short as well: only the items are worth telling.
    told = [e for e in found if e["type"] != "too_short" or not any(_inside(at, e["loc"]) for at in places)]
    for at, same in groupby(told, key=lambda e: _written(e["loc"], document)):
        if at or whole:
            yield document.problem(at, _text(list(same), model))


def _inside(at: Location, outer: Location) -> bool:
    return len(at) > len(outer) and at[: len(outer)] == outer


def _written(at: Location, document: Document) -> Location:
    """The location without what pydantic adds of its own: `[key]`, `<tag>`, and the branch of a union below a value."""
    if at and at[-1] == "[key]":
        at = at[:-1]
    data = document.data
    at = tuple(part for part in at if not (isinstance(part, str) and part.startswith("<")))
    for depth, part in enumerate(at):
        if isinstance(data, dict):
            if part not in data:
                return at[: depth + 1]
        elif not (isinstance(data, list) and isinstance(part, int) and part < len(data)):
            return at[:depth]
        data = data[part]
    return at


_NOT_YET = {
    "error_budget": "there are no SLOs to compare it with yet: leave it out, or the gate would judge by nothing"
}


def _text(errors: list[Any], model: type[BaseModel]) -> str:
    error = errors[0]
    if error["type"] == "extra_forbidden":
        if model is Playbook and error["loc"] in [(name,) for name in _NOT_YET]:
            return _NOT_YET[str(error["loc"][0])]
        valid = keys_at(model, error["loc"][:-1])
        return f"unknown key: valid are {', '.join(valid)}" if valid else "unknown key"
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        kinds = str(error["ctx"].get("expected_tags", "action, manual, wait, parallel, foreach"))
        return "not a step that may stand here: valid are " + re.sub(r"[<>']", "", kinds)
    return in_words(errors)
