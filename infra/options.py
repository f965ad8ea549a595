"""What can be chosen at synthesis: the CDK context, read and checked once."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from constructs import Node

from incidentio.core.errors import InvalidInput
from incidentio.core.outbound import destinations

ROOT = Path(__file__).resolve().parent.parent
RetentionMode = Literal["GOVERNANCE", "COMPLIANCE"]
_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,30}")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_BUS = re.compile(r"arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/[\w./-]{1,256}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class OptionError(Exception):
    """A context value is wrong; the message names it and says what would be right."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """One deployment's choices. `docs/deploy.md` explains each."""

    stack_name: str = "incidentio"
    local: bool = False
    catalog: Path = ROOT / "infra" / "catalog"
    playbooks: tuple[Path, ...] = (ROOT / "playbooks",)
    pace: float = 1.0
    page_email: str | None = None
    organization_id: str | None = None
    forward_to: str | None = None
    outbound: str = ""
    retention_mode: RetentionMode = "GOVERNANCE"
    retention_days: int = 365
    reserved_concurrency: bool = False
    account_cloudwatch_role: bool = False
    destroy_data: bool = False


def read_options(node: Node) -> Options:
    """The options in the context of `node`.

    Raises:
        OptionError: names the key and what it takes.
    """
    context: Mapping[str, Any] = node.get_all_context()
    return options_from({name: value for name, value in context.items() if value is not None})


def options_from(context: Mapping[str, Any]) -> Options:
    """`context` as options; values are JSON values or the text of `-c key=value`.

    Raises:
        OptionError: names the key and what it takes.
    """
    _refuse_misspelt(context)
    local = _flag(context, "local")
    options = Options(
        stack_name=_text(context, "stack_name", _STACK_NAME, "a letter, then letters, digits and dashes")
        or "incidentio",
        local=local,
        catalog=_folder(context["catalog"], "catalog") if "catalog" in context else Options.catalog,
        playbooks=(*Options.playbooks, *_folders(context, "playbooks")),
        pace=_number(context, "pace", 1.0, minimum=0.001),
        page_email=_text(context, "page_email", _EMAIL, "an e-mail address"),
        organization_id=_text(context, "organization_id", _ORGANIZATION, "the id of an organization, o-…"),
        forward_to=_text(context, "forward_to", _BUS, "the ARN of a signals bus, arn:aws:events:…:event-bus/…"),
        outbound=_outbound(context),
        retention_mode=_retention_mode(context),
        retention_days=int(_number(context, "retention_days", 365, minimum=1)),
        reserved_concurrency=_flag(context, "reserved_concurrency"),
        account_cloudwatch_role=_flag(context, "account_cloudwatch_role"),
        destroy_data=local or _flag(context, "destroy_data"),
    )
    if options.pace != 1.0 and not local:
        raise OptionError("context pace shortens a playbook's waits and is for the local target only")
    return options


def _refuse_misspelt(context: Mapping[str, Any]) -> None:
    """Other keys are the CDK's own, or for somebody else's app in a `~/.cdk.json`."""
    for name in context:
        near = difflib.get_close_matches(name.lower(), Options.__dataclass_fields__, n=1, cutoff=0.75)
        if near and name not in Options.__dataclass_fields__:
            raise OptionError(f"there is no context {name}: did you mean {near[0]}?")


def _flag(context: Mapping[str, Any], name: str) -> bool:
    value = context.get(name, False)
    known = {True: True, False: False, "true": True, "false": False}
    if value not in known:
        raise OptionError(f"context {name} is true or false, not {value!r}")
    return known[value]


def _number(context: Mapping[str, Any], name: str, default: float, *, minimum: float) -> float:
    try:
        value = float(context.get(name, default))
    except (TypeError, ValueError):
        raise OptionError(f"context {name} is a number, not {context[name]!r}") from None
    if value < minimum:
        raise OptionError(f"context {name} is at least {minimum:g}, not {value:g}")
    return value


def _text(context: Mapping[str, Any], name: str, pattern: re.Pattern[str], what: str) -> str | None:
    value = context.get(name) or None
    if value is not None and not pattern.fullmatch(str(value)):
        raise OptionError(f"context {name} is {what}, not {value!r}")
    return value


def _outbound(context: Mapping[str, Any]) -> str:
    try:
        return ",".join(map(str, destinations(str(context.get("outbound", "")))))
    except InvalidInput as error:
        raise OptionError(f"context outbound: {error.message}") from None


def _retention_mode(context: Mapping[str, Any]) -> RetentionMode:
    match str(context.get("retention_mode", "GOVERNANCE")).upper():
        case "GOVERNANCE":
            return "GOVERNANCE"
        case "COMPLIANCE":
            return "COMPLIANCE"
        case other:
            raise OptionError(f"context retention_mode is GOVERNANCE or COMPLIANCE, not {other!r}")


def _folders(context: Mapping[str, Any], name: str) -> tuple[Path, ...]:
    return tuple(_folder(each.strip(), name) for each in str(context.get(name, "")).split(",") if each.strip())


def _folder(value: str, name: str) -> Path:
    folder = ROOT / value
    if not folder.is_dir():
        raise OptionError(f"context {name} names {folder}, which is no folder")
    return folder
