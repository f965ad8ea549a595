"""`incidentio reports noise`."""

from collections.abc import Callable

from click.testing import Result

from tests.unit.cli.conftest import ScriptedApi

ROW = {
    "alarm": "checkout-errors", "dedup_key": "arn:…", "service": "checkout", "fired": 12, "incidents": 4, "joined": 1,
    "actionable": 0, "false": 3, "flapped": 2, "repeated": 8, "noted": 0, "cancelled": {"false_positive": 3},
    "median_seconds_to_ok": 80, "pages": 4, "pages_at_night": 2, "nights": 2,
    "suggestion": "delete it", "because": "3 of 4 incidents were false positives",
}  # fmt: skip
REPORT = {
    "days": 7, "since": "2026-03-01", "until": "2026-03-07", "incidents": 4, "complete": False,
    "totals": {"fired": 12, "pages": 4, "pages_at_night": 2}, "items": [ROW],
}  # fmt: skip


def test_each_noisy_alarm_is_a_row_and_a_line_of_advice(run: Callable[..., Result], api: ScriptedApi) -> None:
    api.answers["GET", "/reports/noise"] = REPORT
    answer = run("reports", "noise", "--days", "7", "--timezone", "Asia/Tokyo")
    assert api.asked[0].query == {"days": "7", "utc_offset": "540"}
    assert "alarms fired 12 times and paged 4 times, 2 of them at night" in answer.stdout
    row = next(line for line in answer.stdout.splitlines() if line.startswith("checkout-errors  "))
    assert row.split() == ["checkout-errors", "checkout", "12", "4", "0", "3", "1", "2", "8", "80s", "4", "2"]
    assert "checkout-errors: delete it (3 of 4 incidents were false positives)" in answer.stdout
    assert "too low" in answer.stderr


def test_a_quiet_period_says_so(run: Callable[..., Result], api: ScriptedApi) -> None:
    api.answers["GET", "/reports/noise"] = {**REPORT, "items": [], "complete": True}
    assert "no incident of this period is over" in run("reports", "noise").stdout
