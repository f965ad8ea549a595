"""Every playbook that takes a change back is refused where that change is recorded as not reversible."""

from datetime import timedelta
from typing import Any

from incidentio.core.changes import ChangeRecord, change_write
from incidentio.core.playbook import Playbook
from tests.integration.playbooks.test_envelope import each, unchanged


def undoes(playbook: Playbook) -> bool:
    return playbook.undoes_change


@each(undoes)
def test_a_migration_is_not_rolled_back(emulator: dict[str, Any], playbook: Playbook) -> None:
    with unchanged(emulator, playbook) as rehearsal:
        stage = rehearsal.stage
        at = stage.clock() - timedelta(minutes=12)
        migration = ChangeRecord(
            id="d-8",
            source="deploys",
            service=stage.incident.service,
            at=at,
            what="deploy of checkout 8",
            reversible=False,
            reason="drops the column total",
        )
        stage.table.write(change_write(migration))
        run = rehearsal.play()
        assert run.outcome == "refused"
        assert "deploy of checkout 8" in run.reason
        assert "drops the column total" in stage.text("PlaybookRefused")
        assert not rehearsal.call.used
