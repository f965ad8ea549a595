"""How CloudWatch's own words are read, complete or not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from incidentio.cli.backtest.history import CloudWatchHistory, configuration
from tests.estate import ACCOUNT, PREFIX, REGION, START, CloudWatch, document, item_of

END = START + timedelta(days=1)


def read(*items: dict[str, Any]) -> Any:
    told = {"alarms": document()["alarms"][:1], "tags": {}, "history": list(items)}
    return CloudWatchHistory(CloudWatch(told), account=ACCOUNT, region=REGION).read(START, END)


def test_a_state_change_keeps_its_reason_and_data() -> None:
    (change,) = read(item_of("checkout-Errors-00", START + timedelta(hours=1), "OK", "ALARM")).changes
    assert (change.old, change.new, change.at) == ("OK", "ALARM", datetime(2026, 3, 1, 1, tzinfo=UTC))
    assert change.reason.startswith("Threshold Crossed")
    assert json.loads(change.reason_data)["threshold"] == 5.0


def test_data_that_was_cut_is_read_from_the_summary() -> None:
    item = item_of("checkout-Errors-00", START, "OK", "ALARM")
    (change,) = read({**item, "HistoryData": item["HistoryData"][:50]}).changes
    assert (change.old, change.new, change.reason) == ("OK", "ALARM", "")
    assert read({**item, "HistoryData": "{", "HistorySummary": "?"}).changes == ()


def test_an_alarm_that_is_gone_has_the_arn_it_had() -> None:
    (change,) = read(item_of("gone", START, "OK", "ALARM")).changes
    assert change.arn == f"{PREFIX}gone"


def test_its_arn_is_of_the_partition_of_the_region() -> None:
    told = {"alarms": [], "tags": {}, "history": [item_of("gone", START, "OK", "ALARM")]}
    for region, partition in (("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")):
        (change,) = CloudWatchHistory(CloudWatch(told), account=ACCOUNT, region=region).read(START, END).changes
        assert change.arn == f"arn:{partition}:cloudwatch:{region}:{ACCOUNT}:alarm:gone"


def test_changes_come_in_order_of_time_over_many_pages() -> None:
    items = [item_of("checkout-Errors-00", START + timedelta(minutes=n), "OK", "ALARM") for n in range(250)]
    found = read(*reversed(items)).changes
    assert len(found) == 250
    assert [c.at for c in found] == sorted(c.at for c in found)


def test_an_alarm_fired_before_when_its_first_change_says_so() -> None:
    estate = read(item_of("checkout-Errors-00", START + timedelta(hours=2), "ALARM", "OK"))
    assert list(estate.firing_at_start()) == ["checkout-Errors-00"]
    assert list(read(item_of("checkout-Errors-00", START, "OK", "ALARM")).firing_at_start()) == []


def test_the_configuration_is_that_of_an_event() -> None:
    metric = {"Namespace": "Shop", "MetricName": "Errors", "Dimensions": [{"Name": "Function", "Value": "a"}]}
    told = {
        "metric": {"namespace": "Shop", "name": "Errors", "dimensions": {"Function": "a"}},
        "period": 60,
        "stat": "Sum",
    }
    assert configuration({**metric, "Period": 60, "Statistic": "Sum"})["metrics"] == [
        {"id": "m1", "metricStat": told, "returnData": True}
    ]
    math = [
        {"Id": "rate", "Expression": "a / b", "ReturnData": True},
        {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
    ]
    assert configuration({"Metrics": math})["metrics"] == [
        {"id": "rate", "expression": "a / b", "returnData": True},
        {"id": "a", "metricStat": told, "returnData": False},
    ]
    assert configuration({"AlarmRule": "ALARM(a)"})["alarmRule"] == "ALARM(a)"
    assert configuration({"ScheduledQueryConfiguration": {}, "Threshold": 1.0})["metrics"] == []
