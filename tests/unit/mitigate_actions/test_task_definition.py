"""Which revision a service goes back to, and what is refused before anything is deployed."""

from typing import Any

import pytest

from incidentio.core.errors import Conflict, InvalidInput
from incidentio.mitigate.actions import compare_and_set, prepared
from incidentio.mitigate.actions.action import Action
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import PLACE

ARN = "arn:aws:ecs:eu-west-1:111122223333:task-definition/"
SERVICE = f"AWS::ECS::Service|{PLACE.account}|{PLACE.region}|shop/web"


def back(**given: Any) -> Action[Any]:
    return prepared("set-task-definition", given, SERVICE, PLACE)


NOW = {"status": "PRIMARY", "taskDefinition": f"{ARN}web:12", "rolloutState": "COMPLETED"}


def deployed(*others: dict[str, Any], pages: list[list[str]] | None = None, **more: Any) -> Answers:
    service = {"status": "ACTIVE", "taskDefinition": f"{ARN}web:12", "deployments": [NOW, *others], **more}
    found = pages or [[]]

    def listed(**given: Any) -> dict[str, Any]:
        number = int(given.get("nextToken", 0))
        token = {"nextToken": str(number + 1)} if number + 1 < len(found) else {}
        return {"taskDefinitionArns": [ARN + revision for revision in found[number]], **token}

    return Answers(
        describe_services={"services": [service]},
        list_task_definitions=listed,
        describe_task_definition={"taskDefinition": {"status": "ACTIVE"}},
        describe_clusters={"clusters": [{"activeServicesCount": 7}]},
    )


def wanted(call: Answers, **given: Any) -> str:
    return str(compare_and_set.snapshot(back(**given), call)["snapshot"]["after"])


def test_in_the_middle_of_a_deployment_it_is_the_revision_that_still_runs() -> None:
    still = {"status": "ACTIVE", "taskDefinition": ARN + "web:9", "runningCount": 3}
    drained = {"status": "ACTIVE", "taskDefinition": ARN + "web:11", "runningCount": 0}
    call = deployed(drained, still)
    assert wanted(call) == "web:9"
    assert not call.of("list_task_definitions")


def test_else_it_is_the_newest_active_one_before_of_the_same_family() -> None:
    assert wanted(deployed(pages=[["web:14", "web:12"], ["web-admin:11", "web:10", "web:9"]])) == "web:10"


def test_a_revision_that_is_named_is_taken() -> None:
    assert wanted(deployed(), revision=3) == "web:3"


@pytest.mark.parametrize(
    ("call", "given", "told"),
    [
        (deployed(pages=[["web:12"]]), {}, "no active revision before that is registered"),
        (deployed(), {"revision": 12}, "revision 12 is not before 12"),
        (deployed(deploymentController={"type": "CODE_DEPLOY"}), {"revision": 3}, "is deployed by CODE_DEPLOY"),
    ],
)
def test_what_cannot_be_gone_back_to_is_refused(call: Answers, given: dict[str, int], told: str) -> None:
    with pytest.raises(Conflict, match=told):
        wanted(call, **given)


@pytest.mark.parametrize(
    "found", [{"taskDefinition": {"status": "INACTIVE"}}, InvalidInput("ecs describe_task_definition: ClientException")]
)
def test_a_revision_that_is_gone_or_never_was_is_refused(found: Any) -> None:
    call = deployed()
    call.answers |= {"describe_task_definition": found}
    with pytest.raises(Conflict, match="web:3"):
        wanted(call, revision=3)


def test_it_is_pending_until_the_deployment_is_completed() -> None:
    under_way = {**NOW, "rolloutState": "IN_PROGRESS", "runningCount": 1, "desiredCount": 4}
    assert back().pending(deployed(), "web:12") is None
    told = back().pending(deployed(deployments=[under_way]), "web:12")
    assert told == "its deployment is IN_PROGRESS, 1 of 4 tasks run so far"
