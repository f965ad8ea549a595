"""A CodeDeploy deployment group, answered here: the emulator has no CodeDeploy.

That a stopped deployment may be rolled back, and how that is seen:
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate

_RELEASE, _ROLLBACK = "d-RELEASE01", "d-ROLLBACK1"


class DeploymentGroup(Estate):
    """`state` of the newest release (null: there is none) and of its `rollback` (null: none), in CodeDeploy's words."""

    values = ("rollback", "state")
    example = "shop/web"
    stands_in = (
        "codedeploy.batch_get_deployments",
        "codedeploy.list_deployments",
        "codedeploy.list_tags_for_resource",
        "codedeploy.stop_deployment",
    )

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self._tags = dict(tags)
        self._states = {_RELEASE: given.get("state"), _ROLLBACK: given.get("rollback")}

    @property
    @override
    def target(self) -> str:
        return f"shop-{self.aws.tag}/web"

    @override
    def now(self, name: str) -> Any:
        return self._states[_RELEASE if name == "state" else _ROLLBACK]

    def list_deployments(self, **_: Any) -> dict[str, Any]:
        return {"deployments": [deployment for deployment, state in self._states.items() if state]}

    def batch_get_deployments(self, deploymentIds: list[str]) -> dict[str, Any]:  # noqa: N803
        return {"deploymentsInfo": [self._info(deployment) for deployment in deploymentIds]}

    def _info(self, deployment: str) -> dict[str, Any]:
        application, _, group = self.target.partition("/")
        is_rollback = deployment == _ROLLBACK
        back = {"rollbackInfo": {"rollbackDeploymentId": _ROLLBACK}} if self._states[_ROLLBACK] else {}
        return {
            "applicationName": application,
            "deploymentGroupName": group,
            "deploymentId": deployment,
            "status": self._states[deployment],
            "creator": "codeDeployRollback" if is_rollback else "user",
            "createTime": datetime.now(UTC) - timedelta(minutes=1 if is_rollback else 9),
            **({} if is_rollback else back),
        }

    def list_tags_for_resource(self, **_: Any) -> dict[str, Any]:
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tags.items()]}

    def stop_deployment(self, deploymentId: str, autoRollbackEnabled: bool) -> dict[str, Any]:  # noqa: N803
        self._states[deploymentId] = "Stopped"
        if autoRollbackEnabled:
            self._states[_ROLLBACK] = "Succeeded"
        return {"status": "Succeeded"}
