"""Playbooks of a checkout as files: a new one, and what is wrong with those there are."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from incidentio.core.errors import Conflict, InvalidInput, NotFound
from incidentio.core.nearest import no_playbook
from incidentio.core.playbook import Playbook
from infra.cases.estates import estate_of
from infra.cases.model import ROOT, load_cases
from infra.documents import PLAYBOOK_FILE, load_playbook_folder

_FILES = (PLAYBOOK_FILE, "cases.yaml", "README.md")
_SKELETON = "_skeleton"
_NAME = re.compile(r"[a-z][a-z0-9-]{2,40}")


def home(folder: Path | None) -> Path:
    """Raises NotFound: there is no such folder, as outside of a checkout."""
    found = folder or ROOT / "playbooks"
    if not found.is_dir():
        raise NotFound(f"there is no folder {found}: run this in a checkout of incidentio, or say --folder")
    return found


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith((".", "_")))


def draft(name: str, *, like: str | None, owner: str, folder: Path | None) -> list[Path]:
    """The files of a new playbook `name`, copied from `like` or the skeleton.

    Raises:
        InvalidInput: not a name. Conflict: it is taken. NotFound: there is no `like`.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name[:60]!r} is not a name: 3 to 41 lower case letters, digits and dashes, a letter first"
        )
    to = home(folder) / name
    if to.exists():
        raise Conflict(f"{to} is there already")
    source = ROOT / "playbooks" / (like or _SKELETON)
    if like and (like.startswith("_") or not source.is_dir()):
        raise NotFound(no_playbook(like, names_in(ROOT / "playbooks"), where=" to copy", listed="ls playbooks"))
    to.mkdir()
    for file in _FILES:
        text = (source / file).read_text().replace("NAME" if like is None else like, name)
        if file == PLAYBOOK_FILE:
            text = re.sub(r"(?m)^owner: .*$", f"owner: {owner}", text)
            text = re.sub(r"(?m)^version: .*$", "version: 1.0.0", text)
        (to / file).write_text(text)
    return [to / file for file in _FILES]


def playbook_named(name: str, *, folder: Path | None) -> Playbook:
    """Raises NotFound, with the valid names; InvalidInput, with what is wrong with it."""
    where = home(folder)
    if name not in names_in(where):
        raise NotFound(no_playbook(name, names_in(where), where=" here", listed=f"ls {where}"))
    return load_playbook_folder(where / name)


def mistakes(names: Sequence[str], *, folder: Path | None) -> tuple[list[str], list[str]]:
    """The playbooks looked at, and what is wrong with them, a line each: all of them, or `names`.

    Raises:
        NotFound: there is no such playbook, with the valid names.
    """
    where = home(folder)
    known = names_in(where)
    if unknown := [name for name in names if name not in known]:
        raise NotFound(no_playbook(unknown[0], known, where=" here", listed=f"ls {where}"))
    checked = list(dict.fromkeys(names)) or known
    return checked, [line for name in checked for line in _mistakes_of(where, name)]


def _mistakes_of(where: Path, name: str) -> Iterator[str]:
    try:
        playbook = load_playbook_folder(where / name)
    except InvalidInput as error:
        yield from error.message.splitlines()
        return
    try:
        words = estate_of(playbook).values
    except LookupError:
        words = ()
    try:
        load_cases(name, where, words=words, takes=playbook.parameters)
    except InvalidInput as error:
        yield from error.message.splitlines()
