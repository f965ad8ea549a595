"""Starts and watches MiniStack, the emulator behind the local target."""

import json
import socket
import urllib.error
import urllib.request

from infra.local.environment import ACCOUNT, REGION, ROOT, endpoint_url, process_environment
from infra.local.errors import LocalTargetError
from infra.local.process import wait_until
from infra.local.state import TargetState

PYTHON = ROOT / "build" / "emulator" / "bin" / "python"
START_SECONDS = 120
_PROGRAM = ROOT / "infra" / "local" / "ministack_main.py"


class PortTakenError(LocalTargetError):
    """Somebody else listens on the port."""


def free_port() -> int:
    """Return a loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_healthy(port: int) -> bool:
    """Return whether an emulator answers on `port`."""
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{endpoint_url(port)}/_ministack/health", timeout=2) as answer:
            return answer.status == 200 and "services" in json.load(answer)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def start(state: TargetState) -> None:
    """Start the emulator of `state` and wait until it answers.

    IAM is enforced and only loopback is bound. Raises PortTakenError or LocalTargetError.
    """
    if not PYTHON.exists():
        raise LocalTargetError("the emulator is not installed: run `make setup` first")
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", state.port)) == 0:
            raise PortTakenError(f"port {state.port} is in use by another program: choose another with --port")
    state.prepare()
    environment = process_environment(temporary=state.temporary) | {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(state.port),
        # The quota of a usual account: playbooks look at it, and it must not depend on this machine's memory.
        "LAMBDA_ACCOUNT_CONCURRENCY": "1000",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "S3_DATA_DIR": str(state.folder / "s3"),
        "STATE_DIR": str(state.folder / "state"),
    }
    emulator = state.emulator
    emulator.start(
        [str(PYTHON), "-P", str(_PROGRAM), emulator.marker],
        environment=environment,
        log=state.emulator_log,
        directory=state.folder,
    )
    wait_until(
        lambda: is_healthy(state.port) or emulator.pid() is None,
        seconds=START_SECONDS,
        what=f"the emulator to answer on port {state.port} (its log: {state.emulator_log})",
    )
    if emulator.pid() is None:
        log = state.emulator_log.read_text(errors="replace")
        if "already in use" in log:
            raise PortTakenError(f"port {state.port} is in use by another program: choose another with --port")
        raise LocalTargetError(
            f"the emulator ended while starting; the last lines of {state.emulator_log}:\n{log[-800:]}"
        )
