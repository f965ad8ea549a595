"""What `incidentio playbooks new` makes does as it promises before anybody has changed a word."""

from pathlib import Path
from typing import Any

from incidentio.cli.drafting import draft
from infra.cases.model import load_cases
from infra.documents import load_playbook_folder
from tests.integration.playbooks.rehearsal import rehearsed


def test_a_new_playbook_keeps_its_promises(emulator: dict[str, Any], tmp_path: Path) -> None:
    draft("cap-reports", like=None, owner="reporting", folder=tmp_path)
    playbook = load_playbook_folder(tmp_path / "cap-reports")
    for case in load_cases("cap-reports", tmp_path):
        with rehearsed(emulator, playbook, case) as rehearsal:
            assert rehearsal.play().outcome == case.expect.outcome, case.name
            if case.when.then == "resolve":
                rehearsal.resolve()
            assert rehearsal.now(case.expect.finally_) == case.expect.finally_, case.name
