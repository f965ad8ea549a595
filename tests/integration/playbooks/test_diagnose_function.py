"""The facts about a function that AWS tells end on the timeline, and nothing that should not."""

from typing import Any

from infra.cases.model import ROOT, load_cases
from infra.documents import load_playbooks
from tests.integration.playbooks.rehearsal import rehearsed

PLAYBOOK = load_playbooks(ROOT / "playbooks")["diagnose-function"]


def test_the_timeline_tells_what_aws_tells(emulator: dict[str, Any]) -> None:
    with rehearsed(emulator, PLAYBOOK, load_cases(PLAYBOOK.name)[0]) as rehearsal:
        rehearsal.play()
        facts = rehearsal.stage.data("StepApplied")["facts"]
    told = "\n".join(facts)
    assert "errors 12 in the last hour, 0 in the hour before" in facts
    assert "reserved concurrency 10 of the account's 1000: it was reached in the last hour" in facts
    assert "alias live is version 1" in facts
    assert f"orders-{rehearsal.estate.aws.tag} feeds it: Enabled, at most 5 at once, batches of 10" in told
    assert "python3.13, 128 MB, timeout 3 s, Active" in facts
    assert all(fact in rehearsal.stage.text("StepApplied") for fact in facts[:3])
