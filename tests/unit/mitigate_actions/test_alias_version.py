"""Going back to an earlier version: which one, and only while nobody else moves the alias."""

from typing import Any

import pytest

from incidentio.core.errors import Conflict, NotFound, Unavailable
from incidentio.mitigate.actions import Action, compare_and_set, prepared
from tests.unit.mitigate_actions.estate import PLACE

TARGET = f"AWS::Lambda::Function|{PLACE.account}|{PLACE.region}|checkout"


def action(**given: Any) -> Action[Any]:
    return prepared("set-alias-version", {"alias": "live", **given}, TARGET, PLACE)


class Lambda:
    """A function with versions, listed two a page, and one alias whose revision moves with each update."""

    def __init__(self, version: str, *published: str, weights: dict[str, float] | None = None) -> None:
        self.version, self.weights = version, weights or {}
        self.published = published
        self.states: dict[str, str] = {}
        self.revision = 1
        self.before_update = lambda: None

    def __call__(self, service: str, operation: str, /, **given: Any) -> dict[str, Any]:
        assert service == "lambda"
        answer: dict[str, Any] = getattr(self, operation)(**given)
        return answer

    def get_alias(self, **_: Any) -> dict[str, Any]:
        routing = {"RoutingConfig": {"AdditionalVersionWeights": self.weights}} if self.weights else {}
        return {"FunctionVersion": self.version, "RevisionId": str(self.revision), **routing}

    def update_alias(self, **given: Any) -> dict[str, Any]:
        self.before_update()
        if given["RevisionId"] != str(self.revision):
            raise Unavailable("lambda update_alias: PreconditionFailedException")
        self.version, self.weights = given["FunctionVersion"], given["RoutingConfig"]["AdditionalVersionWeights"]
        self.revision += 1
        return {}

    def list_versions_by_function(self, Marker: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803
        names = ["$LATEST", *self.published]
        start = int(Marker)
        more = {"NextMarker": str(start + 2)} if start + 2 < len(names) else {}
        return {"Versions": [{"Version": name} for name in names[start : start + 2]], **more}

    def get_function_configuration(self, Qualifier: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        if Qualifier not in self.published:
            raise NotFound("lambda get_function_configuration: ResourceNotFoundException")
        return {"State": self.states.get(Qualifier, "Active")}

    def list_tags(self, **_: Any) -> dict[str, Any]:
        return {"Tags": {}}

    def get_account_settings(self, **_: Any) -> dict[str, Any]:
        return {"AccountUsage": {"FunctionCount": 3}}


@pytest.mark.parametrize(
    ("function", "given", "to"),
    [
        (Lambda("10", "1", "2", "9", "10", "11"), {}, "9"),
        (Lambda("9", "2", "7", "9"), {}, "7"),
        (Lambda("7", "5", "6", "7", "9", weights={"9": 0.1}), {}, "7"),
        (Lambda("9", "5", "7", "9", weights={"7": 0.9}), {}, "7"),
        (Lambda("9", "5", "7", "9"), {"version": 5}, "5"),
    ],
    ids=["by number", "deleted ones between", "a canary", "a canary the other way", "as asked"],
)
def test_the_version_before(function: Lambda, given: dict[str, int], to: str) -> None:
    taken = compare_and_set.snapshot(action(**given), function)
    assert taken["snapshot"]["after"] == {"version": to, "weights": {}}


@pytest.mark.parametrize(
    ("function", "given", "why"),
    [
        (Lambda("$LATEST", "1", "2"), {}, "is \\$LATEST, which has no version before it"),
        (Lambda("3", "3", "4"), {}, "is version 3, and no version before that is published"),
        (Lambda("3", "2", "3"), {"version": 3}, "version 3 is not before version 3"),
        (Lambda("3", "1", "3"), {"version": 2}, "has no version 2: it may have been deleted"),
    ],
)
def test_where_there_is_no_way_back(function: Lambda, given: dict[str, int], why: str) -> None:
    with pytest.raises(Conflict, match=why):
        compare_and_set.snapshot(action(**given), function)


@pytest.mark.parametrize(
    ("state", "why"), [("Inactive", "invoke checkout:2 once"), ("Failed", "is Failed"), ("Pending", "is Pending")]
)
def test_a_version_that_could_not_take_calls_is_refused(state: str, why: str) -> None:
    function = Lambda("3", "2", "3")
    function.states["2"] = state
    with pytest.raises(Conflict, match=why):
        compare_and_set.snapshot(action(), function)


def test_who_moves_the_alias_in_the_same_moment_wins() -> None:
    function = Lambda("3", "1", "2", "3")
    taken = compare_and_set.snapshot(action(), function)["snapshot"]

    def somebody_deploys() -> None:
        function.version, function.revision = "4", function.revision + 1

    function.before_update = somebody_deploys
    with pytest.raises(Unavailable):
        compare_and_set.apply(action(), function, taken)
    with pytest.raises(Conflict, match="was version 3 and is now version 4"):
        compare_and_set.apply(action(), function, taken)
    assert compare_and_set.rollback(action(), function, taken)["result"] == "foreign"


def test_a_canary_is_given_back_with_its_weights() -> None:
    function = Lambda("2", "1", "2", "3", weights={"3": 0.25})
    taken = compare_and_set.snapshot(action(), function)["snapshot"]
    assert compare_and_set.apply(action(), function, taken)["summary"].endswith("version 2, 25 % version 3 → version 2")
    assert compare_and_set.rollback(action(), function, taken)["result"] == "restored"
    assert (function.version, function.weights) == ("2", {"3": 0.25})
