import json
from pathlib import Path

import pytest

from infra.local.state import TargetBusyError, TargetState, default_port, known_ports


def described(port: int) -> dict[str, str]:
    return {"endpoint_url": f"http://127.0.0.1:{port}"}


def finished(home: Path, port: int) -> TargetState:
    state = TargetState(home, port)
    state.prepare()
    state.publish(described(port))
    return state


def test_the_last_target_brought_up_is_the_default_one(tmp_path: Path) -> None:
    for port in (4001, 4002):
        finished(tmp_path, port)
    assert default_port(tmp_path) == 4002
    assert known_ports(tmp_path) == [4001, 4002]
    assert json.loads((tmp_path / "local.json").read_text()) == described(4002)


def test_discarding_the_default_target_takes_its_description_along(tmp_path: Path) -> None:
    finished(tmp_path, 4001).discard()
    assert list(tmp_path.iterdir()) == []


def test_discarding_another_target_leaves_the_default_description(tmp_path: Path) -> None:
    other = finished(tmp_path, 4001)
    finished(tmp_path, 4002)
    other.discard()
    assert default_port(tmp_path) == 4002


def test_an_interrupted_deployment_is_not_finished(tmp_path: Path) -> None:
    state = finished(tmp_path, 4001)
    assert state.is_finished()
    state.unfinished.touch()
    assert not state.is_finished()


@pytest.mark.parametrize("content", ["", "{}", "not json"])
def test_a_damaged_description_is_no_default(tmp_path: Path, content: str) -> None:
    (tmp_path / "local.json").write_text(content)
    assert default_port(tmp_path) is None


def test_only_one_command_works_on_a_port(tmp_path: Path) -> None:
    state = TargetState(tmp_path, 4001)
    with state.lock():
        with pytest.raises(TargetBusyError, match="4001"), state.lock():
            pass
        with TargetState(tmp_path, 4002).lock():
            pass
    with state.lock():
        pass
    assert list(tmp_path.iterdir()) == []
