"""The machines we look at when the compiler changes; `python -m tests.unit.compiler.golden` writes them anew."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from incidentio.core.playbook import Playbook
from infra.compiler import compile_playbook

FOLDER = Path(__file__).parent / "golden"


def books() -> Iterator[Playbook]:
    """Between them, every form a machine may take."""
    least: dict[str, Any] = {
        "name": "least",
        "version": "1.0.0",
        "owner": "platform",
        "risk": "safe",
        "targets": {"type": "AWS::Lambda::Function"},
        "steps": [{"action": "disable-rule", "with": {"rule": "loop"}}],
    }
    yield Playbook.model_validate(least)
    yield Playbook.model_validate(
        least
        | {
            "name": "most",
            "risk": "destructive",
            "approval": {"timeout": "10m", "on_timeout": "escalate"},
            "steps": [
                {"action": "disable-rule", "with": {"rule": "loop"}},
                {"action": "set-reserved-concurrency", "with": {"value": 0}, "timeout": "2m"},
            ],
            "verify": {"within": "10m", "poll": "15s"},
            "revert": {"at_latest": "4h"},
        }
    )
    rule = {"action": "disable-rule", "with": {"rule": "loop"}}
    yield Playbook.model_validate(
        least
        | {
            "name": "every-kind",
            "targets": {"type": "AWS::Lambda::Function", "max": {"count": 2}},
            "steps": [
                {"wait": "45s", "if": ['severity="SEV1"']},
                {"manual": "Tell the shop", "commands": ["echo shop"], "timeout": "5m"},
                {"parallel": [[rule], [{"wait": "5s"}, rule]]},
                {"foreach": "targets", "steps": [{"action": "set-reserved-concurrency", "with": {"value": 1}}]},
            ],
        }
    )


def text(book: Playbook) -> str:
    """What is compared: the machine as lines, in the order of its bytes."""
    machine = compile_playbook(book, control_arn="arn:control", action_arn="arn:action")
    # The hash is the definition's affair, and moves with every key a playbook may have.
    return json.dumps(machine, indent=1, ensure_ascii=False).replace(book.definition_hash, "DEFINITION") + "\n"


def path(book: Playbook) -> Path:
    return FOLDER / f"{book.name}.json"


if __name__ == "__main__":
    for each in books():
        path(each).write_text(text(each))
