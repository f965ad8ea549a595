"""The report that the independent count comes to, cell by cell, and the printed one as such cells."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from tests.estate import START
from tests.unit.cli.backtest.oracle import NO_SERVICE, Incident, Row, nights_of

Cells = list[str]
ID, STORM_ID = "<id>", "<the storm's id>"
_WATCHED = "monitor mode: would have told the ticket topic, as SEV3"
_TRACKING = "target tracking: autoscaling works with it"
_IN_STORM = f"it is part of the storm {STORM_ID}, which is told instead"
_COLUMNS = {
    "by service": "SERVICE ALARMS INCIDENTS PAGES AT_NIGHT TICKETS",
    "by alarm": "ALARM SERVICE FIRED INCIDENTS JOINED PAGES AT_NIGHT TICKETS NOBODY_WAS_TOLD,_BECAUSE",
    "incidents": "ID BEGAN SEVERITY SERVICE MODE PAGES TICKETS ALARMS",
    "not told to anybody": "INCIDENTS SIGNALS BECAUSE",
}


def printed(text: str) -> dict[str, list[Cells]]:
    """Title → lines as cells, without ids; under "" what stands above the tables. Every line is in it."""
    head, *tables = text.rstrip("\n").split("\n\n")
    found = {"": [[line] for line in head.splitlines()]}
    for table in tables:
        title, *lines = table.splitlines()
        found[title] = [re.split(r"  +", line) for line in lines]
    ids = [cells[0] for cells in found["incidents"][1:]]
    assert len(set(ids)) == len(ids)
    storms = {cells[0] for cells in found["incidents"][1:] if cells[-1] == "-"}
    for cells in found["incidents"][1:]:
        assert re.fullmatch(r"SIM-[0-9A-HJKMNP-TV-Z]{6}", cells[0])
        cells[0] = ID
    for cells in (*found["by alarm"], *found["not told to anybody"]):
        for storm in storms:
            cells[-1] = cells[-1].replace(storm, STORM_ID)
    return found


def counted(rows: Mapping[str, Row], storm: Incident | None, told: Mapping[str, Any]) -> dict[str, list[Cells]]:
    """The same from the count, in the order that the report promises: worst first, incidents by time."""
    fired = [row for row in rows.values() if row.fired]
    changes = Counter(i["AlarmName"] for i in told["history"])
    tracking = Counter(i["AlarmName"] for i in told["history"] if _tracks(i["AlarmName"]) and _fires(i))
    storms = [storm] if storm else []
    pages = [call for row in fired if row.pages for call in row.calls] + [c for s in storms for c in s.calls]
    nights = nights_of(pages)
    incidents = sum(len(row.incidents) for row in fired) + len(storms)
    watched = sum(len(row.incidents) for row in fired if not row.told)
    tickets = sum(len(row.calls) for row in fired if not row.pages)
    times = sum(row.fired for row in fired) + tracking.total()
    state = f"{len(told['alarms'])} alarms changed state {changes.total()} times and fired {times} times"
    calls = f"{len(pages)} pages and {tickets} tickets; {nights.total()} pages at night, in {len(nights)} nights"
    head = (
        f"14 days to 2026-03-15 00:00:00Z: {state}.",
        f"It would have made {incidents} incidents ({incidents - watched} live), {calls}.",
    )
    children = sum(i.of_storm for row in fired for i in row.incidents)
    tracked = sum(times for alarm, times in changes.items() if _tracks(alarm))
    untold = [(watched, 0, _WATCHED), (0, tracked, _TRACKING), (children, 0, _IN_STORM)]
    tables = {
        "by service": sorted(_by_service(fired, storms), key=lambda c: (-c[3], -c[2], c[0])),
        "by alarm": sorted(_by_alarm(fired, tracking), key=lambda c: (-c[5], -c[2], c[0])),
        "incidents": _incidents(fired, storms),
        "not told to anybody": sorted((c for c in untold if c[0] or c[1]), key=lambda c: (-c[0], -c[1])),
    }
    return {"": [[line] for line in head]} | {title: _lines(title, cells) for title, cells in tables.items()}


def _lines(title: str, rows: Iterable[Sequence[Any]]) -> list[Cells]:
    columns = [name.replace("_", " ") for name in _COLUMNS[title].split()]
    return [columns, *([str(cell) for cell in row] for row in rows)]


def _by_service(fired: Sequence[Row], storms: Sequence[Incident]) -> Iterable[tuple[Any, ...]]:
    for service in {row.service for row in fired} | ({NO_SERVICE} if storms else set()):
        own = [row for row in fired if row.service == service]
        of_none = storms if service == NO_SERVICE else ()
        calls = sum(len(row.calls) for row in own if row.pages) + sum(len(s.calls) for s in of_none)
        night = sum(row.at_night() for row in own) + sum(nights_of(s.calls).total() for s in of_none)
        tickets = sum(len(row.calls) for row in own if not row.pages)
        yield service, len(own), sum(len(row.incidents) for row in own) + len(of_none), calls, night, tickets


def _by_alarm(fired: Sequence[Row], tracking: Mapping[str, int]) -> Iterable[tuple[Any, ...]]:
    for row in fired:
        calls = len(row.calls)
        why = _IN_STORM if any(i.of_storm for i in row.incidents) else "-" if row.told else _WATCHED
        pages, tickets = calls * row.pages, calls * (not row.pages)
        yield (
            row.alarm, row.service, row.fired, len(row.incidents), row.joined, pages, row.at_night(), tickets, why,
        )  # fmt: skip
    for alarm, times in tracking.items():
        yield alarm, NO_SERVICE, times, 0, 0, 0, 0, 0, _TRACKING


def _incidents(fired: Sequence[Row], storms: Sequence[Incident]) -> list[tuple[Any, ...]]:
    found = []
    for row in fired:
        for incident in row.incidents:
            calls, mode = len(incident.calls), "live" if row.told else "monitor"
            alarms = ", ".join([incident.alarms[0], *sorted(incident.alarms[1:])])
            cells = (f"SEV{row.severity}", row.service, mode, calls * row.pages, calls * (not row.pages), alarms)
            found.append((incident.began, cells))
    # The worst of what made it one: the storms of this estate begin with the most important service.
    found += [(s.began, ("SEV1", NO_SERVICE, "live", len(s.calls), 0, "-")) for s in storms]
    return [(ID, _moment(began), *cells) for began, cells in sorted(found)]


def _moment(second: float) -> str:
    return (START + timedelta(milliseconds=round(second * 1000))).strftime("%Y-%m-%d %H:%M:%SZ")


def _tracks(alarm: str) -> bool:
    return alarm.startswith("TargetTracking")


def _fires(item: Mapping[str, Any]) -> bool:
    return str(item["HistorySummary"]).endswith("to ALARM")
