"""What every command shares: the options that choose a deployment, the API behind them, and errors of one line."""

import difflib
import importlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from incidentio.cli import output
from incidentio.cli.text import inert
from incidentio.core.errors import IncidentioError, InvalidInput
from incidentio.core.ids import parse_incident_id

if TYPE_CHECKING:
    from incidentio.cli.client import Api
    from incidentio.cli.deployment import Choice, Deployment

_BARE_ID = re.compile(r"(?:inc)?[\s_-]*([0-9a-z]{6})", re.IGNORECASE)
_APPROVAL_ID = re.compile(r"APR-[0-9A-Z]{6}-[0-9A-Z]{21}")


@dataclass
class Shell:
    """One run of the command."""

    as_json: bool = False
    direct: bool = False
    endpoint: str | None = None
    local: Path | None = None
    profile: str | None = None
    region: str | None = None
    stack: str | None = None
    directory: Path = field(default_factory=Path.cwd)

    @property
    def choice(self) -> "Choice":
        from incidentio.cli.deployment import Choice  # noqa: PLC0415 - boto3 is slow to import, and --help needs none

        return Choice(
            endpoint=self.endpoint, local=self.local, profile=self.profile, region=self.region, stack=self.stack
        )

    @cached_property
    def deployment(self) -> "Deployment":
        """The deployment this run talks to, named on stderr, so that nobody takes one for another."""
        from incidentio.cli.deployment import discover  # noqa: PLC0415 - as above

        found = discover(self.choice, directory=self.directory)
        account = None
        try:
            account = found.account
        finally:
            output.say(f"({found.found}, account {account})" if account else f"({found.found})")
        return found

    @cached_property
    def api(self) -> "Api":
        """The API, over HTTP or, with --direct, in this process."""
        if self.direct:
            from incidentio.cli.direct import direct_api  # noqa: PLC0415 - as above

            return direct_api(self.deployment)
        from incidentio.cli.client import HttpApi  # noqa: PLC0415 - as above

        deployment = self.deployment
        return HttpApi(
            deployment.api_url,
            credentials=deployment.credentials,
            region=deployment.region,
            remedy=deployment.remedy,
        )


pass_shell = click.make_pass_decorator(Shell)


class IncidentId(click.ParamType[str]):
    """An incident id as people say and type it: `INC-7K3F9A`, `inc-7k3f9a`, `7k3f9a`."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        bare = _BARE_ID.fullmatch(str(value).strip())
        return parse_incident_id(f"INC-{bare[1]}" if bare else str(value))


INCIDENT_ID = IncidentId()


class ApprovalId(click.ParamType[str]):
    """An approval id, in lower case too."""

    name = "approval"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        typed = str(value).strip().upper()
        if not _APPROVAL_ID.fullmatch(typed):
            raise InvalidInput(
                f"{str(value)[:40]!r} is not an approval id: copy the whole of it, such as "
                "APR-7K3F9A-0123456789ABCDEFGHJK7, from `incidentio approvals list`"
            )
        return typed


APPROVAL_ID = ApprovalId()


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value and param.name:
        setattr(ctx.ensure_object(Shell), param.name, value)


def _shared_options(*, hidden: bool) -> list[click.Option]:
    path = click.Path(dir_okay=False, path_type=Path)
    options: list[tuple[list[str], dict[str, Any]]] = [
        (["--json", "as_json"], {"is_flag": True, "help": "Print JSON for scripts."}),
        (
            ["--direct"],
            {"is_flag": True, "help": "Work on the table itself, with your own IAM rights."},
        ),
        (["--endpoint"], {"metavar": "URL", "help": "Address of the API (also INCIDENTIO_API_URL)."}),
        (["--local"], {"type": path, "help": "The local.json of a local target."}),
        (["--profile"], {"help": "AWS profile."}),
        (["--region"], {"help": "AWS Region."}),
        (["--stack"], {"help": "Name of the deployed stack (default: incidentio)."}),
    ]
    return [
        click.Option(names, expose_value=False, callback=_remember, hidden=hidden and names[0] != "--json", **settings)
        for names, settings in options
    ]


class Leaf(click.Command):
    """A command that takes the shared options as well, so that they may stand anywhere."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += _shared_options(hidden=True)


class Group(click.Group):
    """A group of leaves, which takes the shared options too and knows what people type instead."""

    command_class = Leaf
    group_class = type
    hides_shared_options = True
    _ALSO = MappingProxyType({"acknowledge": "ack"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += _shared_options(hidden=self.hides_shared_options)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or super().get_command(ctx, self._ALSO.get(cmd_name, cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        near = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
        if near and self.get_command(ctx, name) is None and not name.startswith("-"):
            ctx.fail(f"there is no command {inert(name, limit=40)!r}: did you mean {near[0]}?")
        return super().resolve_command(ctx, args)


class Failure(click.ClickException):
    """An error as one line."""

    def show(self, file: Any = None) -> None:
        click.echo(f"incidentio: {inert(self.message)}", err=True, file=file)


class Root(Group):
    """The top: loads a command's module when it is called, and turns every error into one line."""

    hides_shared_options = False

    def __init__(self, *args: Any, modules: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self._modules:
            return None
        module, _, attribute = self._modules[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.ensure_object(Shell)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except IncidentioError as error:
            raise Failure(error.message) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            raise _failure(error) from error


def _failure(error: Exception) -> Exception:
    """What went wrong in AWS's or the local target's own words; anything else is a defect and stays as it is."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError  # noqa: PLC0415 - as above

    from infra.local.errors import LocalTargetError  # noqa: PLC0415 - as above

    if isinstance(error, NoCredentialsError):
        return Failure("no AWS credentials: set AWS_PROFILE or pass --profile (or run `aws sso login`)")
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        return Failure(f"AWS refused {error.operation_name}: {said.get('Code')}: {said.get('Message')}")
    if isinstance(error, BotoCoreError | LocalTargetError):
        return Failure(str(error))
    return error
