"""What a command prints: tables for people, JSON for scripts, and nothing that could steer the terminal."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from incidentio.cli.text import inert, inert_block

_SHORT = 14
_STYLES = {
    "SEV1": "bold red", "SEV2": "red", "SEV3": "yellow",
    "triggered": "bold red", "acknowledged": "yellow", "mitigated": "cyan", "resolved": "green",
    "pending": "yellow", "approved": "green", "rejected": "red",
    "ok": "green", "warn": "yellow", "fail": "bold red",
}  # fmt: skip


def with_mode(said: str, mode: str) -> str:
    """What holds nothing back, because it only shows what it would do, says so."""
    return f"{said} (monitor)" if mode == "monitor" else said


def emit_json(document: Any) -> None:
    """Print `document` as JSON; everything but ASCII is escaped, so it is inert as well."""
    click.echo(json.dumps(document, indent=2, default=str))


def say(line: str) -> None:
    """One line for the person, on stderr, so that what scripts read stays clean."""
    click.echo(inert(line), err=True)


def emit_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print `rows` as a table: drawn in a terminal, in plain aligned columns elsewhere; `empty` when there are none."""
    cells = [[inert(cell) if cell not in (None, "") else "-" for cell in row] for row in rows]
    if not cells:
        click.echo(empty)
    elif _is_terminal():
        _draw(columns, cells)
    else:
        _align([[column.upper() for column in columns], *cells])


def emit_facts(facts: Mapping[str, object]) -> None:
    """Print name and value, one a line; empty values are left out."""
    shown = {name: inert(value) for name, value in facts.items() if value not in (None, "", (), [], {})}
    width = max(map(len, shown), default=0)
    console = _console()
    for name, value in shown.items():
        console.print(Text.assemble((f"{name:<{width}}  ", "dim"), (value, _STYLES.get(value, ""))))


def emit_text(text: str) -> None:
    """Print a document of several lines as it is, made inert."""
    click.echo(inert_block(text))


def emit_line(text: str, *, style: str = "") -> None:
    """Print one line, coloured in a terminal."""
    _console().print(Text(inert(text), style=style))


def moment(iso: object) -> str:
    """An API timestamp as people read it, in UTC; empty stays empty."""
    return f"{str(iso)[:19].replace('T', ' ')}Z" if iso else ""


def ago(iso: object, now: datetime | None = None) -> str:
    """How long ago an API timestamp was: `12s`, `5m`, `3h`, `2d`."""
    if not iso:
        return ""
    at = datetime.fromisoformat(str(iso))
    seconds = max(0, int(((now or datetime.now(UTC)) - at).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * size or (unit == "m" and seconds >= size):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=not _is_terminal())


def _draw(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, column in enumerate(columns):
        widest = max(len(column), *(len(row[number]) for row in cells))
        # What people copy stays whole; long text folds.
        table.add_column(column, no_wrap=number == 0 or widest <= _SHORT, overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    _console().print(table)


def _align(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
