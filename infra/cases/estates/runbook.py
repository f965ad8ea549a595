"""A Systems Manager Automation runbook and its executions, in memory: the emulator knows neither.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AutomationExecutionMetadata.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from typing_extensions import override

from incidentio.core.errors import Conflict, Forbidden
from infra.cases.estate import Estate

_LOOKS = 3
_STARTED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Runbook(Estate):
    """`execution`: how our newest execution stands, as AWS calls it; null: there is none.

    Given are its `kind` (`Automation`), how an execution `ends` (`Success`; null: never), and whether somebody else's
    execution of it is under way (`by_hand`).
    """

    values = ("execution", "kind", "ends", "by_hand")
    stands_in = (
        "ssm.describe_automation_executions",
        "ssm.describe_document",
        "ssm.list_tags_for_resource",
        "ssm.start_automation_execution",
        "ssm.stop_automation_execution",
    )
    example = "incidentio-restart"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self._given = {"kind": "Automation", "ends": "Success", "by_hand": False, **given}
        self._tags: dict[str, dict[str, str]] = {self.target: dict(tags)}
        self._executions: list[dict[str, Any]] = []
        self._looks: dict[str, int] = {}
        if self._given["by_hand"]:
            self._start({})

    @property
    @override
    def target(self) -> str:
        return f"incidentio-restart-{self.aws.tag}"

    @override
    def now(self, name: str) -> Any:
        if name != "execution":
            return self._given[name]
        ours = [e for e in self._executions if self._tags[e["AutomationExecutionId"]]]
        return ours[-1]["AutomationExecutionStatus"] if ours else None

    def describe_document(self, Name: str) -> dict[str, Any]:  # noqa: N803
        parameters = [
            {"Name": "InstanceId", "Type": "String"},
            {"Name": "Wait", "Type": "String", "DefaultValue": "PT1M"},
            {"Name": "AutomationAssumeRole", "Type": "String", "DefaultValue": ""},
        ]
        kind = self._given["kind"]
        return {"Document": {"Name": Name, "DocumentType": kind, "Status": "Active", "Parameters": parameters}}

    def list_tags_for_resource(self, ResourceType: str, ResourceId: str) -> dict[str, Any]:  # noqa: ARG002, N803
        return {"TagList": [{"Key": key, "Value": value} for key, value in self._tags[ResourceId].items()]}

    def start_automation_execution(self, **given: Any) -> dict[str, Any]:
        if given["Parameters"]["AutomationAssumeRole"] != [f"arn:aws:iam::{self.aws.account}:role/incidentio-runbooks"]:
            raise Forbidden("ssm start_automation_execution: AccessDeniedException")
        return {"AutomationExecutionId": self._start({tag["Key"]: tag["Value"] for tag in given["Tags"]})}

    def _start(self, tags: dict[str, str]) -> str:
        number = len(self._executions)
        id = f"{number:08d}-0000-4000-8000-000000000000"
        self._tags[id] = tags
        self._executions.append(
            {
                "AutomationExecutionId": id,
                "DocumentName": self.target,
                "AutomationExecutionStatus": "InProgress",
                "ExecutionStartTime": _STARTED + timedelta(minutes=number),
                "CurrentStepName": "restart",
            }
        )
        return id

    def describe_automation_executions(self, **_given: Any) -> dict[str, Any]:
        """As they stand; what is under way ends when it was looked at three times."""
        told = [dict(execution) for execution in self._executions]
        for execution in self._executions:
            id = execution["AutomationExecutionId"]
            self._looks[id] = self._looks.get(id, 0) + 1
            by_hand = not self._tags[id]
            if execution["AutomationExecutionStatus"] == "InProgress" and self._looks[id] >= _LOOKS and not by_hand:
                execution["AutomationExecutionStatus"] = self._given["ends"] or "InProgress"
        return {"AutomationExecutionMetadataList": told}

    def stop_automation_execution(self, AutomationExecutionId: str, Type: str) -> dict[str, Any]:  # noqa: ARG002, N803
        found = self._of(AutomationExecutionId)
        if found["AutomationExecutionStatus"] != "InProgress":
            raise Conflict("ssm stop_automation_execution: InvalidAutomationStatusUpdateException")
        found["AutomationExecutionStatus"] = "Cancelled"
        return {}

    def _of(self, id: str) -> dict[str, Any]:
        return next(e for e in self._executions if e["AutomationExecutionId"] == id)
