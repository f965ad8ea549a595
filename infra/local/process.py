"""Detached processes that can always be found again.

The process writes its own id before it becomes the program, so that killing whoever started it loses nothing, and its
command line carries a marker, so that an id the system has given to somebody else is never taken for ours.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.local.errors import LocalTargetError

# $0 is the pid file, $1 the working directory; the id stays the same through exec.
_LAUNCH = 'cd "$1" && shift && echo $$ > "$0.new" && mv "$0.new" "$0" && exec "$@"'
_LAUNCH_SECONDS = 60
_POLL_SECONDS = 0.05
_LOOKS = 200
"""In a second: a busy machine may stop a process while it becomes another. The kernel's own threads cost all of it."""
_ENDED = re.compile(r"\) [ZX] [^)]*$")
"""In /proc/<pid>/stat the state follows the name, which may hold parentheses of its own."""


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """A process known by its pid file; `marker` is a part of its command line that no other process has."""

    pid_file: Path
    marker: str

    def start(self, command: Sequence[str], *, environment: Mapping[str, str], log: Path, directory: Path) -> None:
        """Start `command` in a session of its own, with its output appended to `log`."""
        if not any(self.marker in part for part in command):
            raise ValueError(f"the command does not carry the marker {self.marker}")
        self.pid_file.unlink(missing_ok=True)
        with log.open("ab") as output:
            # Not Popen: it would wait for, or complain about, a process that is to outlive us.
            os.posix_spawn(
                "/bin/sh",
                ["/bin/sh", "-c", _LAUNCH, str(self.pid_file), str(directory), *command],
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
                    (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
                ],
                setsid=True,
            )
        wait_until(self.pid_file.exists, seconds=_LAUNCH_SECONDS, what=f"the start of {command[0]}")

    def pid(self) -> int | None:
        """Return the id of the running process, or None when it is not running."""
        try:
            pid = int(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        return pid if self.marker in _command_line(pid) else None

    def stop(self, *, grace_seconds: float = 5) -> bool:
        """Stop the process and its children; return whether it was running."""
        pid = self.pid()
        if pid is not None:
            _signal_group(pid, signal.SIGTERM)
            with suppress(LocalTargetError):
                wait_until(lambda: self.pid() is None, seconds=grace_seconds, what="the end of a process")
            _signal_group(pid, signal.SIGKILL)
            wait_until(lambda: self.pid() is None, seconds=30, what="the end of a killed process")
        self.pid_file.unlink(missing_ok=True)
        return pid is not None


def _command_line(pid: int) -> str:
    """Return the command line of a process, empty when it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/cmdline").exists():
            return _from_proc(Path(f"/proc/{pid}"))
        shown = ["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)]
        line = subprocess.run(shown, capture_output=True, text=True, check=False).stdout
        return "" if line.startswith("Z") else line
    return ""


def _from_proc(process: Path) -> str:
    """The command line in /proc; while a process becomes another program it is empty for the living too."""
    for _ in range(_LOOKS):
        line = (process / "cmdline").read_bytes()
        if line or _ENDED.search((process / "stat").read_text(errors="replace")):
            break
        time.sleep(1 / _LOOKS)
    return line.replace(b"\0", b" ").decode(errors="replace")


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def wait_until(done: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Wait for `done`; raise LocalTargetError when it takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise LocalTargetError(f"waited {seconds:g} s for {what}")
        time.sleep(_POLL_SECONDS)
