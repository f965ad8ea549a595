"""Recurring windows on the wall clock, across both changes of clocks, and whatever anybody writes as a rule."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from incidentio.core import years
from incidentio.core.recurrence import LONGEST, Unusable, check, next_start, open_at

NIGHTLY = "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"
BERLIN = "Europe/Berlin"
HOUR = timedelta(hours=1)


NUMBERS = (
    st.integers(-2, 9)
    | st.integers(-400, 400)
    | st.sampled_from(["00", "01", "+1", "1_0", "٣", "1e3", "", "9" * 11, "MO", "1,,2"])
)
DAYS = st.sampled_from(["MO", "SU", "2TU", "-1FR", "+5SA", "0MO", "99SU", "XX", "SU(2)"])
LISTS = {
    "BYHOUR": 23,
    "BYMINUTE": 59,
    "BYSECOND": 60,
    "BYMONTH": 12,
    "BYMONTHDAY": 31,
    "BYYEARDAY": 366,
    "BYWEEKNO": 53,
}
FINE = {name: st.lists(st.integers(1, most), min_size=1, max_size=3) for name, most in LISTS.items()}
FINE |= {"BYDAY": st.lists(st.sampled_from(["MO", "WE", "SU"]), min_size=1), "WKST": st.just(["SU"])}
ODD = {name: st.lists(NUMBERS, min_size=1, max_size=3) for name in (*LISTS, "BYSETPOS", "BYEASTER", "DTSTART")}
ODD |= {
    "BYDAY": st.lists(DAYS, min_size=1),
    "INTERVAL": NUMBERS.map(lambda n: [n]),
    "COUNT": NUMBERS.map(lambda n: [n]),
}
OFTEN = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
ZONES = st.sampled_from(["UTC", BERLIN, "America/New_York", "Pacific/Kiritimati", "Australia/Lord_Howe"])
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 12, 31, 23, 59, 59), timezones=st.just(UTC))  # noqa: DTZ001
EDGES = st.sampled_from([years.BEGIN, years.END - timedelta(seconds=1)])


@st.composite
def rules(draw: st.DrawFn, *, odd: bool) -> str:
    names = draw(st.lists(st.sampled_from(sorted(ODD if odd else FINE)), unique=True, max_size=3 if odd else 2))
    parts = [f"FREQ={draw(st.sampled_from(OFTEN))}"]
    if not odd:
        parts.append(f"INTERVAL={draw(st.integers(1, 4))}")
    for name in names:
        values = draw((ODD if odd and (name not in FINE or draw(st.booleans())) else FINE)[name])
        parts.append(f"{name}={','.join(map(str, values))}")
    return ";".join(parts)


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


@pytest.mark.parametrize(
    ("rule", "first", "at", "following"),
    [
        ("FREQ=MONTHLY", "2000-01-31T12:00", "2026-02-15", "2026-03-31T12:00"),
        ("FREQ=MONTHLY;INTERVAL=5", "2000-11-30T12:00", "2026-06-01", "2026-09-30T12:00"),
        ("FREQ=MONTHLY;INTERVAL=5;BYDAY=-1SU", "2000-11-30T12:00", "2026-06-01", "2026-09-27T12:00"),
        ("FREQ=YEARLY", "2004-02-29T12:00", "2026-06-01", "2028-02-29T12:00"),
        ("FREQ=YEARLY;INTERVAL=3;BYMONTH=12", "2000-06-15T12:00", "2026-01-01", "2027-12-15T12:00"),
        ("FREQ=YEARLY;BYYEARDAY=-1", "2000-06-15T12:00", "2026-01-01", "2026-12-31T12:00"),
    ],
)
def test_months_and_years_count_from_the_first_window(rule: str, first: str, at: str, following: str) -> None:
    assert next_start(rule, "UTC", utc(at), begins=utc(first), ends=None) == utc(following)
    assert opened(rule, following, zone="UTC", begins=utc(first))


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
        ("FREQ=DAILY;BYEASTER=0", "UTC", "no BYEASTER is 0"),
        ("FREQ=DAILY;BYHOUR=2\nEXRULE:FREQ=DAILY", "UTC", "is not a recurrence rule: no BYHOUR is 2"),
        (f"FREQ=DAILY;BYMINUTE={','.join(map(str, range(25)))}", "UTC", "at most 24 windows a day"),
        ("FREQ=DAILY", "Mars/Olympus", "there is no time zone 'Mars/Olympus'"),
        ("FREQ=DAILY", "/etc/passwd", "there is no time zone"),
    ],
)
def test_a_wrong_rule_is_told_with_what_would_be_right(rule, zone, said):
    with pytest.raises(ValueError, match=said):
        check(rule, zone, None)


@pytest.mark.parametrize("often", OFTEN)
@pytest.mark.parametrize("number", ["0", "00", "-1", "-3", "1001", "99999999999", "abc", "1_0", "2,3", "٣"])
@pytest.mark.parametrize("name", ["INTERVAL", "COUNT"])
def test_what_is_counted_is_a_number_from_1_to_1000(often: str, name: str, number: str) -> None:
    rule = f"FREQ={often};{name}={number}"
    with pytest.raises(ValueError, match=f"no {name} is .*: it is 1 to 1000"):
        check(rule, "UTC", utc("2026-01-05T22:00"))


@pytest.mark.parametrize("often", OFTEN)
def test_1_and_1000_are_taken(often: str) -> None:
    first = utc("2026-01-05T22:00")
    check(f"FREQ={often};COUNT=1", BERLIN, first)
    check(f"FREQ={often};COUNT=1000;INTERVAL=1000", BERLIN, first)
    check(f"FREQ={often};INTERVAL=01", BERLIN, None)


@pytest.mark.parametrize("begins", ["0001-01-01T00:00", "1999-12-31T23:59:59", "2201-01-01T00:00", "9999-12-31T23:59"])
def test_the_first_one_is_in_a_year_that_a_calendar_knows(begins: str) -> None:
    with pytest.raises(ValueError, match="starts_at is out of range: the years are 2000 to 2200"):
        check("FREQ=WEEKLY", "America/New_York", utc(begins))


@settings(max_examples=150)
@given(rule=rules(odd=True), zone=ZONES, begins=st.none() | MOMENTS | EDGES, at=MOMENTS | EDGES)
@example(rule="FREQ=WEEKLY;INTERVAL=1000", zone="America/New_York", begins=years.BEGIN, at=years.BEGIN)
@example(rule="FREQ=DAILY", zone="Pacific/Kiritimati", begins=None, at=years.END - timedelta(seconds=1))
@example(rule="FREQ=YEARLY;BYWEEKNO=53;BYDAY=-1FR", zone="UTC", begins=None, at=years.END - timedelta(seconds=1))
def test_what_is_accepted_can_be_evaluated_at_any_moment(
    rule: str, zone: str, begins: datetime | None, at: datetime
) -> None:
    try:
        check(rule, zone, begins)
    except ValueError:
        return
    window = open_at(rule, zone, LONGEST, at, begins=begins, ends=None)
    assert window is None or window[0] <= at < window[1]
    following = next_start(rule, zone, at, begins=begins, ends=None)
    assert following is None or following > at


@settings(max_examples=60)
@given(rule=rules(odd=False), zone=ZONES, begins=MOMENTS, days=st.integers(-40, 3000))
@example(rule="FREQ=DAILY;INTERVAL=1", zone="UTC", begins=utc("2200-09-18T00:00"), days=104)
@example(rule="FREQ=MONTHLY;INTERVAL=1", zone="UTC", begins=utc("2000-01-31T12:00"), days=1500)
@example(rule="FREQ=YEARLY;INTERVAL=1", zone="UTC", begins=utc("2004-02-29T12:00"), days=2900)
@example(rule="FREQ=YEARLY;INTERVAL=3;BYMONTH=12", zone=BERLIN, begins=utc("2000-06-15T12:00"), days=2500)
@example(rule="FREQ=MONTHLY;INTERVAL=5;BYDAY=SU", zone=BERLIN, begins=utc("2000-11-30T12:00"), days=2500)
def test_a_rule_means_the_same_however_much_later_one_looks(rule: str, zone: str, begins: datetime, days: int) -> None:
    try:
        check(rule, zone, begins)
    except ValueError:
        return
    at = begins + timedelta(days=days)
    local = begins.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    far = at.replace(tzinfo=None) + timedelta(days=70)
    starts = []
    for wall in rrulestr(rule, dtstart=local):
        if wall > far:
            break
        starts.append(wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))
    opened = [start for start in starts if start <= at < start + 36 * HOUR]
    found = open_at(rule, zone, 36 * HOUR, at, begins=begins, ends=None)
    assert (found and found[0]) == max(opened, default=None)
    following = next_start(rule, zone, at, begins=begins, ends=None)
    after = [start for start in starts if start > at and start.year <= years.LAST]
    assert following == min(after) if after else following is None or following > at


@pytest.mark.parametrize("rule", ["FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;BYHOUR=25"])
def test_what_was_kept_before_it_was_refused_says_so_and_costs_nothing(rule: str) -> None:
    first = utc("2026-01-05T22:00")
    with pytest.raises(Unusable):
        open_at(rule, "UTC", HOUR, utc("2026-03-01T12:00"), begins=first, ends=None)
    with pytest.raises(Unusable):
        next_start(rule, "UTC", utc("2026-03-01T12:00"), begins=first, ends=None)


def test_a_time_zone_that_is_gone_says_so() -> None:
    with pytest.raises(Unusable):
        open_at("FREQ=DAILY", "Mars/Olympus", HOUR, utc("2026-03-01T12:00"), begins=None, ends=None)
