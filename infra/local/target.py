"""Brings a local target up and down."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from infra.local import deployment, emulator, object_lock, ticker
from infra.local.deployment import Deployable, RefusedError
from infra.local.environment import endpoint_url
from infra.local.errors import LocalTargetError
from infra.local.state import TargetBusyError, TargetState, current_port, known_ports

_PORT_TRIES = 5
Say = Callable[[str], None]


def up(*, home: Path, port: int | None, deployable: Deployable, say: Say) -> dict[str, Any]:
    """Start the target where needed, deploy the app to it and return its description.

    Without a port, the running default target is brought up to date, or a new one starts on a free port.
    Raises LocalTargetError.
    """
    deployment.check_tools()
    if port is not None:
        return _up(TargetState(home, port), deployable, say)
    default = current_port(home)
    _discard_stale(home)
    candidates = [default] if default is not None else []
    for candidate in [*candidates, *(emulator.free_port() for _ in range(_PORT_TRIES))]:
        with suppress(emulator.PortTakenError):
            return _up(TargetState(home, candidate), deployable, say)
    raise LocalTargetError("found no free port: choose one with --port")


def _discard_stale(home: Path) -> list[int]:
    """Stop and remove what killed runs and killed emulators left, except what another command is working on."""
    stopped = []
    for port in known_ports(home):
        state = TargetState(home, port)
        with suppress(TargetBusyError), state.lock():
            if not state.is_up() and _stop(state):
                stopped.append(port)
    return stopped


def _up(state: TargetState, deployable: Deployable, say: Say) -> dict[str, Any]:
    with state.lock():
        was_deploying = state.deployment.stop()
        if state.is_up() and not was_deploying:
            try:
                return _deploy(state, deployable, say)
            except RefusedError as error:
                say(f"The emulator cannot update the running stack in place: starting afresh; {error}")
        return _start_afresh(state, deployable, say)


def _start_afresh(state: TargetState, deployable: Deployable, say: Say) -> dict[str, Any]:
    _stop(state)
    try:
        say(f"Starting the emulator on {endpoint_url(state.port)}, with IAM enforced")
        emulator.start(state)
        return _deploy(state, deployable, say)
    except emulator.PortTakenError:
        state.discard()
        raise
    except BaseException:
        _stop(state, keep_logs=True)
        raise


def _deploy(state: TargetState, deployable: Deployable, say: Say) -> dict[str, Any]:
    state.unfinished.touch()
    try:
        say("Deploying the app with the CDK")
        description = deployment.deploy(state, deployable)
        object_lock.switch_on(description["outputs"], port=state.port)
        for line in deployment.applied_adaptations(state):
            say(f"  {line}")
        ticker.restart(state, rule=description["outputs"].get(ticker.RULE_OUTPUT))
        state.publish(description)
    finally:
        # Only a killed run leaves it behind.
        state.unfinished.unlink(missing_ok=True)
    return description


def _stop(state: TargetState, *, keep_logs: bool = False) -> bool:
    running = [process.stop() for process in (state.deployment, state.ticker, state.emulator)]
    if not keep_logs:
        state.discard()
    return any(running)


def down(*, home: Path, port: int | None) -> list[int]:
    """Stop the target on `port`, or the default one and whatever killed runs left; return the ports stopped."""
    stopped = []
    chosen = port if port is not None else current_port(home)
    if chosen is not None:
        state = TargetState(home, chosen)
        with state.lock():
            if _stop(state):
                stopped.append(chosen)
    if port is None:
        stopped += _discard_stale(home)
    return stopped


def status(*, home: Path) -> list[dict[str, Any]]:
    """Return the description of every target that runs and is deployed, the default one first."""
    found = []
    for port in known_ports(home):
        state = TargetState(home, port)
        if state.is_up():
            found.append((not state.is_default(), json.loads(state.description.read_text())))
    return [description for _, description in sorted(found, key=lambda pair: pair[0])]
