"""Deployments as only CodeDeploy itself shows them: on many pages, rolled back slowly or badly, followed by others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions import Action, compare_and_set, prepared
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import PLACE

THEN = datetime(2026, 3, 1, 12, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


def action() -> Action[Any]:
    target = f"AWS::CodeDeploy::DeploymentGroup|{PLACE.account}|{PLACE.region}|shop/web"
    return prepared("stop-deployment", {}, target, PLACE)


class CodeDeploy(Answers):
    """Deployments by id, the oldest first; listed two a page, in no order."""

    def __init__(self, **states: str) -> None:
        self.found = {
            deployment: {"deploymentId": deployment, "status": state, "creator": "user", "createTime": THEN + n * HOUR}
            for n, (deployment, state) in enumerate(states.items())
        }
        super().__init__(
            list_deployments=self._listed,
            batch_get_deployments=lambda deploymentIds: {"deploymentsInfo": [self.found[d] for d in deploymentIds]},  # noqa: N803
            list_tags_for_resource={"Tags": []},
            stop_deployment=self._stop,
        )

    def _listed(self, nextToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803
        start, every = int(nextToken), sorted(self.found)
        more = {"nextToken": str(start + 2)} if start + 2 < len(every) else {}
        return {"deployments": every[start : start + 2], **more}

    def _stop(self, deploymentId: str, autoRollbackEnabled: bool) -> dict[str, Any]:  # noqa: N803
        assert autoRollbackEnabled
        self.found[deploymentId]["status"] = "Stopped"
        return {"status": "Pending"}

    def rolls_back(self, deployment: str, state: str) -> None:
        self.found[deployment]["rollbackInfo"] = {"rollbackDeploymentId": "back"}
        self.found["back"] = {
            "deploymentId": "back",
            "status": state,
            "creator": "codeDeployRollback",
            "createTime": THEN + 99 * HOUR,
        }


def stopped(deploy: CodeDeploy) -> Any:
    taken = compare_and_set.snapshot(action(), deploy)["snapshot"]
    compare_and_set.apply(action(), deploy, taken)
    return taken


def test_the_newest_of_all_pages_is_stopped() -> None:
    deploy = CodeDeploy(c="Succeeded", b="Failed", d="Succeeded", a="InProgress")
    assert stopped(deploy)["before"] == {"deployment": "a", "state": "under way"}
    assert deploy.of("stop_deployment") == [{"deploymentId": "a", "autoRollbackEnabled": True}]


@pytest.mark.parametrize(("state", "done"), [("InProgress", False), ("Failed", False), ("Succeeded", True)])
def test_it_is_in_effect_once_the_rollback_has_succeeded(state: str, done: bool) -> None:
    deploy = CodeDeploy(a="InProgress")
    taken = stopped(deploy)
    deploy.rolls_back("a", state)
    answer = compare_and_set.verify(action(), deploy, taken)
    assert answer["verified"] is done
    assert done or f"its rollback back is {state}" in answer["summary"]


def test_a_traffic_shift_goes_back_without_another_deployment() -> None:
    deploy = CodeDeploy(a="Ready")
    assert compare_and_set.verify(action(), deploy, stopped(deploy))["verified"]


def test_another_deployment_is_somebody_elses() -> None:
    deploy = CodeDeploy(a="InProgress")
    taken = stopped(deploy)
    deploy.found |= {"z": {**deploy.found["a"], "deploymentId": "z", "status": "InProgress", "createTime": THEN + HOUR}}
    assert not compare_and_set.verify(action(), deploy, taken)["verified"]
    with pytest.raises(Conflict, match="somebody else changed it"):
        compare_and_set.apply(action(), deploy, taken)
    answer = compare_and_set.rollback(action(), deploy, taken)
    assert answer["result"] == "stays"
    assert deploy.found["z"]["status"] == "InProgress"
