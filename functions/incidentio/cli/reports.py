"""`incidentio reports`: what the past says."""

from datetime import datetime, timedelta

import click

from incidentio.cli import output
from incidentio.cli.shell import Group, Shell, pass_shell
from incidentio.cli.timezone import zone_named


@click.group(cls=Group)
def reports() -> None:
    """What the past says."""


@reports.command("noise")
@click.option("--days", type=click.IntRange(1, 90), default=30, show_default=True, help="How far to look back.")
@click.option("--timezone", default="UTC", show_default=True, help="Where it is night from 22:00 to 07:00.")
@pass_shell
def noise(shell: Shell, *, days: int, timezone: str) -> None:
    """How much each alarm disturbed, how often it was worth it, and what to change."""
    offset = datetime.now(zone_named(timezone)).utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    found = shell.api.call("GET", "/reports/noise", query={"days": str(days), "utc_offset": str(minutes)})
    if shell.as_json:
        output.emit_json(found)
        return
    totals = found["totals"]
    output.emit_line(
        f"{found['since']} to {found['until']}: {found['incidents']} incidents are over; alarms fired "
        f"{totals['fired']} times and paged {totals['pages']} times, {totals['pages_at_night']} of them at night"
    )
    if not found["complete"]:
        output.say("(some days had more incidents than are read: their figures are too low)")
    rows = found["items"]
    output.emit_table(
        [
            "alarm", "service", "fired", "incidents", "worked on", "false", "joined", "flapped", "repeated", "to ok",
            "pages", "nights",
        ],
        [
            (
                r["alarm"], r["service"], r["fired"], r["incidents"], r["actionable"], r["false"], r["joined"],
                r["flapped"], r["repeated"], _seconds(r["median_seconds_to_ok"]), r["pages"], r["nights"],
            )
            for r in rows
        ],
        empty="no incident of this period is over",
    )  # fmt: skip
    for row in rows:
        if row["suggestion"]:
            output.emit_line(f"{row['alarm']}: {row['suggestion']} ({row['because']})")


def _seconds(value: int | None) -> str:
    return "" if value is None else f"{value}s"
