"""`incidentio local`: the local AWS target."""

import functools
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
from click.core import ParameterSource

from incidentio.cli.people import hire
from incidentio.cli.shell import Group, Shell
from infra.local import target
from infra.local.deployment import DEFAULT_CATALOG, DEFAULT_PACE, Deployable
from infra.local.environment import local_client
from infra.local.errors import LocalTargetError

_Folder = click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
_HOME = Path(".incidentio")
_state_option = click.option(
    "--state",
    "home",
    type=click.Path(file_okay=False, resolve_path=True, path_type=Path),
    default=_HOME,
    help="Where targets keep their files.",
    show_default=True,
)
_OUTPUTS = {"SIGNAL_TOPIC": "SignalTopicArn", "INGEST_QUEUE": "IngestQueueUrl", "WEBHOOK_URL": "WebhookUrl"}
_port_option = click.option("--port", type=click.IntRange(1, 65535), help="The port of the target on loopback.")


def _where(home: Path, port: int | None) -> tuple[Path, int | None]:
    """State folder and port: those of the target that `--local` names, unless `--state` or `--port` say otherwise."""
    context = click.get_current_context()
    named = context.ensure_object(Shell).local
    if named is None or context.get_parameter_source("home") is not ParameterSource.DEFAULT:
        return home, port
    folder = named.resolve().parent
    return (folder.parent, port or int(folder.name)) if folder.name.isdecimal() else (folder, port)


def _one_clear_line(command: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        home, port = _where(kwargs["home"], kwargs.get("port"))
        try:
            command(*args, **{**kwargs, "home": home, **({"port": port} if "port" in kwargs else {})})
        except LocalTargetError as error:
            _fail(str(error))

    return wrapped


def _fail(message: str) -> NoReturn:
    click.echo(f"incidentio local: {message}", err=True)
    sys.exit(1)


@click.group(cls=Group)
def local() -> None:
    """A local AWS target: an emulator on loopback with the real app deployed to it."""


@local.command()
@_port_option
@click.option("--catalog", type=_Folder, default=DEFAULT_CATALOG, help="A catalogue in place of the local one.")
@click.option("--playbooks", type=_Folder, multiple=True, help="A further folder of playbooks; may be repeated.")
@click.option(
    "--pace",
    type=click.FloatRange(min=0, min_open=True, max=1),
    default=DEFAULT_PACE,
    help="Factor on every wait of a playbook.",
    show_default=True,
)
@_state_option
@_one_clear_line
def up(port: int | None, catalog: Path, playbooks: tuple[Path, ...], pace: float, home: Path) -> None:
    """Start the target and deploy the app, or bring a running one up to date."""
    description = target.up(
        home=home,
        port=port,
        deployable=Deployable(catalog=catalog, playbooks=playbooks, pace=pace),
        say=lambda line: click.echo(line, err=True),
    )
    click.echo(f"{description['endpoint_url']} is up, described in {home / 'local.json'}")


@local.command()
@_port_option
@_state_option
@_one_clear_line
def down(port: int | None, home: Path) -> None:
    """Stop the target (without --port: the one that was brought up last) and forget everything in it."""
    stopped = target.down(home=home, port=port)
    for each in stopped:
        click.echo(f"stopped the target on port {each}")
    if stopped and port is not None:
        return
    still_up = [int(description["endpoint_url"].rsplit(":", 1)[1]) for description in target.status(home=home)]
    if not stopped:
        which = f" on port {port}" if port is not None else " by default" if still_up else ""
        click.echo(f"no target is running{which}")
    where = "" if home == _HOME.resolve() else f" --state {shlex.quote(str(home))}"
    for each in still_up:
        click.echo(f"still running on port {each}: incidentio local down --port {each}{where}")


@local.command()
@click.argument("name")
@_port_option
@_state_option
@_one_clear_line
def user(name: str, port: int | None, home: Path) -> None:
    """Print the environment of an IAM user who may call the API: eval "$(incidentio local user approver)"."""
    chosen = _running(home, port)
    key = hire(local_client("iam", int(chosen["endpoint_url"].rsplit(":", 1)[1])), name)
    _export(_aws(chosen, key.access_key, key.secret_key) | {"INCIDENTIO_API_URL": chosen["outputs"]["ApiUrl"]})


@local.command()
@_port_option
@_state_option
@_one_clear_line
def env(port: int | None, home: Path) -> None:
    """Print an environment for `aws`, and the outputs that the pages name: eval "$(incidentio local env)"."""
    chosen = _running(home, port)
    outputs = {name: chosen["outputs"][output].rstrip("/") for name, output in _OUTPUTS.items()}
    _export(_aws(chosen, chosen["access_key_id"], chosen["secret_access_key"]) | outputs)


def _running(home: Path, port: int | None) -> dict[str, Any]:
    found = target.status(home=home)
    for description in found:
        if port is None or description["endpoint_url"].endswith(f":{port}"):
            return description
    _fail(f"no {'such ' if found else ''}target is up in {home}: start one with `incidentio local up`")


def _aws(description: dict[str, Any], access_key: str, secret_key: str) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_REGION": description["region"],
        "AWS_DEFAULT_REGION": description["region"],
        "AWS_ENDPOINT_URL": description["endpoint_url"],
    }


def _export(settings: dict[str, str]) -> None:
    for variable, value in settings.items():
        click.echo(f"export {variable}={shlex.quote(value)}")


@local.command()
@_state_option
@_one_clear_line
def status(home: Path) -> None:
    """Show the targets that are up, with --json all of their local.json; exits 1 when there is none."""
    as_json = click.get_current_context().ensure_object(Shell).as_json
    found = target.status(home=home)
    if as_json:
        click.echo(json.dumps(found, indent=2))
    for description in [] if as_json else found:
        click.echo(f"{description['endpoint_url']}  API {description['outputs'].get('ApiUrl', '-')}")
    if not found:
        _fail(f"no target is up in {home}: start one with `incidentio local up`")
