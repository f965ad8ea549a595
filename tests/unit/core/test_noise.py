"""What is kept of an incident that is over, and what a period of them says of each alarm."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from incidentio.core.ended import MOST_A_DAY, Ended, Played, ended, ended_on, ended_write
from incidentio.core.ids import iso
from incidentio.core.incident import Change
from incidentio.core.lifecycle import acknowledge, cancel, mitigate, resolve
from incidentio.core.memory import MemoryTable
from incidentio.core.night import Night
from incidentio.core.noise import noise
from incidentio.core.person import SYSTEM
from tests.make import ALICE, NOW, opened

ARN = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:"


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def heard(change: Change, type_: str, minutes: float, *, key: str = ARN + "a", state: str = "firing") -> Change:
    data = {"dedup_key": key, "state": state, "changed_at": iso(at(minutes))}
    return change.recorded(type_, actor=SYSTEM, at=at(minutes), text=type_, data=data)


def called(change: Change, minutes: float, *, channel: str = "page", call: bool = True) -> Change:
    data = {"channel": channel, "call": call}
    return change.recorded("PagePublished", actor=SYSTEM, at=at(minutes), text="told", data=data)


def moved(change: Change, command: Any, minutes: float, **more: Any) -> Change:
    after = command(change.incident, at=at(minutes), **{"actor": ALICE, **more})
    return Change(after.incident, change.entries + after.entries, change.expected_seq)


def kept(change: Change) -> Ended:
    return ended(change.incident, change.entries)


def outcome(number: int, **fields: Any) -> Ended:
    return Ended(
        **{
            "id": f"INC-{number:06d}",
            "detected_at": at(number * 60),
            "service": "checkout",
            "severity": "SEV2",
            "mode": "live",
            "status": "resolved",
            "reason": None,
            "worked_on": False,
            "flapped": False,
            "paged_at": (),
            "opened_by": ARN + "a",
            "signals": {ARN + "a": Played(fired=1)},
            **fields,
        }
    )


def test_stays_are_measured_from_firing_to_ok_by_the_alarms_own_clock() -> None:
    change = opened(dedup_key=ARN + "a")
    change = heard(change, "SignalRecovered", 4, state="ok")
    change = heard(change, "SignalJoined", 10)
    change = heard(change, "SignalJoined", 11, key=ARN + "b")
    change = heard(change, "SignalNoted", 12, key=ARN + "b", state="note")
    change = heard(change, "SignalRecovered", 20, state="ok")
    signals = kept(change).signals
    assert signals == {
        ARN + "a": Played(fired=2, ok_after=(240, 600)),
        ARN + "b": Played(fired=1, noted=1),
    }


def test_one_entry_may_tell_of_several_signals() -> None:
    keys = [ARN + "a", ARN + "b"]
    change = opened(dedup_key=ARN + "a")
    for type_, minutes, state in (
        ("SignalRecovered", 1, "ok"),
        ("SignalInhibited", 2, "firing"),
        ("SignalRecovered", 3, "ok"),
    ):
        data = {"dedup_key": keys[0], "dedup_keys": keys, "state": state, "changed_at": iso(at(minutes))}
        change = change.recorded(type_, actor=SYSTEM, at=at(minutes), text=type_, data=data)
    assert kept(change).signals == {
        ARN + "a": Played(fired=2, ok_after=(60, 60)),
        ARN + "b": Played(fired=1, ok_after=(60,)),
    }


def test_only_calls_on_the_page_topic_are_pages() -> None:
    change = called(called(called(opened(), 1), 2, channel="ticket"), 3, call=False)
    assert kept(change).paged_at == (at(1),)


@pytest.mark.parametrize(
    ("change", "worked_on"),
    [
        (moved(opened(), resolve, 9, actor=SYSTEM), False),
        (moved(opened(), cancel, 9, reason="false_positive"), False),
        (moved(moved(opened(), acknowledge, 1), resolve, 9, actor=SYSTEM), True),
        (moved(opened(), mitigate, 1), True),
        (opened().recorded("PlaybookSucceeded", actor=SYSTEM, at=at(1), text="done"), True),
    ],
)
def test_worked_on_is_what_a_person_or_a_playbook_did(change: Change, worked_on: bool) -> None:
    assert kept(change).worked_on is worked_on


def test_a_record_is_read_back_by_the_day_and_kept_once() -> None:
    table = MemoryTable()
    found = kept(moved(called(opened(dedup_key=ARN + "a"), 1), cancel, 5, reason="test"))
    table.write(ended_write(found))
    table.write(ended_write(found))
    assert list(ended_on(table, NOW.date())) == [found]
    assert list(ended_on(table, NOW.date() + timedelta(days=1))) == []
    assert min(table.expires.values()) > NOW + timedelta(days=90)


def test_a_day_is_read_up_to_a_limit() -> None:
    table = MemoryTable()
    for number in range(MOST_A_DAY + 5):
        table.write(ended_write(outcome(number, detected_at=NOW)))
    assert sum(1 for _ in ended_on(table, NOW.date())) == MOST_A_DAY


def test_a_storm_keeps_a_small_record() -> None:
    change = opened(dedup_key=ARN + "a")
    for number in range(90):
        change = heard(change, "SignalJoined", number, key=f"{ARN}{number}")
    assert len(kept(change).signals) == 50


def test_columns_are_counts_of_incidents_and_of_times_fired() -> None:
    night = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
    rows = noise(
        [
            outcome(
                1, signals={ARN + "a": Played(fired=3, ok_after=(60, 120))}, paged_at=(night, at(1)), worked_on=True
            ),
            outcome(2, status="cancelled", reason="false_positive", worked_on=True),
            outcome(
                3,
                opened_by=ARN + "b",
                signals={ARN + "a": Played(fired=1, ok_after=(900,)), ARN + "b": Played(fired=1)},
            ),
        ],
        Night(),
    )
    a = next(row for row in rows if row.alarm == "a")
    assert (a.fired, a.incidents, a.repeated, a.flapped, a.false, a.actionable) == (5, 2, 3, 1, 1, 1)
    assert (a.joined, [row.joined for row in rows]) == (1, [1, 0])
    assert (a.median_seconds_to_ok, a.pages, a.pages_at_night, a.nights) == (120, 2, 1, 1)
    assert [row.alarm for row in rows] == ["a", "b"]


def test_the_night_is_where_people_sleep() -> None:
    half_past_two_in_tokyo = datetime(2026, 3, 1, 17, 30, tzinfo=UTC)
    tokyo = Night(timezone(timedelta(hours=9)))
    assert Night().of(half_past_two_in_tokyo) is None
    assert str(tokyo.of(half_past_two_in_tokyo)) == "2026-03-01"
    assert str(Night().of(datetime(2026, 3, 1, 22, 0, tzinfo=UTC))) == "2026-03-01"
    assert str(Night().of(datetime(2026, 3, 2, 6, 59, tzinfo=UTC))) == "2026-03-01"
    assert Night().of(datetime(2026, 3, 2, 7, 0, tzinfo=UTC)) is None


FALSE = {"status": "cancelled", "reason": "false_positive"}


@pytest.mark.parametrize(
    ("outcomes", "suggestion", "because"),
    [
        ([outcome(n, **FALSE) for n in range(3)], "delete it", "3 of 3 incidents were false positives"),
        (
            [outcome(n, status="cancelled", reason="expected") for n in range(2)],
            "maintenance window",
            "2 of 2 incidents",
        ),
        ([outcome(n, status="cancelled", reason="duplicate") for n in range(2)], "group it", "2 of 2 incidents"),
        (
            [outcome(1, signals={ARN + "a": Played(fired=1, noted=4)})],
            "TreatMissingData",
            "no data 4 times and fired 1",
        ),
        (
            [outcome(n, signals={ARN + "a": Played(fired=4)}, worked_on=True) for n in range(2)],
            "DatapointsToAlarm",
            "fired 8 times in 2 incidents, in 2 of them",
        ),
        (
            [outcome(n, signals={ARN + "a": Played(fired=1, ok_after=(80,))}, worked_on=True) for n in range(5)],
            "longer Period",
            "half of the 5 times it was ok again within 80 s",
        ),
        ([outcome(n, paged_at=(at(n),)) for n in range(5)], "ticket instead of a page", "nobody worked on any of 5"),
        ([outcome(n, mode="monitor") for n in range(5)], "only watch it", "nobody worked on any of 5 incidents"),
    ],
)
def test_a_noisy_alarm_gets_one_suggestion_with_its_numbers(
    outcomes: list[Ended], suggestion: str, because: str
) -> None:
    (row,) = noise(outcomes, Night())
    assert suggestion in (row.suggestion or "")
    assert because in (row.because or "")


def test_what_was_said_of_anothers_incident_is_no_verdict_on_who_joined_it() -> None:
    both = {ARN + "b": Played(fired=1), ARN + "a": Played(fired=1)}
    for fields in (FALSE, {**FALSE, "reason": "expected"}, {**FALSE, "reason": "duplicate"}, {"worked_on": True}):
        rows = noise([outcome(n, signals=both, **fields) for n in range(5)], Night())
        joined = next(row for row in rows if row.alarm == "b")
        assert (joined.incidents, joined.joined, joined.actionable, joined.false) == (0, 5, 0, 0)
        assert (joined.cancelled, joined.suggestion) == ({}, None)
        opened_them = next(row for row in rows if row.alarm == "a")
        assert opened_them.cancelled == ({fields["reason"]: 5} if "reason" in fields else {})


def test_what_comes_and_goes_in_anothers_incidents_is_told_how_often() -> None:
    parts = {ARN + "a": Played(fired=1), ARN + "b": Played(fired=3)}
    row = next(r for r in noise([outcome(n, signals=parts) for n in range(2)], Night()) if r.alarm == "b")
    assert row.because == "it fired 6 times in 2 incidents, in 2 of them three times or more"


def test_who_opened_an_incident_is_kept_whatever_order_a_table_gives_its_signals_in() -> None:
    table = MemoryTable()
    change = heard(opened(dedup_key=ARN + "a"), "SignalJoined", 1, key=ARN + "b")
    table.write(ended_write(kept(moved(change, cancel, 5, reason="false_positive"))))
    rows = noise(ended_on(table, NOW.date()), Night())
    assert {row.alarm: (row.incidents, row.joined, row.false) for row in rows} == {"a": (1, 0, 1), "b": (0, 1, 0)}


def test_a_useful_alarm_gets_none() -> None:
    (row,) = noise([outcome(n, worked_on=True) for n in range(9)], Night())
    assert (row.suggestion, row.because) == (None, None)
