"""A real Prometheus Alertmanager as a peer and as a client: one process on loopback, with its data in a folder.

Debian's package, fetched by `make alertmanager` into build/alertmanager, or one that is installed.
"""

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.local.emulator import free_port
from infra.local.process import wait_until

ROOT = Path(__file__).resolve().parents[1]
_UNPACKED = ROOT / "build" / "alertmanager" / "usr" / "bin" / "prometheus-alertmanager"
_START_SECONDS = 120


def binary() -> Path | None:
    """Where it is; None where neither apt nor the user brought it."""
    installed = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    return _UNPACKED if _UNPACKED.exists() else Path(installed) if installed else None


class Alertmanager:
    """Runs with `config` (its own YAML) until `stop`; `start` again finds what it had stored."""

    def __init__(self, folder: Path, config: str) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "alertmanager.yml").write_text(config)

    def start(self) -> "Alertmanager":
        program = binary()
        assert program
        log = (self._folder / "log").open("ab")
        command = [
            str(program), f"--config.file={self._folder / 'alertmanager.yml'}",
            f"--storage.path={self._folder / 'data'}", f"--web.listen-address=127.0.0.1:{self._port}",
            "--cluster.listen-address=",
        ]  # fmt: skip
        environment = {"AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1"}
        # What `make alertmanager` unpacked finds its templates from there.
        self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=program.parents[2], env=environment)
        log.close()
        wait_until(self._is_ready, seconds=_START_SECONDS, what=f"Alertmanager to answer ({self._folder / 'log'})")
        return self

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=60)
            self._process = None

    def kill(self) -> None:
        """SIGKILL, as the kernel would."""
        if self._process:
            self._process.kill()
            self._process.wait(timeout=60)
            self._process = None

    def fire(self, alerts: Sequence[dict[str, Any]]) -> None:
        """As Prometheus sends them: [{labels, annotations, startsAt, endsAt}]."""
        self._call("POST", "/api/v2/alerts", list(alerts))

    def alerts(self) -> list[dict[str, Any]]:
        """All that it knows of now."""
        found: list[dict[str, Any]] = self._call("GET", "/api/v2/alerts")
        return found

    def _is_ready(self) -> bool:
        try:
            self._call("GET", "/api/v2/status")
        except (OSError, urllib.error.URLError):
            return False
        return True

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None
