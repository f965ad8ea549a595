"""YAML that remembers its lines: plain data, and for each place in it the file and line it came from.

Scalars follow the YAML 1.2 core schema (https://yaml.org/spec/1.2.2/#103-core-schema), so that `on: resolved`,
`22:00` and `1.2.0` mean what they look like.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MOST_BYTES = 256 * 1024
MOST_VALUES = 20_000
"""Aliases count each time they are used, so a few lines cannot become millions of values."""
DEEPEST = 24

Location = tuple[int | str, ...]


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake: `infra/catalog/services.yaml:12: services.checkout.tier: must be at most 5, not 9`."""

    file: str
    line: int
    where: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (f"{self.file}:{self.line}", self.where, self.message) if part)


class Unreadable(Exception):
    """The file cannot be used at all; `problems` says why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True)
class Document:
    """One file: its `data` (None where it is empty) and where each part of it stands."""

    file: str
    data: Any
    _root: yaml.Node | None

    def problem(self, at: Location, message: str) -> Problem:
        """`message` at `at`, or at the nearest part above that is written in the file."""
        node, line, found = self._root, 1, 0
        for part in at:
            key, below = _child(node, part)
            if below is None:
                break
            node, line, found = below, (key or below).start_mark.line + 1, found + 1
        # A missing key is worth naming; what pydantic adds below a scalar (the branch of a union) is not.
        named = at if isinstance(node, yaml.MappingNode) else at[:found]
        return Problem(self.file, line, dotted(named), message)


def read(path: Path) -> Document:
    """Read one YAML file.

    Raises:
        Unreadable: not YAML, a key written twice, too large, or too much behind its aliases.
    """
    file = shown(path)
    raw = path.read_bytes()
    if len(raw) > MOST_BYTES:
        raise Unreadable(Problem(file, 1, "", f"{len(raw)} bytes: at most {MOST_BYTES} are read"))
    try:
        root, loader = _parsed(raw.decode())
        builder = _Builder(file, loader)
        data = None if root is None else builder.value(root, depth=0)
    except UnicodeDecodeError:
        raise Unreadable(Problem(file, 1, "", "not UTF-8 text")) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(Problem(file, mark.line + 1 if mark else 1, "", str(error.problem or error.context))) from None
    except yaml.YAMLError as error:
        raise Unreadable(Problem(file, 1, "", str(error).splitlines()[0])) from None
    except RecursionError:
        raise Unreadable(Problem(file, 1, "", f"nested deeper than {DEEPEST} levels")) from None
    if builder.doubled:
        raise Unreadable(*builder.doubled)
    return Document(file, data, root)


def shown(path: Path) -> str:
    """The path as people know it: from here, when it is below here."""
    here = Path.cwd()
    full = path.resolve()
    return str(full.relative_to(here)) if full.is_relative_to(here) else str(path)


class _Core(yaml.resolver.BaseResolver):
    """Recognises only what YAML 1.2's core schema does."""


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    _Core.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


class _Loader(_Core, yaml.SafeLoader):
    """Says best what is wrong."""


_InC: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _FastLoader(_Core, _InC):  # type: ignore[misc, valid-type]
    """The same in C, ten times as fast, where PyYAML was built with it."""


def _parsed(text: str) -> tuple[yaml.Node | None, yaml.SafeLoader]:
    try:
        fast: yaml.SafeLoader = _FastLoader(text)  # type: ignore[call-arg]
        return fast.get_single_node(), fast
    except yaml.YAMLError:
        clear = _Loader(text)
        return clear.get_single_node(), clear


class _Builder:
    """Turns nodes into data, counting values and collecting keys that are written twice."""

    def __init__(self, file: str, loader: yaml.SafeLoader) -> None:
        self._file = file
        self._loader = loader
        self._values = 0
        self.doubled: list[Problem] = []

    def value(self, node: yaml.Node, *, depth: int) -> Any:
        self._values += 1
        if self._values > MOST_VALUES:
            raise yaml.MarkedYAMLError(problem=f"more than {MOST_VALUES} values", problem_mark=node.start_mark)
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {DEEPEST} levels", problem_mark=node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, depth=depth + 1) for item in node.value]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Any]:
        lines: dict[str, int] = {}
        data: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a key must be a plain word", problem_mark=key.start_mark)
            name, line = str(key.value), key.start_mark.line + 1
            if name in data:
                self.doubled.append(Problem(self._file, line, name, f"this key is already on line {lines[name]}"))
            lines[name] = line
            data[name] = self.value(value, depth=depth + 1)
        return data

    def _scalar(self, node: yaml.Node) -> Any:
        # "0o17" or "1_000" are texts here, so int and float see digits only, leading zeros included.
        if node.tag == "tag:yaml.org,2002:int":
            return int(node.value)
        if node.tag == "tag:yaml.org,2002:float":
            return float(node.value)
        return self._loader.construct_object(node, deep=True)


def _child(node: yaml.Node | None, part: int | str) -> tuple[yaml.Node | None, yaml.Node | None]:
    """The key and value node of one part of a location; (None, None) when it is not written."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None, None


def dotted(at: Location) -> str:
    """The place as people write it: `steps[0].timeout`."""
    text = ""
    for part in at:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
