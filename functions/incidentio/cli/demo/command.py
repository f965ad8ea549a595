"""`incidentio demo`: starts a target of its own, plays both stories, and leaves nothing behind."""

import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import click
from botocore.credentials import Credentials
from rich.console import Console

from incidentio.cli.client import HttpApi
from incidentio.cli.demo import recovery, rollback, unattached
from incidentio.cli.demo.expect import DemoFailedError
from incidentio.cli.demo.narrator import Narrator
from incidentio.cli.demo.props import Pager
from incidentio.cli.demo.stage import Person, Stage
from incidentio.cli.people import hire
from infra.local import target
from infra.local.deployment import Deployable
from infra.local.emulator import PortTakenError, free_port
from infra.local.environment import local_client
from infra.local.errors import LocalTargetError

CATALOG = Path(__file__).parent / "catalog"
PACE = 1 / 60
"""A playbook that gives up verifying after ten minutes does so after ten seconds."""
_PORT_TRIES = 5


@click.command()
@click.option("--keep", is_flag=True, help="Leave the target running, to look around.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the target on loopback; a free one by default.")
def demo(keep: bool, port: int | None) -> None:
    """From a firing alarm to an archived postmortem, on a local AWS target.

    Exits 0 only when every step was seen in AWS itself.
    """
    narrator = Narrator(Console(highlight=False, markup=False, emoji=False, soft_wrap=True))
    signal.signal(signal.SIGTERM, _terminated)
    home = Path(".incidentio").resolve() / "demo"
    with _target(home, port, narrator, keep=keep) as description:
        stage = set_up(description, narrator)
        try:
            recovery.tell(stage)
            rollback.tell(stage)
            if keep:
                unattached.leave(stage)
        except DemoFailedError as error:
            hint = "" if keep else "; `incidentio demo --keep` leaves the target for a look"
            raise DemoFailedError(f"the demo failed after {narrator.elapsed:.0f} s: {error.message}{hint}") from error
        narrator.chapter(f"Done: every step was seen in AWS itself, in {narrator.elapsed:.0f} s.")


def set_up(description: dict[str, Any], narrator: Narrator) -> Stage:
    """Two people with IAM users of their own, and a subscriber of the page topic."""
    port, outputs = _port(description), description["outputs"]

    def clients(service: str) -> Any:
        return local_client(service, port)

    def person(name: str) -> Person:
        keys: Credentials = hire(clients("iam"), name)
        return Person(name, HttpApi(outputs["ApiUrl"], credentials=lambda: keys, region=description["region"]))

    stage = Stage(
        narrator=narrator,
        clients=clients,
        outputs=outputs,
        responder=person("responder"),
        approver=person("approver"),
        pager=Pager(clients, outputs["PageTopicArn"]),
    )
    narrator.did("created the IAM users responder and approver, who may call the API, and a queue for pages")
    return stage


@contextmanager
def _target(home: Path, port: int | None, narrator: Narrator, *, keep: bool) -> Iterator[dict[str, Any]]:
    narrator.chapter("0. a local AWS, and the real app deployed to it")
    description = _up(home, port, narrator)
    port = _port(description)
    try:
        narrator.did(f"the app is deployed; its API is {description['outputs']['ApiUrl']}")
        yield description
    finally:
        if keep:
            described = home / str(port) / "local.json"
            # `make demo` is started without the virtual environment: then a bare name would not be found.
            command = "incidentio" if shutil.which("incidentio") else sys.argv[0]
            narrator.did(f"still running: {command} --local {described} incidents list --all")
            narrator.did(f"stop it with: {command} local down --state {home} --port {port}")
        else:
            target.down(home=home, port=port)
            narrator.did("removed the target")


def _up(home: Path, port: int | None, narrator: Narrator) -> dict[str, Any]:
    deployable = Deployable(catalog=CATALOG, pace=PACE)
    if port is not None:
        return target.up(home=home, port=port, deployable=deployable, say=narrator.did)
    for _ in range(_PORT_TRIES):
        with suppress(PortTakenError):
            return target.up(home=home, port=free_port(), deployable=deployable, say=narrator.did)
    raise LocalTargetError("found no free port: choose one with --port")


def _port(description: dict[str, Any]) -> int:
    return int(description["endpoint_url"].rsplit(":", 1)[1])


def _terminated(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)
