"""The facts about a service and a cluster end on the timeline."""

from typing import Any

import pytest

from infra.cases.model import ROOT, load_cases
from infra.documents import load_playbooks
from tests.integration.playbooks.rehearsal import rehearsed

LIBRARY = load_playbooks(ROOT / "playbooks")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "diagnose-service",
            [
                "2 of 2 tasks run",
                "scales itself between 1 and 4 tasks",
                "1 task stopped: Essential container in task exited",
            ],
        ),
        (
            "diagnose-cluster",
            [
                "it is UPDATING, Kubernetes 1.33, control plane tier tier-xl",
                "node group workers is ACTIVE, Kubernetes unknown, wants 2 nodes (1 to 3)",
                "add-ons that are ACTIVE: coredns v1.12.1-eksbuild.2",
                "2026-03-01 00:00 UTC VersionUpdate InProgress: Version 1.34",
            ],
        ),
    ],
)
def test_the_timeline_tells_what_aws_tells(emulator: dict[str, Any], name: str, told: list[str]) -> None:
    with rehearsed(emulator, LIBRARY[name], load_cases(name)[0]) as rehearsal:
        rehearsal.play()
        facts = rehearsal.stage.data("StepApplied")["facts"]
    assert [fact for fact in facts if fact in told] == told, facts
