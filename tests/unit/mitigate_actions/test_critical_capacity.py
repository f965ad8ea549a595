"""Keeping capacity for one function: not less than it runs, and never by capping itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions import Action, compare_and_set, permissions_for, prepared
from incidentio.mitigate.actions.metric_series import series
from tests.unit.mitigate_actions.estate import ARN, PLACE, Estate
from tests.unit.mitigate_actions.test_registry import playbook

TARGET = f"AWS::Lambda::Function|{PLACE.account}|{PLACE.region}|checkout"


class Measured(Estate):
    """An estate whose function ran `copies` at once, told five minutes ago."""

    copies: tuple[float, ...] = ()

    def _get_metric_statistics(self, p: Any) -> dict[str, Any]:
        assert p["EndTime"] - p["StartTime"] == timedelta(hours=3)
        at = p["EndTime"] - timedelta(minutes=5)
        return {"Datapoints": [{"Timestamp": at, "Maximum": copies} for copies in self.copies]}


def reserve(value: int) -> Action[Any]:
    return prepared("reserve-concurrency", {"value": value}, TARGET, PLACE)


def cap(function: str, value: int = 5) -> Action[Any]:
    return prepared("cap-function", {"function": function, "value": value}, TARGET, PLACE)


@pytest.mark.parametrize(
    ("reserved", "copies", "fits"),
    [(None, (), True), (None, (12, 20, 3), True), (None, (21,), False), (10, (10,), True)],
    ids=["never measured", "at its peak", "below its peak", "has one already, so it cannot run more"],
)
def test_a_reservation_is_not_below_what_the_function_runs(
    reserved: int | None, copies: tuple[float, ...], fits: bool
) -> None:
    estate = Measured(reserved=reserved)
    estate.copies = copies
    if fits:
        assert compare_and_set.snapshot(reserve(20), estate)["snapshot"]["after"] == 20
    else:
        with pytest.raises(Conflict, match=r"ran 21 copies at once .* Reserve at least 21"):
            compare_and_set.snapshot(reserve(20), estate)


def test_the_critical_function_is_not_capped_itself() -> None:
    with pytest.raises(Conflict, match="name another one to cap"):
        compare_and_set.snapshot(cap("checkout"), Estate())


def test_a_function_that_is_written_out_narrows_the_right() -> None:
    book = playbook({"action": "cap-function", "with": {"function": "reports", "value": 5}})
    place = {"partition": PLACE.partition, "account": PLACE.account, "region": PLACE.region}
    assert permissions_for(book, **place)[0].resources == (ARN("lambda", "function:reports"),)


def test_a_series_knows_the_last_hour_from_the_one_before() -> None:
    now = datetime.now(UTC)

    def call(*_: str, **given: Any) -> dict[str, Any]:
        assert given["Period"] == 300
        ago = [90, 61, 59, 5]
        return {"Datapoints": [{"Timestamp": now - timedelta(minutes=m), "Sum": float(m)} for m in ago]}

    found = series(call, "AWS/Lambda", "Errors", {"FunctionName": "checkout"}, "Sum", over=timedelta(hours=2))
    hour = timedelta(hours=1)
    assert found.between(hour) == [59.0, 5.0]
    assert found.between(2 * hour, hour) == [90.0, 61.0]
