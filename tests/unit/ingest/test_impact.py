"""Where the impact began."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidentio.ingest.impact import impact_start

AT = datetime(2026, 3, 4, 9, 13, tzinfo=UTC)
ABOVE = "2 datapoints were greater than the threshold (5.0)"
BELOW = "2 datapoints were less than or equal to the threshold (5.0)"


def points(*pairs: tuple[int, float | None]) -> list[dict[str, Any]]:
    return [
        {"timestamp": f"2026-03-04T09:{minute:02d}:00.000+0000", **({"value": value} if value is not None else {})}
        for minute, value in pairs
    ]


@pytest.mark.parametrize(
    ("reason", "data", "minute"),
    [
        (ABOVE, {"threshold": 5.0, "evaluatedDatapoints": points((12, 9.0), (11, 8.0), (10, 1.0))}, 11),
        (BELOW, {"threshold": 5.0, "evaluatedDatapoints": points((12, 1.0), (11, 5.0), (10, 8.0))}, 11),
        ("outside the band", {"evaluatedDatapoints": points((12, 9.0), (11, 8.0))}, 11),
        (ABOVE, {"threshold": 5.0, "evaluatedDatapoints": points((12, None), (11, None))}, 11),
        (ABOVE, {"startDate": "2026-03-04T09:10:00.000+0000"}, 10),
        (f"[9.0 (04/03/26 09:12:00), 8.0 (04/03/26 09:11:00)] {ABOVE}", None, 11),
        (f"[9.0 (99/99/26 09:12:00)] {ABOVE}", None, 13),
        (ABOVE, {"startDate": "2026-03-04T09:20:00.000+0000"}, 13),
        (ABOVE, {"startDate": (AT - timedelta(days=8)).isoformat()}, 13),
        (ABOVE, {"startDate": "2026-03-04T09:10:00"}, 13),
        (ABOVE, {"startDate": "0001-01-01T00:00:00+23:59"}, 13),
        (ABOVE, {"evaluatedDatapoints": [*points((12, 9.0)), {"timestamp": "9999-12-31T23:59:59-23:59"}]}, 12),
        (ABOVE, {"startDate": 7, "evaluatedDatapoints": "none", "triggeringAlarms": [1]}, 13),
        ("", None, 13),
    ],
)
def test_first_breaching_datapoint_else_the_state_change(reason: str, data: Any, minute: int) -> None:
    found = impact_start(reason=reason, reason_data=json.dumps(data) if data else None, changed_at=AT)
    assert found == AT.replace(minute=minute)


@pytest.mark.parametrize("data", ["{", "[]", "null", "[" * 100_000, 7])
def test_broken_reason_data_is_no_reason_to_lose_an_alarm(data: Any) -> None:
    assert impact_start(reason="", reason_data=data, changed_at=AT) == AT
