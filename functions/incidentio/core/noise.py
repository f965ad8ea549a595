"""How much each alarm disturbed, how often it was worth it, and what would make it better. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from pydantic import BaseModel, ConfigDict

from incidentio.core.counted import counted
from incidentio.core.ended import Ended, Played
from incidentio.core.night import Night


class AlarmNoise(BaseModel):
    """One signal over a period.

    `fired`: times it went to firing; `repeated`: those into an incident that was there already. `incidents` are those
    it opened, and what people said and did of them is a verdict on it: `actionable` ones were worked on, `false` ones
    cancelled as false positive; `cancelled`: reason → incidents. It was a member of `joined` others. In `flapped` of
    both it came back at least twice. `noted`: times it had no verdict (INSUFFICIENT_DATA).
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    alarm: str
    dedup_key: str
    service: str | None
    fired: int
    incidents: int
    joined: int
    actionable: int
    false: int
    flapped: int
    repeated: int
    noted: int
    cancelled: dict[str, int]
    median_seconds_to_ok: int | None
    pages: int
    pages_at_night: int
    nights: int
    suggestion: str | None = None
    because: str | None = None


def noise(outcomes: Iterable[Ended], night: Night) -> list[AlarmNoise]:
    """One row a signal, the most disturbing first."""
    parts: dict[str, list[tuple[Ended, Played]]] = {}
    for outcome in outcomes:
        for key, played in outcome.signals.items():
            parts.setdefault(key, []).append((outcome, played))
    rows = [_advised(_row(key, of_key, night)) for key, of_key in parts.items()]
    return sorted(rows, key=lambda r: (-r.pages, -r.fired, r.alarm))


def _row(key: str, parts: list[tuple[Ended, Played]], night: Night) -> AlarmNoise:
    from statistics import median  # noqa: PLC0415 - with fractions and decimals, which only a report needs

    opened = [outcome for outcome, _ in parts if outcome.opened_by == key]
    cancelled: dict[str, int] = {}
    for outcome in opened:
        if outcome.status == "cancelled" and outcome.reason:
            cancelled[outcome.reason] = cancelled.get(outcome.reason, 0) + 1
    nights: list[date] = [n for o in opened for at in o.paged_at if (n := night.of(at)) is not None]
    stays = [seconds for _, played in parts for seconds in played.ok_after]
    fired = sum(played.fired for _, played in parts)
    return AlarmNoise(
        alarm=key.rpartition(":alarm:")[2],
        dedup_key=key,
        service=parts[-1][0].service,
        fired=fired,
        incidents=len(opened),
        joined=len(parts) - len(opened),
        actionable=sum(o.worked_on and not (o.status == "cancelled" and o.reason) for o in opened),
        false=cancelled.get("false_positive", 0),
        flapped=sum(played.fired > 2 for _, played in parts),
        repeated=fired - len(opened),
        noted=sum(played.noted for _, played in parts),
        cancelled=cancelled,
        median_seconds_to_ok=int(median(stays)) if stays else None,
        pages=sum(len(o.paged_at) for o in opened),
        pages_at_night=len(nights),
        nights=len(set(nights)),
    )


def _advised(row: AlarmNoise) -> AlarmNoise:
    found = next(_advice(row), None)
    return row.model_copy(update={"suggestion": found[0], "because": found[1]}) if found else row


def _advice(row: AlarmNoise) -> Iterator[tuple[str, str]]:
    """What to change and the numbers it follows from, the most helpful first."""
    of = f"of {counted(row.incidents, 'incident')}"
    if row.false >= 3 and 2 * row.false >= row.incidents:
        yield (
            "delete it, or alarm on what users notice instead",
            f"{row.false} {of} were false positives and {row.actionable} needed work",
        )
    if row.cancelled.get("expected", 0) >= 2:
        yield (
            "plan a maintenance window, or silence it for that time",
            f"{row.cancelled['expected']} {of} were expected",
        )
    if row.cancelled.get("duplicate", 0) >= 2:
        yield (
            "group it with the alarm it repeats (group_by in routing.yaml)",
            f"{row.cancelled['duplicate']} {of} were duplicates",
        )
    if row.noted >= 3 and row.noted >= row.fired:
        yield (
            "set TreatMissingData to notBreaching",
            f"it had no data {counted(row.noted, 'time')} and fired {counted(row.fired, 'time')}",
        )
    took_part = row.incidents + row.joined
    if row.flapped >= 2 or row.fired > 3 * took_part:
        yield (
            "ask for more datapoints (DatapointsToAlarm 3 of EvaluationPeriods 5)",
            (
                f"it fired {counted(row.fired, 'time')} in {counted(took_part, 'incident')},"
                f" in {row.flapped} of them three times or more"
            ),
        )
    if row.fired >= 5 and row.median_seconds_to_ok is not None and row.median_seconds_to_ok < 300:
        yield (
            "evaluate for longer (a longer Period, or more EvaluationPeriods)",
            f"half of the {row.fired} times it was ok again within {row.median_seconds_to_ok} s",
        )
    if row.incidents >= 5 and row.actionable == 0:
        what = "write a ticket instead of a page" if row.pages else "only watch it (monitor)"
        yield (what, f"nobody worked on any {of}" + _nights(row))


def _nights(row: AlarmNoise) -> str:
    return f", and {counted(row.pages_at_night, 'page')} came in {counted(row.nights, 'night')}" if row.nights else ""


def summed(rows: Iterable[AlarmNoise]) -> Mapping[str, int]:
    """Totals of the columns that may be added."""
    names = ("fired", "incidents", "joined", "actionable", "false", "flapped", "repeated", "pages", "pages_at_night")
    rows = list(rows)
    return {name: sum(getattr(row, name) for row in rows) for name in names}
