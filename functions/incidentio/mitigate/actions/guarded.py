"""Shell lines in which nothing is done or undone after a look that failed.

They are pasted into a shell in which somebody goes on working, so they never leave it: a look that fails, or finds
nothing, leaves its variable empty, and what would use it is inside an `if`. For bash (and zsh): `pipefail` and `%q`.
"""

import re
from collections.abc import Collection

from incidentio.mitigate.actions.action import Commands

_REMEMBERS = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)=\$\((?P<command>.*)\)", re.DOTALL)
_ASKS_FOR_NONE = re.compile(r'"\$([A-Z][A-Z0-9_]*)" !?= None\b')
_NOTHING_DONE = "nothing was done: a look failed or found nothing"


def guarded(commands: Commands) -> Commands:
    """The same commands: each look says what it found, and without it `do` and `undo` do nothing but say so.

    A look is `NAME=$(command)`, or a command that must succeed; the value of NAME is never empty when all is well. Nor
    is it `None` or `null`, which the AWS CLI prints in place of what is not there, unless a line asks for `None`.
    """
    if not commands.do:
        return commands
    names = [found["name"] for line in commands.look if (found := _REMEMBERS.fullmatch(line))]
    asked = {name for line in (*commands.do, *commands.undo) for name in _ASKS_FOR_NONE.findall(line)}
    look = ("LOOKED=yes", *(_look(line, asked) for line in commands.look)) if commands.look else ()
    do = _only_if(["LOOKED"] if look else [], commands.do, otherwise=_NOTHING_DONE)
    first = f"nothing was undone: first set what the look said to keep, {' '.join(names)}"
    return Commands(look=look, do=do, undo=_only_if(names, commands.undo, otherwise=first))


def _look(line: str, asked: Collection[str]) -> str:
    """`asked`: the names that may well be None."""
    if not (found := _REMEMBERS.fullmatch(line)):
        return f"(set -o pipefail; {line}) || LOOKED="
    name = found["name"]
    kept = f"printf '{name}=%q  # keep this line\\n' \"${name}\""
    failed = f"LOOKED= {name}=; echo '{name}: the look failed or found nothing' >&2"
    there = f'[ -n "${name}" ]' if name in asked else f'[ "${{{name}:-None}}" != None ] && [ "${name}" != null ]'
    return f"{name}=$(set -o pipefail; {found['command']}) && {there} && {kept} || {{ {failed}; }}"


def _only_if(names: list[str], lines: tuple[str, ...], *, otherwise: str) -> tuple[str, ...]:
    if not names or not lines:
        return lines
    known = " && ".join(f'[ -n "${{{name}:-}}" ]' for name in names)
    # A shell wants a command in there, and what a person does by hand may be words alone.
    body = lines if any(not line.startswith("#") for line in lines) else (*lines, ":")
    return (f"if {known}; then", *body, f"else echo '{otherwise}' >&2; fi")
