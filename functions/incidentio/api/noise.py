"""The noise report: read the days, count the alarms."""

from datetime import UTC, timedelta, timezone

from incidentio.api.calls import Api
from incidentio.api.views import NoiseReport
from incidentio.core.ended import MOST_A_DAY, ended_on
from incidentio.core.night import Night
from incidentio.core.noise import noise, summed


def noise_report(api: Api, *, days: int, utc_offset: int) -> NoiseReport:
    """Incidents of the last `days` (UTC days, today included) that are over. `utc_offset`: minutes east of UTC."""
    today = api.clock().astimezone(UTC).date()
    period = [today - timedelta(days=back) for back in range(days)]
    by_day = [list(ended_on(api.table, day)) for day in reversed(period)]
    outcomes = [outcome for of_day in by_day for outcome in of_day]
    rows = noise(outcomes, Night(timezone(timedelta(minutes=utc_offset))))
    return NoiseReport(
        days=days,
        since=period[-1],
        until=today,
        incidents=len(outcomes),
        complete=all(len(of_day) < MOST_A_DAY for of_day in by_day),
        totals=dict(summed(rows)),
        items=rows,
    )
