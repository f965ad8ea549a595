"""What the local targets of one folder leave on disk: `.incidentio/<port>/` each, and `.incidentio/local.json`."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.errors import LocalTargetError
from infra.local.process import Tracked


class TargetBusyError(LocalTargetError):
    """Another command works on this target."""


@dataclass(frozen=True)
class TargetState:
    """The files of the target on `port` under the state folder `home`."""

    home: Path
    port: int

    @property
    def folder(self) -> Path:
        return self.home / str(self.port)

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    @property
    def emulator_log(self) -> Path:
        return self.folder / "emulator.log"

    @property
    def ticker_log(self) -> Path:
        return self.folder / "ticker.log"

    @property
    def deploy_log(self) -> Path:
        return self.folder / "deploy.log"

    @property
    def assembly(self) -> Path:
        return self.folder / "cdk.out"

    @property
    def adaptations(self) -> Path:
        return self.folder / "adaptations.json"

    @property
    def stack_outputs(self) -> Path:
        return self.folder / "outputs.json"

    @property
    def unfinished(self) -> Path:
        """Present while a deployment changes the target: what was left by a killed `up` is not trusted."""
        return self.folder / "unfinished"

    @property
    def description(self) -> Path:
        return self.folder / "local.json"

    @property
    def emulator(self) -> Tracked:
        return self._tracked("emulator")

    @property
    def ticker(self) -> Tracked:
        return self._tracked("ticker")

    @property
    def deployment(self) -> Tracked:
        return self._tracked("deployment")

    def _tracked(self, name: str) -> Tracked:
        return Tracked(pid_file=self.folder / f"{name}.pid", marker=self.marker(name))

    def marker(self, name: str) -> str:
        """Return the command line part by which a process of this target is recognised."""
        return f"incidentio-local-{name}={self.folder}"

    def prepare(self) -> None:
        """Create the folders, keeping what is there."""
        self.temporary.mkdir(parents=True, exist_ok=True)

    def discard(self) -> None:
        """Remove everything this target left on disk; the default one hands over to the newest that is up."""
        if self.is_default():
            self._hand_over()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _hand_over(self) -> None:
        while heir := newest_up(self.home, besides=self):
            with suppress(FileNotFoundError):
                heir.write(heir.default_description(self.home), heir.description.read_text())
            # Whoever stops the heir from here on sees that it is the default one.
            if heir.is_up():
                return
        self.default_description(self.home).unlink(missing_ok=True)

    def publish(self, description: dict[str, Any]) -> None:
        """Write the description where scripts look for it."""
        text = json.dumps(description, indent=2) + "\n"
        for path in (self.description, self.default_description(self.home)):
            self.write(path, text)

    def write(self, path: Path, text: str) -> None:
        """Replace the text of `path`; a reader sees the old one or the new one."""
        unfinished = path.with_name(f"{path.name}.{self.port}.new")
        unfinished.write_text(text)
        unfinished.replace(path)

    def is_default(self) -> bool:
        """Return whether `.incidentio/local.json` describes this target."""
        return default_port(self.home) == self.port

    def is_finished(self) -> bool:
        """Return whether the target was brought up to the end."""
        return self.description.exists() and not self.unfinished.exists()

    def is_up(self) -> bool:
        """Return whether the target runs and is deployed."""
        return self.is_finished() and self.emulator.pid() is not None

    @staticmethod
    def default_description(home: Path) -> Path:
        return home / "local.json"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold this target; raise TargetBusyError when another command works on it."""
        self.home.mkdir(parents=True, exist_ok=True)
        path = self.home / f".{self.port}.lock"
        with _locked(path, self.port):
            try:
                yield
            finally:
                if not self.folder.exists():
                    path.unlink()


@contextmanager
def _locked(path: Path, port: int) -> Iterator[None]:
    while True:
        with path.open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TargetBusyError(
                    f"another `incidentio local` command is working on port {port}: wait for it, or stop it"
                ) from None
            # The former holder may have removed the file that we opened: then it is nobody's lock.
            if path.exists() and path.stat().st_ino == os.fstat(handle.fileno()).st_ino:
                yield
                return


def default_port(home: Path) -> int | None:
    """Return the port of the target that `.incidentio/local.json` describes."""
    with suppress(FileNotFoundError, ValueError, KeyError):
        described = json.loads(TargetState.default_description(home).read_text())
        return int(described["endpoint_url"].rsplit(":", 1)[1])
    return None


def current_port(home: Path) -> int | None:
    """Return the port that a command without `--port` means: the default one, else the newest that is up."""
    if (port := default_port(home)) is not None:
        return port
    newest = newest_up(home)
    return newest.port if newest else None


def newest_up(home: Path, *, besides: TargetState | None = None) -> TargetState | None:
    """Return the target that was brought up last of those that are up."""
    up = [state for port in known_ports(home) if (state := TargetState(home, port)) != besides and state.is_up()]
    return max(up, key=_brought_up_at, default=None)


def _brought_up_at(state: TargetState) -> int:
    with suppress(FileNotFoundError):
        return state.description.stat().st_mtime_ns
    return 0


def known_ports(home: Path) -> list[int]:
    """Return the ports that have left a folder, in order."""
    return sorted(int(path.name) for path in home.glob("[0-9]*") if path.is_dir()) if home.is_dir() else []
