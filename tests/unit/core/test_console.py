"""Console addresses, written out: what a browser of 2026 opens."""

from datetime import UTC, datetime

import pytest

from incidentio.core.console import console_links
from incidentio.core.signal import Subject

SINCE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UNTIL = datetime(2026, 3, 1, 12, 15, tzinfo=UTC)
BASE = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"


def links(traces=(), **fields):
    about = {
        "region": "eu-west-1", "alarm_name": "checkout 5xx/é", "namespace": "AWS/Lambda", "metric": "Errors",
        "dimensions": {"FunctionName": "checkout_api"},
    }  # fmt: skip
    return console_links(Subject(**{**about, **fields}), since=SINCE, until=UNTIL, traces=traces)


def test_the_alarm_by_its_name():
    assert links()["alarm"] == f"{BASE}#alarmsV2:alarm/checkout%205xx%2F%C3%A9"


def test_the_metric_around_the_time_of_impact():
    assert links()["metrics"] == (
        f"{BASE}#metricsV2:graph=~(view~'timeSeries~stacked~false~metrics~(~(~'AWS*2fLambda~'Errors~'FunctionName"
        "~'checkout_api))~region~'eu-west-1~start~'2026-03-01T11*3a30*3a00.000Z~end~'2026-03-01T12*3a45*3a00.000Z)"
    )


def test_the_logs_of_the_function():
    logs = links()["logs"]
    assert logs.startswith(
        f"{BASE}#logsV2:logs-insights$3FqueryDetail$3D$257E$2528end$257E$25272026-03-01T12*3a45*3a00.000Z$257Estart"
        "$257E$25272026-03-01T11*3a30*3a00.000Z$257EtimeType$257E$2527ABSOLUTE$257Etz$257E$2527UTC$257EeditorString"
        "$257E$2527fields*20*40timestamp*2c*20*40message"
    )
    assert logs.endswith(
        "$257EisLiveTail$257Efalse$257Esource$257E$2528$257E$2527*2faws*2flambda*2fcheckout_api$2529$2529"
    )


def test_traces_of_the_time_or_the_one_that_is_known():
    assert links()["traces"] == (
        f"{BASE}#xray:traces/query?~(query~()~context~(timeRange~(start~'2026-03-01T11*3a30*3a00.000Z~end~"
        "'2026-03-01T12*3a45*3a00.000Z)))"
    )
    assert links(("1-5759e988-bd862e3fe1be46a994272793",))["traces"] == (
        f"{BASE}#xray:traces/1-5759e988-bd862e3fe1be46a994272793"
    )


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-east-1", "us-east-1.console.aws.amazon.com"),
    ],
)
def test_each_partition_has_its_own_console(region, host):
    assert links(region=region)["alarm"].startswith(f"https://{host}/cloudwatch/home?region={region}#")


@pytest.mark.parametrize("region", ["", "us-iso-east-1"])
def test_without_a_console_there_are_no_links(region):
    assert links(region=region) == {}
