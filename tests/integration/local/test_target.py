"""The local target with a small app in place of ours: what happens when things are killed, doubled or taken."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import emulator, target
from infra.local.deployment import APP_PYTHON, Deployable
from infra.local.environment import ROOT, local_client
from infra.local.errors import LocalTargetError
from infra.local.process import wait_until
from infra.local.state import TargetState, default_port, known_ports

APP = """
from aws_cdk import App, CfnOutput, Duration, Stack, aws_events as events, aws_events_targets as targets, aws_sqs as sqs
from infra.local.adapt import adapt, synthesizer
app = App()
stack = Stack(app, "sample", synthesizer=synthesizer())
queue = sqs.Queue(stack, "queue")
every_minute = events.Schedule.rate(Duration.minutes(1))
rule = events.Rule(stack, "sweep", schedule=every_minute, targets=[targets.SqsQueue(queue)])
CfnOutput(stack, "IngestQueueUrl", value=queue.queue_url)
CfnOutput(stack, "SweepRuleName", value=rule.rule_name)
adapt(app)
app.synth()
"""
RUN = """
import sys
from pathlib import Path
from infra.local import target
from infra.local.deployment import Deployable
target.up(home=Path(sys.argv[1]), port=None, deployable=Deployable(app=sys.argv[2]), say=print)
"""


class Targets:
    """The local targets of one folder, with a small app."""

    def __init__(self, home: Path, app: str) -> None:
        self.home = home
        self.deployable = Deployable(app=app)

    def up(self, port: int | None = None) -> dict[str, Any]:
        return target.up(home=self.home, port=port, deployable=self.deployable, say=lambda _line: None)

    def down(self, port: int | None = None) -> list[int]:
        return target.down(home=self.home, port=port)

    def status(self) -> list[dict[str, Any]]:
        return target.status(home=self.home)

    def state(self, description: dict[str, Any]) -> TargetState:
        return TargetState(self.home, int(description["endpoint_url"].rsplit(":", 1)[1]))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the CDK CLI runs: it brings the assembly, which was synthesised once."""
    folder = tmp_path_factory.mktemp("app")
    written, assembly = folder / "app.py", folder / "cdk.out"
    written.write_text(APP)
    subprocess.run([APP_PYTHON, written], cwd=ROOT, env={**os.environ, "CDK_OUTDIR": str(assembly)}, check=True)
    return f'cp -R {assembly}/. "$CDK_OUTDIR"'


@pytest.fixture
def targets(tmp_path: Path, app: str) -> Iterator[Targets]:
    found = Targets(tmp_path / "state", app)
    yield found
    for port in known_ports(found.home):
        found.down(port)


def arrived(description: dict[str, Any]) -> int:
    queue = local_client("sqs", int(description["endpoint_url"].rsplit(":", 1)[1]))
    attributes = queue.get_queue_attributes(
        QueueUrl=description["outputs"]["IngestQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


def killed(state: TargetState) -> None:
    pid = state.emulator.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: state.emulator.pid() is None, seconds=60, what="the end of the emulator")


def test_a_killed_up_is_made_good_by_the_next(targets: Targets) -> None:
    command = [sys.executable, "-c", RUN, str(targets.home), targets.deployable.app]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as interrupted:
        wait_until(lambda: any(targets.home.glob("*/deployment.pid")), seconds=90, what="the deployment to begin")
        interrupted.kill()
    assert targets.status() == []

    description = targets.up()
    assert targets.status() == [description]
    assert known_ports(targets.home) == [targets.state(description).port]

    assert targets.up() == description

    killed(targets.state(description))
    assert targets.status() == []
    assert targets.up()["endpoint_url"] == description["endpoint_url"]

    assert targets.down() == [targets.state(description).port]
    assert targets.down() == []
    assert list(targets.home.iterdir()) == []


def test_two_ports_are_two_targets_swept_every_second(targets: Targets) -> None:
    first, second = targets.up(emulator.free_port()), targets.up(emulator.free_port())
    wait_until(lambda: arrived(first) >= 2, seconds=90, what="two sweeps")
    assert targets.down(targets.state(second).port)
    assert targets.status() == [first]
    assert default_port(targets.home) == targets.state(first).port
    ticker = targets.state(first).ticker
    killed(targets.state(first))
    wait_until(lambda: ticker.pid() is None, seconds=90, what="the ticker to end with its emulator")


def test_a_port_in_use_by_somebody_else_is_refused(targets: Targets) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LocalTargetError, match=f"port {port} is in use"):
            targets.up(port)
    assert known_ports(targets.home) == []


def test_an_app_that_does_not_synthesise_leaves_nothing_running(targets: Targets, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text('raise SystemExit("services.yaml:3: error: tier is 1 to 5")')
    targets.deployable = Deployable(app=f"{APP_PYTHON} {broken}")
    with pytest.raises(LocalTargetError, match="tier is 1 to 5"):
        targets.up()
    assert targets.status() == []
    assert not any(TargetState(targets.home, port).emulator.pid() for port in known_ports(targets.home))
