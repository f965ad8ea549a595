"""Mappings part by part: half a change is ours, a foreign one stays, and AWS takes its time."""

from typing import Any

import pytest

from incidentio.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from incidentio.mitigate.actions import Action, compare_and_set, prepared
from tests.unit.mitigate_actions.estate import ARN, PLACE

TARGET = f"AWS::Lambda::Function|{PLACE.account}|{PLACE.region}|checkout"
A, B, C = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abc")


def action(**given: Any) -> Action[Any]:
    return prepared("slow-event-sources", {"concurrency": 5, **given}, TARGET, PLACE)


class Mappings:
    """The event source mappings of `checkout`, listed one a page."""

    def __init__(self, **maximum: int | None) -> None:
        self.found: dict[str, dict[str, Any]] = {
            {"a": A, "b": B, "c": C}[name]: {
                "FunctionArn": ARN("lambda", "function:checkout"),
                "EventSourceArn": ARN("sqs", name),
                "State": "Enabled",
                "ScalingConfig": {} if most is None else {"MaximumConcurrency": most},
            }
            for name, most in maximum.items()
        }
        self.busy: set[str] = set()
        self.updated: list[str] = []

    def __call__(self, service: str, operation: str, /, **given: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(self, operation)(**given)
        return answer

    def list_event_source_mappings(self, FunctionName: str, Marker: str = "0") -> dict[str, Any]:  # noqa: N803
        every = [{"UUID": uuid, **mapping} for uuid, mapping in self.found.items()]
        start = int(Marker)
        more = {"NextMarker": str(start + 1)} if start + 1 < len(every) else {}
        return {"EventSourceMappings": every[start : start + 1], **more}

    def update_event_source_mapping(self, UUID: str, Enabled: bool, **limit: Any) -> dict[str, Any]:  # noqa: N803
        if UUID in self.busy:
            raise Unavailable("lambda update_event_source_mapping: ResourceInUseException")
        self.updated.append(UUID)
        self.found[UUID] |= {"State": "Enabled" if Enabled else "Disabled", **limit}
        return {}

    def list_tags(self, **_: Any) -> dict[str, Any]:
        return {}

    def get_account_settings(self) -> dict[str, Any]:
        return {"AccountUsage": {"FunctionCount": 3}}

    @property
    def maxima(self) -> list[int | None]:
        return [m["ScalingConfig"].get("MaximumConcurrency") for m in self.found.values()]


def taken(mappings: Mappings, **given: Any) -> Any:
    return compare_and_set.snapshot(action(**given), mappings)["snapshot"]


def test_half_a_change_goes_on_when_it_is_tried_again() -> None:
    mappings = Mappings(a=None, b=50)
    snapshot, mappings.busy = taken(mappings), {B}
    with pytest.raises(Unavailable):
        compare_and_set.apply(action(), mappings, snapshot)
    assert mappings.maxima == [5, 50]
    mappings.busy = set()
    assert compare_and_set.apply(action(), mappings, snapshot)["applied"]
    assert mappings.maxima == [5, 5]
    assert mappings.updated == [A, B]


def test_half_a_change_is_given_back() -> None:
    mappings = Mappings(a=None, b=50)
    snapshot, mappings.busy = taken(mappings), {B}
    with pytest.raises(Unavailable):
        compare_and_set.apply(action(), mappings, snapshot)
    assert compare_and_set.rollback(action(), mappings, snapshot)["result"] == "restored"
    assert mappings.maxima == [None, 50]
    assert compare_and_set.rollback(action(), mappings, snapshot)["result"] == "already"


def test_what_somebody_changed_stays_and_the_rest_is_given_back() -> None:
    mappings = Mappings(a=None, b=50, c=9)
    snapshot = taken(mappings)
    compare_and_set.apply(action(), mappings, snapshot)
    mappings.found[B]["ScalingConfig"] = {"MaximumConcurrency": 30}
    del mappings.found[C]
    answer = compare_and_set.rollback(action(), mappings, snapshot)
    assert answer["result"] == "foreign"
    assert "b enabled up to 30 at once" in answer["summary"]
    assert f"{C} gone" in answer["summary"]
    assert "b enabled up to 50 at once, c enabled up to 9 at once before" in answer["summary"]
    assert mappings.maxima == [None, 30]


def test_a_change_before_ours_is_refused_and_nothing_is_set() -> None:
    mappings = Mappings(a=None, b=50)
    snapshot = taken(mappings)
    mappings.found[A]["State"] = "Disabled"
    with pytest.raises(Conflict, match="somebody else changed it"):
        compare_and_set.apply(action(), mappings, snapshot)
    assert not mappings.updated


def test_a_mapping_that_somebody_adds_is_nobodys_business() -> None:
    mappings = Mappings(a=None)
    snapshot = taken(mappings)
    compare_and_set.apply(action(), mappings, snapshot)
    mappings.found |= Mappings(c=9).found
    assert compare_and_set.verify(action(), mappings, snapshot)["verified"]
    assert compare_and_set.rollback(action(), mappings, snapshot)["result"] == "restored"
    assert mappings.maxima == [None, 9]


@pytest.mark.parametrize(("state", "concurrency"), [("Disabling", 0), ("Updating", 5)])
def test_it_is_in_effect_once_aws_is_done(state: str, concurrency: int) -> None:
    mappings = Mappings(a=None)
    snapshot, doing = taken(mappings, concurrency=concurrency), action(concurrency=concurrency)
    compare_and_set.apply(doing, mappings, snapshot)
    settled, mappings.found[A]["State"] = mappings.found[A]["State"], state
    answer = compare_and_set.verify(doing, mappings, snapshot)
    assert not answer["verified"]
    assert f"a is {state}" in answer["summary"]
    mappings.found[A]["State"] = settled
    assert compare_and_set.verify(doing, mappings, snapshot)["verified"]


def test_mappings_of_an_alias_are_those_of_no_other() -> None:
    mappings = Mappings(a=None, b=None)
    mappings.found[B]["FunctionArn"] += ":live"
    assert list(taken(mappings)["before"]) == [A]
    assert list(taken(mappings, alias="live")["before"]) == [B]
    with pytest.raises(NotFound, match=f"no event source mapping {B} that calls function checkout"):
        taken(mappings, mapping=B)


def test_one_at_a_time_is_not_possible() -> None:
    with pytest.raises(InvalidInput, match="1 is not possible: 2 to 1000, or 0"):
        action(concurrency=1)


def test_a_source_outside_aws_can_be_disabled() -> None:
    mappings = Mappings(a=None)
    del mappings.found[A]["EventSourceArn"]
    with pytest.raises(Conflict, match="a source outside AWS is no SQS queue"):
        taken(mappings)
    snapshot = taken(mappings, concurrency=0)
    compare_and_set.apply(action(concurrency=0), mappings, snapshot)
    assert mappings.found[A]["State"] == "Disabled"
