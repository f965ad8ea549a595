"""DNS weights: what moves, pages of records, and how a health check without observations counts."""

from typing import Any

import pytest

from incidentio.core.errors import Conflict, InvalidInput
from incidentio.mitigate.actions import compare_and_set, prepared
from tests.unit.mitigate_actions.estate import PLACE


def shift(name: str = "api.example", **given: Any) -> Any:
    target = f"AWS::Route53::RecordSet|{PLACE.account}|global|Z1ABC/{name}/A"
    return prepared("shift-weight", {"source": "eu", "to": "us", **given}, target, PLACE)


class Zone:
    """Records of `api.example.`, a page each; `checkers` is what each of them says of the health check."""

    def __init__(self, *, eu: int, us: int, checkers: list[str] | None = None, name: str = "api.example.") -> None:
        self.records = [
            self._record(name, "ap", 7),
            self._record(name, "eu", eu),
            self._record(name, "us", us, HealthCheckId="check-1"),
            {"Name": "b.example.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.9"}]},
        ]
        self.checkers = checkers
        self.batches: list[Any] = []

    def _record(self, name: str, identifier: str, weight: int, **more: Any) -> dict[str, Any]:
        return {"Name": name, "Type": "A", "SetIdentifier": identifier, "Weight": weight, "TTL": 60, **more}

    def __call__(self, _service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        match operation:
            case "list_tags_for_resource":
                return {"ResourceTagSet": {"ResourceType": "hostedzone", "ResourceId": "Z1ABC", "Tags": []}}
            case "get_health_check_status":
                if self.checkers is None:
                    raise InvalidInput("route53 get_health_check_status: InvalidInput")
                return {"HealthCheckObservations": [{"StatusReport": {"Status": said}} for said in self.checkers]}
            case "change_resource_record_sets":
                self.batches.append(parameters["ChangeBatch"]["Changes"])
                return {}
        start = parameters.get("StartRecordIdentifier", "ap")
        n = next(i for i, record in enumerate(self.records) if record.get("SetIdentifier") == start)
        following = self.records[n + 1]
        more = {"RecordName": following["Name"], "RecordType": "A", "RecordIdentifier": following.get("SetIdentifier")}
        return {
            "ResourceRecordSets": [self.records[n]],
            "IsTruncated": n < 2,
            **{f"Next{key}": value for key, value in more.items() if value},
        }


@pytest.mark.parametrize(
    ("eu", "us", "percent", "after"),
    [
        (100, 0, 100, {"eu": 0, "us": 100}),
        (100, 100, 25, {"eu": 75, "us": 125}),
        (1, 0, 5, {"eu": 0, "us": 1}),
        (200, 200, 100, {"eu": 0, "us": 255}),
    ],
)
def test_a_share_of_the_weight_moves_rounded_up_and_never_above_what_route_53_takes(
    eu: int, us: int, percent: int, after: dict[str, int]
) -> None:
    zone = Zone(eu=eu, us=us, checkers=["Success: 200"])
    taken = compare_and_set.snapshot(shift(percent=percent), zone)["snapshot"]
    assert taken == {"before": {"eu": eu, "us": us}, "after": after}


def test_exactly_what_was_read_is_deleted_and_created_anew_and_no_other_record_is_touched() -> None:
    zone = Zone(eu=10, us=0)
    shift().write(zone, {"eu": 0, "us": 10})
    ((gone, new, *other),) = zone.batches
    assert gone == {"Action": "DELETE", "ResourceRecordSet": zone.records[1]}
    assert new == {"Action": "CREATE", "ResourceRecordSet": {**zone.records[1], "Weight": 0}}
    assert [change["ResourceRecordSet"]["HealthCheckId"] for change in other] == ["check-1"] * 2


def test_a_retry_of_what_holds_already_sends_nothing() -> None:
    zone = Zone(eu=0, us=10)
    shift().write(zone, {"eu": 0, "us": 10})
    assert zone.batches == []


@pytest.mark.parametrize(
    ("checkers", "refused"),
    [
        (["Failure: timeout"] * 9 + ["Success: 200"] * 2, False),
        (["Failure: timeout"] * 10 + ["Success: 200"] * 2, True),
        ([], False),
        (None, False),  # it follows an alarm or other checks, and nobody can say
    ],
)
def test_a_record_is_healthy_as_route_53_counts(checkers: list[str] | None, *, refused: bool) -> None:
    zone = Zone(eu=10, us=0, checkers=checkers)
    if refused:
        with pytest.raises(Conflict, match="us is not healthy"):
            compare_and_set.snapshot(shift(), zone)
    else:
        assert compare_and_set.snapshot(shift(), zone)["snapshot"]["after"] == {"eu": 0, "us": 10}


def test_a_wildcard_is_found_as_route_53_writes_it() -> None:
    zone = Zone(eu=10, us=0, name="\\052.example.")
    assert shift("*.Example").read(zone) == {"eu": 10, "us": 0}


def test_both_records_must_differ() -> None:
    with pytest.raises(InvalidInput, match="name two records"):
        shift(to="eu")
