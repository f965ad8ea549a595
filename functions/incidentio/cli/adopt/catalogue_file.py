"""Proposals as YAML with their reasons, and new services put into a file whose text is otherwise kept."""

import json
import re
from collections.abc import Iterable, Sequence
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from incidentio.cli.adopt.proposal import Proposal, Proposed
from incidentio.core.errors import Conflict
from infra.documents import CATALOG_FILES, load_catalog

SERVICES, ROUTING = "services.yaml", "routing.yaml"
_NO_TIER = "# tier: 2  # nobody said: 1 (most important) to 5 decides the severity of alarms that have none"


def services_yaml(services: Iterable[Proposed], *, indent: int = 2) -> str:
    """The entries below `services:`; JSON's strings are YAML's."""
    pad, deeper = " " * indent, " " * (indent * 2)
    lines: list[str] = []
    for service in services:
        lines += [f"{pad}# {_comment(why)}" for why in (f"confidence: {service.confidence}", *service.why)]
        match = [f"alarm_names: {_json(service.alarm_names)}"]
        match += [f"tags: {_json(service.tags)}"] if service.tags else []
        lines.append(f"{pad}{_plain(service.name)}:")
        lines += [f"{deeper}environment: {_plain(service.environment)}"] if service.environment != "production" else []
        lines.append(f"{deeper}tier: {service.tier}" if service.tier else f"{deeper}{_NO_TIER}")
        lines.append(f"{deeper}match: {{{', '.join(match)}}}")
    return "\n".join(lines) + "\n"


def routing_yaml(proposal: Proposal) -> str:
    """The default routes, with tickets for services that only write to a mailbox or chat today; empty for none."""
    if not proposal.tickets:
        return ""
    topics = {service.name: ", ".join(service.topics) for service in proposal.services}
    lines = ["route:", "  receiver: ticket", "  routes:"]
    for name in proposal.tickets:
        lines += [f"    # confidence: low; its alarms notify only {_comment(topics[name])} today"]
        lines += [f"    - matchers: ['service=\"{name}\"']", "      receiver: ticket"]
    lines += ["    - matchers: ['environment=\"production\"', 'severity=~\"SEV[12]\"']", "      receiver: page"]
    return "\n".join(lines) + "\n"


def merged(text: str, proposed: Sequence[Proposed]) -> tuple[str, tuple[str, ...]]:
    """The file with the new services below its own, and the names it has already, which stay as they are.

    The first service that matches an alarm owns it: one that is there comes before all new ones.

    Raises:
        Conflict: `services` is written in a way that nothing can be put into.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    entries = {key.value: (key, value) for key, value in root.value} if isinstance(root, yaml.MappingNode) else {}
    if "services" not in entries:
        return f"{text.rstrip()}\n\nservices:\n{services_yaml(proposed)}".lstrip("\n"), ()
    key, value = entries["services"]
    if not isinstance(value, yaml.MappingNode):
        return _inserted(text, key.start_mark.line + 1, services_yaml(proposed)), ()
    if value.flow_style:
        raise Conflict(
            f"{SERVICES}:{key.start_mark.line + 1}: services is written in braces: put each on a line of its own"
        )
    names = {name.value for name, _ in value.value}
    indent = value.value[0][0].start_mark.column
    new = [service for service in proposed if service.name not in names]
    there = tuple(service.name for service in proposed if service.name in names)
    return (_inserted(text, _end(text, value), services_yaml(new, indent=indent)) if new else text), there


def _end(text: str, block: yaml.Node) -> int:
    """The line below the last one of `block`: what is blank or begins with "#" at the margin is no part of it."""
    lines = text.splitlines()
    until = block.end_mark.line + (block.end_mark.column > 0)
    while not lines[until - 1].strip() or lines[until - 1].startswith("#"):
        until -= 1
    return until


def _inserted(text: str, at: int, block: str) -> str:
    lines = text.splitlines(keepends=True)
    above = "".join(lines[:at])
    return "".join([above, "" if above.endswith("\n") else "\n", block, *lines[at:]])


def difference(before: str, after: str, name: str) -> str:
    """As `diff -u` shows it."""
    return "".join(unified_diff(before.splitlines(True), after.splitlines(True), name, name))


def checked(folder: Path, files: dict[str, str]) -> None:
    """Raise InvalidInput where the catalogue would not load with `files` in it."""
    with TemporaryDirectory() as scratch:
        for name in CATALOG_FILES:
            text = files.get(name, (folder / name).read_text() if (folder / name).is_file() else "")
            (Path(scratch) / name).write_text(text)
        load_catalog(Path(scratch))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(name: str) -> str:
    """Bare, unless YAML would read something else than a text."""
    bare = re.fullmatch(r"[a-z][a-z0-9._-]*", name) and name not in ("true", "false", "null", "yes", "no", "on", "off")
    return name if bare else _json(name)


def _comment(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:160]
