"""The proof holds for every playbook there is, and fails for every seeded mistake of the compiler."""

import json
from typing import Any

import pytest

from incidentio.core.playbook import Playbook
from infra.compiler import UnsoundMachine, compile_playbook, machine
from infra.compiler.proof import flaws
from tests.unit.compiler.mutations import MUTATIONS, mutated
from tests.unit.compiler.test_envelope import ACTION, CONTROL, languages, playbook, shipped, variants


def proved(compiled: dict[str, Any], book: Playbook) -> list[str]:
    return flaws(compiled, book, control_arn=CONTROL, action_arn=ACTION)


def compiled(book: Playbook) -> dict[str, Any]:
    return compile_playbook(book, control_arn=CONTROL, action_arn=ACTION)


@pytest.mark.parametrize("book", shipped(), ids=lambda book: book.name)
def test_every_machine_we_ship_keeps_the_envelope(book: Playbook) -> None:
    assert proved(compiled(book), book) == []


@pytest.mark.parametrize("book", [*variants(), *languages()], ids=lambda book: f"{book.name}-{book.risk}")
def test_no_mutation_of_a_machine_keeps_the_envelope(book: Playbook) -> None:
    sound = compiled(book)
    assert proved(sound, book) == []
    unnoticed = [name for name, mutant in mutated(sound) if not proved(mutant, book)]
    assert unnoticed == []


def test_every_mutation_is_tried_somewhere() -> None:
    assert {name for book in [*variants(), *languages()] for name, _ in mutated(compiled(book))} == set(MUTATIONS)


def test_mutations_change_something() -> None:
    sound = compiled(playbook(risk="destructive", verify={}))
    assert all(json.dumps(mutant) != json.dumps(sound) for _, mutant in mutated(sound))


def test_what_cannot_be_proved_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "flaws", lambda *_, **__: ["Step1Apply is reached without the lock saying go"])
    with pytest.raises(UnsoundMachine, match=r"throttle-function: Step1Apply is reached without the lock"):
        compiled(playbook())
