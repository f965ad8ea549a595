"""Recurring windows on the wall clock, across both changes of clocks."""

from datetime import UTC, datetime, timedelta

import pytest

from incidentio.core.recurrence import check, next_start, open_at

NIGHTLY = "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"
BERLIN = "Europe/Berlin"
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def opened(rule: str, at: str, *, zone: str = BERLIN, duration: timedelta = HOUR, **bounds: datetime) -> str | None:
    found = open_at(rule, zone, duration, utc(at), begins=bounds.get("begins"), ends=bounds.get("ends"))
    return f"{found[0]:%m-%dT%H:%M}/{found[1]:%m-%dT%H:%M}" if found else None


@pytest.mark.parametrize(
    ("at", "window"),
    [
        ("2026-01-15T01:29:59", None),
        ("2026-01-15T01:30", "01-15T01:30/01-15T02:30"),
        ("2026-01-15T02:29:59", "01-15T01:30/01-15T02:30"),
        ("2026-01-15T02:30", None),
        # In summer the wall clock is two hours ahead of UTC.
        ("2026-07-15T00:30", "07-15T00:30/07-15T01:30"),
        # 02:30 does not exist on 2026-03-29: it counts with the offset before the change, and is 03:30 in summer.
        ("2026-03-29T01:29", None),
        ("2026-03-29T01:30", "03-29T01:30/03-29T02:30"),
        # 02:30 comes twice on 2026-10-25: the first one counts, once.
        ("2026-10-25T00:30", "10-25T00:30/10-25T01:30"),
        ("2026-10-25T01:30", None),
    ],
)
def test_a_window_opens_by_the_wall_clock_and_is_open_for_its_duration(at, window):
    assert opened(NIGHTLY, at) == window


def test_a_window_over_a_change_of_clocks_is_as_long_as_any_other():
    rule = "FREQ=DAILY;BYHOUR=1"
    assert opened(rule, "2026-03-29T02:59", duration=3 * HOUR) == "03-29T00:00/03-29T03:00"
    assert opened(rule, "2026-10-25T00:00", duration=3 * HOUR) == "10-24T23:00/10-25T02:00"


def test_every_second_week_counts_from_the_first_window():
    fortnightly, first = "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU", utc("2024-01-07T22:00")
    assert opened(fortnightly, "2026-03-01T22:30", zone="UTC", begins=first) == "03-01T22:00/03-01T23:00"
    assert opened(fortnightly, "2026-03-08T22:30", zone="UTC", begins=first) is None
    assert next_start(fortnightly, "UTC", utc("2026-03-01T22:00"), begins=first, ends=None) == utc("2026-03-15T22:00")


def test_a_count_is_not_lost_however_much_later_one_looks():
    thrice, first = "FREQ=DAILY;COUNT=3", utc("2026-03-01T22:00")
    assert opened(thrice, "2026-03-03T22:00", zone="UTC", begins=first)
    assert opened(thrice, "2026-03-04T22:00", zone="UTC", begins=first) is None
    assert next_start(thrice, "UTC", utc("2026-03-03T22:00"), begins=first, ends=None) is None


def test_nothing_begins_after_the_end():
    assert opened(NIGHTLY, "2026-01-15T01:45", ends=utc("2026-01-15T01:31"))
    assert opened(NIGHTLY, "2026-01-15T01:45", ends=utc("2026-01-15T01:30")) is None
    assert next_start(NIGHTLY, BERLIN, utc("2026-01-15T01:30"), begins=None, ends=utc("2026-01-16T01:00")) is None


def test_the_next_start_over_the_change_of_clocks():
    assert next_start(NIGHTLY, BERLIN, utc("2026-03-28T12:00"), begins=None, ends=None) == utc("2026-03-29T01:30")
    assert next_start(NIGHTLY, BERLIN, utc("2026-03-29T01:30"), begins=None, ends=None) == utc("2026-03-30T00:30")


def test_of_windows_that_overlap_the_last_to_end_counts():
    assert opened("FREQ=DAILY", "2026-03-02T12:00", zone="UTC", duration=36 * HOUR) == "03-02T00:00/03-03T12:00"


@pytest.mark.parametrize(
    ("rule", "zone", "said"),
    [
        ("every sunday", "UTC", "write it like FREQ=WEEKLY"),
        ("BYDAY=SU", "UTC", "FREQ is missing: use one of DAILY"),
        ("FREQ=MINUTELY", "UTC", "FREQ is MINUTELY: use one of DAILY"),
        ("FREQ=DAILY;UNTIL=20260301T000000Z", "UTC", "give ends_at"),
        ("FREQ=DAILY;COUNT=3", "UTC", "give starts_at"),
        ("FREQ=DAILY;INTERVAL=2", "UTC", "give starts_at"),
        ("FREQ=DAILY;BYHOUR=25", "UTC", "is not a recurrence rule"),
        ("FREQ=DAILY;COLOUR=RED", "UTC", "is not a recurrence rule"),
        ("FREQ=DAILY;BYDAY=XX", "UTC", "is not a recurrence rule"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "UTC", "never comes"),
        ("FREQ=DAILY", "Mars/Olympus", "there is no time zone 'Mars/Olympus'"),
        ("FREQ=DAILY", "/etc/passwd", "there is no time zone"),
    ],
)
def test_a_wrong_rule_is_told_with_what_would_be_right(rule, zone, said):
    with pytest.raises(ValueError, match=said):
        check(rule, zone, None)
