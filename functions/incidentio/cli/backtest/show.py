"""A backtest as text."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from incidentio.cli import output
from incidentio.cli.backtest.compare import Difference
from incidentio.cli.backtest.outcome import Outcome
from incidentio.core.counted import counted
from incidentio.core.ids import iso

Row = TypeVar("Row")


def show(found: Outcome, *, limit: int) -> None:
    """Totals, then by service, by alarm, the incidents, and what nobody was told of; `limit` rows each, 0 for all."""
    totals = found.totals
    days = (found.end - found.start).days
    output.emit_line(
        f"{days} days to {output.moment(iso(found.end))}: {totals.alarms} alarms changed state "
        f"{counted(totals.state_changes, 'time')} and fired {counted(totals.fired, 'time')}."
    )
    output.emit_line(
        f"It would have made {totals.incidents} incidents ({totals.live} live), {totals.pages} pages and "
        f"{totals.tickets} tickets; {totals.pages_at_night} pages at night, in {totals.nights} nights."
    )
    for given_up in found.given_up:
        output.emit_line(f"not understood: {given_up}")
    _table(
        "by service",
        ["service", "alarms", "incidents", "pages", "at night", "tickets"],
        [(s.service, s.alarms, s.incidents, s.pages, s.pages_at_night, s.tickets) for s in found.services],
        limit,
    )
    _table(
        "by alarm",
        [
            "alarm",
            "service",
            "fired",
            "incidents",
            "joined",
            "pages",
            "at night",
            "tickets",
            "nobody was told, because",
        ],
        [
            (a.alarm, a.service, a.fired, a.incidents, a.joined, a.pages, a.pages_at_night, a.tickets, a.not_told)
            for a in found.alarms
        ],
        limit,
    )
    _table(
        "incidents",
        ["id", "began", "severity", "service", "mode", "pages", "tickets", "alarms"],
        [
            (
                m.id, output.moment(iso(m.detected_at)), m.severity, m.service, m.mode, m.pages, m.tickets,
                ", ".join(m.alarms),
            )
            for m in found.incidents
        ],
        limit,
    )  # fmt: skip
    _table(
        "not told to anybody",
        ["incidents", "signals", "because"],
        [(s.incidents, s.signals, s.why) for s in found.suppressed],
        limit,
    )


def show_differences(found: Sequence[Difference], *, catalog: str, against: str, limit: int) -> None:
    """One line a difference, worst first, and how many there are of each."""
    output.emit_line("")
    if not found:
        output.emit_line(f"{against} would have told the same people of the same incidents as {catalog}.")
        return
    counts = Counter(d.change.value for d in found)
    told = ", ".join(f"{number} {change}" for change, number in counts.items())
    output.emit_line(f"With {against} instead of {catalog}: {told}.")
    _table(
        "differences",
        ["change", "id", "service", "alarm", "then"],
        [(d.change.value, d.id, d.service, d.alarm, d.sentence) for d in found],
        limit,
    )


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], limit: int) -> None:
    shown = rows[:limit] if limit else rows
    output.emit_line("")
    output.emit_line(title + (f" ({len(shown)} of {len(rows)}; --limit 0 shows all)" if len(shown) < len(rows) else ""))
    output.emit_table(columns, shown, empty="none")
