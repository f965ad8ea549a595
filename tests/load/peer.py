"""The same storms through a real Alertmanager, where there is one: how often and how soon it tells, what a kill leaves.

It groups by service and waits for nobody (`group_wait: 0s`), which is as fast as it can be set. No gate: reported only.
What a kill half way leaves of the storm of fifty roots is measured here for both, one after the other.
"""

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.alertmanager import Alertmanager, binary
from tests.load.rows import Row, row
from tests.load.storm import STORM, alarm_of, lost_by_kill

_CHUNK = 100
_QUIET_SECONDS = 10
_CONFIG = """
route:
  receiver: people
  group_by: [service]
  group_wait: 0s
  group_interval: 5m
  repeat_interval: 4h
receivers:
  - name: people
    webhook_configs: [{{url: "{url}"}}]
"""


def measure() -> Iterator[Row]:
    """Ours alone where there is no Alertmanager."""
    if binary() is None:
        print("      no Alertmanager here: `make alertmanager` fetches Debian's", flush=True)
    else:
        for roots in (1, 50):
            yield from _told(roots)
    yield row("storm_lost_by_kill", lost_by_kill())
    if binary() is not None:
        yield row("peer_alertmanager_lost_by_kill", _lost_by_kill())


def _told(roots: int) -> Iterator[Row]:
    with _peer() as (alertmanager, people):
        alerts = [_alert(n % roots, n) for n in range(STORM)]
        started = time.monotonic()
        _send(alertmanager, alerts)
        people.fall_silent()
        yield row(f"peer_alertmanager_publishes.{roots}_roots", len(people.arrivals))
        yield row(f"peer_alertmanager_seconds_to_first.{roots}_roots", people.arrivals[0] - started)


def _lost_by_kill(signals: int = STORM) -> int:
    """It is killed when it has told of the first half, and gets the second half when it is up again."""
    alerts = [_alert(n % 50, n) for n in range(signals)]
    with _peer() as (alertmanager, people):
        _send(alertmanager, alerts[: signals // 2])
        people.fall_silent()
        alertmanager.kill()
        alertmanager.start()
        _send(alertmanager, alerts[signals // 2 :])
        return signals - len(alertmanager.alerts())


def _alert(root: int, n: int) -> dict[str, Any]:
    labels = {"alertname": alarm_of(root, n), "service": f"root-{root:02d}", "severity": "critical"}
    return {"labels": labels, "annotations": {}, "startsAt": datetime.now(UTC).isoformat()}


def _send(alertmanager: Alertmanager, alerts: list[dict[str, Any]]) -> None:
    for start in range(0, len(alerts), _CHUNK):
        alertmanager.fire(alerts[start : start + _CHUNK])


class _People(ThreadingHTTPServer):
    """Takes every notification and remembers when it came."""

    def __init__(self) -> None:
        self.arrivals: list[float] = []
        super().__init__(("127.0.0.1", 0), _Notified)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def fall_silent(self) -> None:
        """Until something came and nothing more comes."""
        deadline = time.monotonic() + 120
        while not self.arrivals or time.monotonic() - self.arrivals[-1] < _QUIET_SECONDS:
            if time.monotonic() > deadline:
                raise TimeoutError("Alertmanager tells nobody, or does not stop")
            time.sleep(0.1)


class _Notified(BaseHTTPRequestHandler):
    server: _People

    def do_POST(self) -> None:
        json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.arrivals.append(time.monotonic())
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def _peer() -> Iterator[tuple[Alertmanager, _People]]:
    people = _People()
    threading.Thread(target=people.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="incidentio-peer-") as folder:
        alertmanager = Alertmanager(Path(folder), _CONFIG.format(url=people.url))
        try:
            yield alertmanager.start(), people
        finally:
            alertmanager.kill()
            people.shutdown()
            people.server_close()
