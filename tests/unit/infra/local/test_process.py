import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.errors import LocalTargetError
from infra.local.process import Tracked, wait_until

SLEEPER = "import time; time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)


@pytest.fixture
def tracked(tmp_path: Path) -> Iterator[Tracked]:
    process = Tracked(pid_file=tmp_path / "it.pid", marker=f"marker={tmp_path}")
    yield process
    process.stop(grace_seconds=0)


def start(process: Tracked, program: str = SLEEPER) -> None:
    folder = process.pid_file.parent
    process.start(
        [sys.executable, "-c", program, process.marker],
        environment={"PATH": os.environ["PATH"]},
        log=folder / "log",
        directory=folder,
    )


def test_a_started_process_is_found_and_stopped(tracked: Tracked) -> None:
    assert tracked.pid() is None
    start(tracked)
    assert tracked.pid() == int(tracked.pid_file.read_text())
    assert tracked.stop() is True
    assert tracked.pid() is None
    assert tracked.stop() is False


def test_a_process_is_found_while_it_becomes_another_program(tracked: Tracked, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.write_text('exec /bin/sh "$0" "$1"\n')
    tracked.start(["/bin/sh", str(again), tracked.marker], environment={}, log=tmp_path / "log", directory=tmp_path)
    assert None not in {tracked.pid() for _ in range(2000)}


def test_a_process_that_ignores_the_polite_signal_is_killed(tracked: Tracked) -> None:
    start(tracked, STUBBORN)
    log = tracked.pid_file.parent / "log"
    wait_until(lambda: "ready" in log.read_text(), seconds=60, what="the process to be ready")
    assert tracked.stop(grace_seconds=0.2) is True
    assert tracked.pid() is None


def test_an_id_that_now_belongs_to_somebody_else_is_left_alone(tracked: Tracked) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPER]) as stranger:
        tracked.pid_file.write_text(str(stranger.pid))
        assert tracked.pid() is None
        assert tracked.stop() is False
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("content", ["", "no number"])
def test_a_damaged_pid_file_is_no_process(tracked: Tracked, content: str) -> None:
    tracked.pid_file.write_text(content)
    assert tracked.pid() is None


def test_a_command_without_its_marker_is_refused(tracked: Tracked) -> None:
    with pytest.raises(ValueError, match="marker"):
        tracked.start(["true"], environment={}, log=Path(os.devnull), directory=tracked.pid_file.parent)


def test_waiting_too_long_says_for_what() -> None:
    with pytest.raises(LocalTargetError, match="a miracle"):
        wait_until(lambda: False, seconds=0, what="a miracle")
