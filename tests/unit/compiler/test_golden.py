"""The compiled bytes, line by line: whoever changes the compiler sees, and commits, what becomes of every machine."""

import difflib
import json

import pytest

from incidentio.core.playbook import Playbook
from infra.compiler import compile_playbook
from tests.unit.compiler.golden import FOLDER, books, path, text


@pytest.mark.parametrize("book", list(books()), ids=lambda book: book.name)
def test_the_compiled_bytes_are_those_we_looked_at(book: Playbook) -> None:
    kept, now = path(book).read_text(), text(book)
    diff = "".join(difflib.unified_diff(kept.splitlines(True), now.splitlines(True), "looked at", "compiled now", n=2))
    assert not diff, f"raise COMPILER_VERSION and run: python -m tests.unit.compiler.golden\n{diff}"


@pytest.mark.parametrize("book", list(books()), ids=lambda book: book.name)
def test_the_same_yaml_gives_the_same_bytes(book: Playbook) -> None:
    again = Playbook.model_validate(json.loads(book.model_dump_json(by_alias=True)))
    first, second = (json.dumps(compile_playbook(b, control_arn="c", action_arn="a")) for b in (book, again))
    assert first == second


def test_no_machine_is_looked_at_that_nobody_makes() -> None:
    assert {kept.name for kept in FOLDER.iterdir()} == {path(book).name for book in books()}
