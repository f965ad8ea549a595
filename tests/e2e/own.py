"""A target of one's own: for what must be there before the deploy, and for faults that would hit everybody."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from infra.local import deployment, emulator, object_lock, ticker
from infra.local.deployment import Deployable
from infra.local.environment import local_client
from infra.local.state import TargetState
from tests.e2e.world import eventually

THIRTY = 30


def start_estate(home: Path) -> tuple[TargetState, str]:
    """An emulator with thirty alarms and nothing of ours yet; returns it and the alarms' tag.

    One alarm is firing already, two belong to target tracking, the others are quiet.
    """
    state = TargetState(home, emulator.free_port())
    emulator.start(state)
    tag = uuid.uuid4().hex[:6]
    cloudwatch = local_client("cloudwatch", state.port)
    names = [f"TargetTracking-{tag}-{n}" for n in range(2)]
    names += [f"estate-{tag}-{n:02d}" for n in range(THIRTY - len(names))]
    for name in names:
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="Shop",
            MetricName="Errors",
            Dimensions=[{"Name": "Service", "Value": name}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=5,
            ComparisonOperator="GreaterThanThreshold",
        )
    cloudwatch.set_alarm_state(AlarmName=f"estate-{tag}-00", StateValue="ALARM", StateReason="before the deploy")
    cloudwatch.set_alarm_state(AlarmName=names[0], StateValue="ALARM", StateReason="scaling out")
    return state, tag


def deploy(state: TargetState, deployable: Deployable) -> dict[str, Any]:
    """The same steps as `incidentio local up`, on the emulator that runs already."""
    description = deployment.deploy(state, deployable)
    object_lock.switch_on(description["outputs"], port=state.port)
    ticker.restart(state, rule=description["outputs"][ticker.RULE_OUTPUT])
    state.publish(description)
    return description


def incidentio(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line against the target under `home`, as a user would in a folder of his.

    `variables` are further environment variables, such as those of another person.
    """
    folder = home / "somewhere"
    (folder / ".incidentio").mkdir(parents=True, exist_ok=True)
    described = json.loads((home / "local.json").read_text())
    (folder / ".incidentio" / "local.json").write_text(json.dumps(described))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "200", **variables}
    command = [str(Path(sys.executable).parent / "incidentio"), *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def sound_findings(home: Path) -> list[dict[str, Any]]:
    """What `incidentio doctor` finds once it is sound; fails with the findings that are not ok.

    A sweep may be late for a moment on a busy machine.
    """
    not_ok: list[dict[str, Any]] = []

    def sound() -> list[dict[str, Any]] | None:
        answer = incidentio(home, "doctor", "--json")
        assert answer.stdout, answer.stderr
        findings: list[dict[str, Any]] = json.loads(answer.stdout)["findings"]
        not_ok[:] = [finding for finding in findings if finding["verdict"] != "ok"]
        return findings if answer.returncode == 0 else None

    try:
        return eventually(sound, "a sound doctor") or []
    except AssertionError as error:
        raise AssertionError(f"{error}; not ok: {json.dumps(not_ok, indent=2)}") from None
