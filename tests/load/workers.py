"""The processes in which the local target runs a function: how big they are, and their sudden end."""

import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path


class Workers:
    """All processes of a function of one target, told by an environment variable that it alone has, and its value."""

    def __init__(self, variable: str, value: str) -> None:
        self._mark = f"{variable}={value}".encode()

    def pids(self) -> list[int]:
        return [
            int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit() and self._is_one(folder)
        ]

    def megabytes(self) -> dict[int, float]:
        """Resident memory of each, by its id."""
        page, sizes = os.sysconf("SC_PAGE_SIZE"), {}
        for pid in self.pids():
            with contextlib.suppress(OSError):
                sizes[pid] = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page / 1e6
        return sizes

    def kill(self) -> int:
        """SIGKILL for every one; how many there were.

        Raises:
            RuntimeError: none, so that nothing was killed.
        """
        killed = 0
        for pid in self.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        if not killed:
            raise RuntimeError(f"no process has {self._mark.decode()} in its environment: nothing was killed")
        return killed

    def _is_one(self, folder: Path) -> bool:
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            return False
        return self._mark in environment


def growth(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """How many times its former memory the process has that grew most, of those that were there both times.

    Raises:
        RuntimeError: there is none, so that nothing was measured.
    """
    both = [after[pid] / before[pid] for pid in before.keys() & after.keys()]
    if not both:
        raise RuntimeError(f"memory was measured in {sorted(before)}, and then in {sorted(after)}: not one is the same")
    return max(both)
