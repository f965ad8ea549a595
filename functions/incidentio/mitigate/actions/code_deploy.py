"""`stop-deployment`: stop the deployment that CodeDeploy is doing in a group, and let it roll back what it did.

The value is `{"deployment", "state"}` of the newest deployment that is no rollback itself.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html
"""

import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from typing_extensions import override

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions.action import (
    Action,
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Statement,
    Value,
    refuse_system,
)

_LOOK_BACK = timedelta(days=7)
"""A deployment takes hours at most, and one that waits for people some days."""
_BATCH = 25
"""Most deployments that BatchGetDeployments describes."""
_ROLLBACK = "codeDeployRollback"
_UNDER_WAY = frozenset({"Baking", "Created", "InProgress", "Queued", "Ready"})
_NAME = r"[^/\n]{1,100}"


class StopDeployment(Action[Parameters]):
    name = "stop-deployment"
    target_type = "AWS::CodeDeploy::DeploymentGroup"
    target_pattern = rf"{_NAME}/{_NAME}"
    parameters: ClassVar[type[Parameters]] = Parameters
    undoes_change = True
    one_way = "a deployment that was stopped does not go on: deploy again when it is mended"

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            Statement(
                actions=(
                    "codedeploy:BatchGetDeployments",
                    "codedeploy:ListDeployments",
                    "codedeploy:ListTagsForResource",
                ),
                resources=(place.arn("codedeploy", "deploymentgroup:*"),),
            ),
            # It is asked for by the deployment's id alone, and so knows no resource.
            Statement(actions=("codedeploy:StopDeployment",), resources=("*",)),
        )

    @property
    def _group(self) -> tuple[str, str]:
        application, _, group = self.target.partition("/")
        return application, group

    @property
    @override
    def subject(self) -> str:
        return f"the deployment of {self.target}"

    @property
    @override
    def resource(self) -> str:
        return f"deployment of {self.target} in the last {_LOOK_BACK.days} days"

    @override
    def said(self, value: Value) -> str:
        return f"{value['deployment']} {value['state']}"

    def _deployments(self, call: Call) -> Iterator[Mapping[str, Any]]:
        application, group = self._group
        since = datetime.now(UTC) - _LOOK_BACK
        page: dict[str, Any] = {}
        while True:
            answer = call(
                "codedeploy",
                "list_deployments",
                applicationName=application,
                deploymentGroupName=group,
                createTimeRange={"start": since},
                **page,
            )
            ids = answer.get("deployments", ())
            for start in range(0, len(ids), _BATCH):
                yield from self._described(call, ids[start : start + _BATCH])
            if not answer.get("nextToken"):
                return
            page = {"nextToken": answer["nextToken"]}

    @staticmethod
    def _described(call: Call, ids: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = call("codedeploy", "batch_get_deployments", deploymentIds=ids).get(
            "deploymentsInfo", []
        )
        return found

    def _newest(self, call: Call) -> Mapping[str, Any]:
        made = [d for d in self._deployments(call) if d.get("creator") != _ROLLBACK]
        if not made:
            raise NotFound(f"there is no {self.resource}")
        return max(made, key=lambda deployment: deployment["createTime"])

    @override
    def read(self, call: Call) -> Value:
        newest = self._newest(call)
        state = "under way" if newest["status"] in _UNDER_WAY else str(newest["status"])
        return {"deployment": newest["deploymentId"], "state": state}

    @override
    def wanted(self, before: Value) -> Value:
        if before["state"] != "under way":
            raise Conflict(
                f"deployment {before['deployment']} of {self.target} is {before['state']} already: there is nothing to "
                "stop. Deploy the revision before instead"
            )
        return {**before, "state": "Stopped"}

    @override
    def guard(self, call: Call, change: Change) -> None:
        application, group = self._group
        arn = self.place.arn("codedeploy", f"deploymentgroup:{application}/{group}")
        tags = call("codedeploy", "list_tags_for_resource", ResourceArn=arn).get("Tags", ())
        refuse_system(f"deployment group {self.target}", {t["Key"]: t.get("Value", "") for t in tags})

    @override
    def write(self, call: Call, value: Value) -> None:
        call("codedeploy", "stop_deployment", deploymentId=value["deployment"], autoRollbackEnabled=True)

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        """Where CodeDeploy rolls back by another deployment, that has to end well; a traffic shift has none."""
        back = (self._newest(call).get("rollbackInfo") or {}).get("rollbackDeploymentId")
        if not back:
            return None
        found = self._described(call, [back])
        status = found[0]["status"] if found else "unknown"
        return None if status == "Succeeded" else f"its rollback {back} is {status}"

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        region = f"--region {self.place.region}"
        application, group = map(shlex.quote, self._group)
        which = f"--application-name {application} --deployment-group-name {group} {region}"
        running = "--include-only-statuses Created Queued InProgress Baking Ready"
        deployment = change.before["deployment"] if change else f'"${keep}"'
        return Commands(
            look=(f"{keep}=$(aws deploy list-deployments {which} {running} --query 'deployments[0]' --output text)",),
            do=(f"aws deploy stop-deployment --deployment-id {deployment} --auto-rollback-enabled {region}",),
        )
