from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import deployment, emulator, target, ticker
from infra.local.deployment import Deployable, RefusedError
from infra.local.errors import LocalTargetError
from infra.local.state import TargetState, default_port, known_ports


class Deployments:
    """Stands in for emulator and CDK; answers one deployment after the other."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = home
        self.answers: list[Exception | None] = []
        self.said: list[str] = []
        self.starts = 0
        monkeypatch.setattr(deployment, "check_tools", lambda: None)
        monkeypatch.setattr(deployment, "deploy", self._deploy)
        monkeypatch.setattr(emulator, "start", self._start)
        monkeypatch.setattr(ticker, "restart", lambda _state, **_options: None)

    def _start(self, state: TargetState) -> None:
        self.starts += 1
        state.prepare()
        state.emulator.start(
            ["/bin/sh", "-c", "sleep 60; :", state.emulator.marker],
            environment={"PATH": "/usr/bin:/bin"},
            log=state.emulator_log,
            directory=state.folder,
        )

    def _deploy(self, state: TargetState, _deployable: Deployable) -> dict[str, object]:
        answer = self.answers.pop(0) if self.answers else None
        if answer:
            raise answer
        return {"endpoint_url": f"http://127.0.0.1:{state.port}", "outputs": {}}

    def up(self, port: int = 4001) -> dict[str, object]:
        return target.up(home=self.home, port=port, deployable=Deployable(), say=self.said.append)


@pytest.fixture
def deployments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployments]:
    found = Deployments(tmp_path, monkeypatch)
    yield found
    for port in known_ports(tmp_path):
        target.down(home=tmp_path, port=port)


def test_a_running_target_is_updated_in_place(deployments: Deployments) -> None:
    assert deployments.up() == deployments.up()
    assert deployments.starts == 1


def test_what_cannot_be_updated_in_place_starts_afresh(deployments: Deployments) -> None:
    deployments.up()
    deployments.answers = [RefusedError("UPDATE_FAILED"), None]
    deployments.up()
    assert deployments.starts == 2
    assert "starting afresh" in "".join(deployments.said)


def test_a_mistake_in_the_app_leaves_a_running_target_as_it_was(deployments: Deployments) -> None:
    description = deployments.up()
    deployments.answers = [LocalTargetError("services.yaml:3: tier is 1 to 5")]
    with pytest.raises(LocalTargetError, match="tier"):
        deployments.up()
    assert target.status(home=deployments.home) == [description]


def test_a_first_deployment_that_fails_leaves_nothing_running(deployments: Deployments) -> None:
    deployments.answers = [RefusedError("CREATE_FAILED")]
    with pytest.raises(RefusedError):
        deployments.up()
    assert TargetState(deployments.home, 4001).emulator.pid() is None
    assert target.status(home=deployments.home) == []


def test_the_default_target_hands_over_to_the_one_brought_up_last_before_it(deployments: Deployments) -> None:
    for port in (4003, 4001, 4002):
        deployments.up(port)
    assert target.down(home=deployments.home, port=None) == [4002]
    assert default_port(deployments.home) == 4001
    assert target.down(home=deployments.home, port=4003) == [4003]
    assert target.down(home=deployments.home, port=None) == [4001]
    assert default_port(deployments.home) is None


def test_a_running_target_is_stopped_though_no_file_names_it(deployments: Deployments) -> None:
    deployments.up()
    TargetState.default_description(deployments.home).unlink()
    assert target.down(home=deployments.home, port=None) == [4001]


def test_a_killed_target_is_nobodys_heir(deployments: Deployments) -> None:
    for port in (4001, 4002):
        deployments.up(port)
    TargetState(deployments.home, 4001).emulator.stop()
    assert target.down(home=deployments.home, port=4002) == [4002]
    assert default_port(deployments.home) is None
