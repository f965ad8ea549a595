"""`run-automation`: run a Systems Manager Automation runbook, follow it to its end, stop it where it must not go on."""

import json
import shlex
import uuid
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator
from typing_extensions import override

from incidentio.core.errors import Conflict, Forbidden, NotFound, Unavailable
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
from incidentio.mitigate.actions.literal import literal

RUN_TAG = "incidentio:run"
"""Marks the executions that are ours, so that one is found again, and no other can be stopped."""

_ROLE = "AutomationAssumeRole"
_SUCCEEDED = frozenset({"Success", "CompletedWithSuccess"})
_ENDED = _SUCCEEDED | {
    "Cancelled",
    "Cancelling",
    "ChangeCalendarOverrideRejected",
    "CompletedWithFailure",
    "Exited",
    "Failed",
    "Rejected",
    "TimedOut",
}
_NEWEST, _PAGES = 10, 10


class Automation(Parameters):
    prefix: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_.-]{3,128}$", description="what the names of allowed runbooks begin with")
    ]
    role: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9+=,.@_-]{0,64}$", description="role it runs as; empty: the one it names itself")
    ]
    inputs: Annotated[str, Field(description="its parameters as a JSON object of texts or lists of texts")] = "{}"

    @field_validator("inputs")
    @classmethod
    def _an_object(cls, text: str) -> str:
        try:
            found = json.loads(text)
        except ValueError as error:
            raise ValueError(f'{text!r} is not JSON ({error}): write {{"InstanceId": "i-0abc"}}') from None
        if not isinstance(found, dict) or not all(_is_text(value) for value in found.values()):
            raise ValueError(f'{text!r} is no object of texts or lists of texts: write {{"InstanceId": "i-0abc"}}')
        if _ROLE in found:
            raise ValueError(f"{_ROLE} is not for a run to choose: the playbook says the role")
        return text


class RunAutomation(Action[Automation]):
    """The value is the mark of our newest execution of the runbook, or None; the next mark is a new UUID.

    A mark is both the tag of an execution and its `ClientToken`, so that asking twice starts one. Executions are
    listed a moment after they start, and AWS promises of no list that it is up to date, nor finds one by its token: an
    undo that sees none looks again, unless the start was refused for certain.
    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartAutomationExecution.html
    """

    name = "run-automation"
    target_type = "AWS::SSM::Document"
    target_pattern = r"[A-Za-z0-9_.-]{3,128}"
    parameters: ClassVar[type[Parameters]] = Automation
    seen_late = True
    one_way = (
        "it was stopped if it still ran, but what it had done by then stays. Look at its steps in Systems Manager, "
        "and run what takes them back, if there is such a runbook"
    )

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        name = f"{literal(given.get('prefix'), '')}*"
        # Runbooks that AWS owns have no account in their ARN.
        owner = "" if name.startswith("AWS") else place.account
        documents = f"arn:{place.partition}:ssm:{place.region}:{owner}:document/{name}"
        executions = place.arn("ssm", "automation-execution/*")
        role = literal(given.get("role"), "*")
        return (
            Statement(actions=("ssm:DescribeDocument",), resources=(documents,)),
            Statement(actions=("ssm:StartAutomationExecution",), resources=(documents, executions)),
            Statement(actions=("ssm:ListTagsForResource",), resources=(documents, executions)),
            Statement(actions=("ssm:AddTagsToResource",), resources=(executions,)),
            Statement(
                actions=("ssm:StopAutomationExecution",),
                resources=(executions,),
                conditions={"Null": {f"aws:ResourceTag/{RUN_TAG}": "false"}},
            ),
            Statement(actions=("ssm:DescribeAutomationExecutions",), resources=("*",)),
            Statement(
                actions=("iam:PassRole",),
                resources=(f"arn:{place.partition}:iam::{place.account}:role/{role}",),
                conditions={"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}},
            ),
        )

    @property
    @override
    def subject(self) -> str:
        return f"runbook {self.target}"

    @override
    def said(self, value: Value) -> str:
        return "not started" if value is None else f"started with mark {value}"

    @override
    def read(self, call: Call) -> Value:
        return next((mark for mark, _ in self._ours(call)), None)

    def _ours(self, call: Call) -> Iterator[tuple[str, dict[str, Any]]]:
        """The executions that carry a mark, newest first.

        https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AutomationExecutionMetadata.html
        """
        same = [
            e
            for e in self._listed(call)
            if e["DocumentName"] == self.target and not e.get("ParentAutomationExecutionId")
        ]
        for execution in sorted(same, key=lambda e: e["ExecutionStartTime"], reverse=True)[:_NEWEST]:
            tags = _tags(call, "Automation", execution["AutomationExecutionId"])
            if RUN_TAG in tags:
                yield tags[RUN_TAG], execution

    def _listed(self, call: Call) -> Iterator[dict[str, Any]]:
        """AWS keeps executions for a month: of the long list of a runbook that runs all the time the start will do."""
        named = [{"Key": "DocumentNamePrefix", "Values": [self.target]}]
        page: dict[str, Any] = {}
        for _ in range(_PAGES):
            answer = call("ssm", "describe_automation_executions", Filters=named, MaxResults=50, **page)
            yield from answer.get("AutomationExecutionMetadataList", ())
            if not answer.get("NextToken"):
                return
            page = {"NextToken": answer["NextToken"]}

    @override
    def wanted(self, before: Value) -> Value:
        if not self.target.startswith(self.given.prefix):
            raise Forbidden(
                f"{self.target} may not be run by this playbook: the names of those that may begin with "
                f"{self.given.prefix}"
            )
        return str(uuid.uuid4())

    @override
    def guard(self, call: Call, change: Change) -> None:
        """It is a runbook that takes what it is given; a wrong word would otherwise be told in the middle of a run."""
        try:
            document = call("ssm", "describe_document", Name=self.target)["Document"]
        except NotFound as error:
            raise NotFound(f"there is no {self.subject} in {self.place.region}") from error
        refuse_system(self.subject, _tags(call, "Document", self.target))
        if (kind := document.get("DocumentType")) != "Automation":
            raise Conflict(f"{self.target} is a {kind} document: only Automation runbooks can be run")
        if (status := document.get("Status", "Active")) != "Active":
            raise Conflict(f"{self.subject} is {status}: it must be Active")
        self._check_inputs({p["Name"]: p for p in document.get("Parameters", ())})

    def _check_inputs(self, takes: Mapping[str, Mapping[str, Any]]) -> None:
        given = self._inputs()
        if self.given.role and _ROLE not in takes:
            raise Conflict(
                f"{self.subject} takes no {_ROLE}, so it cannot run as {self.given.role}: give it that parameter"
            )
        known = ", ".join(sorted(set(takes) - {_ROLE})) or "nothing"
        if unknown := sorted(set(given) - set(takes)):
            raise Conflict(f"{self.subject} takes {known}, and not {unknown[0]}")
        if missing := sorted(name for name, p in takes.items() if "DefaultValue" not in p and name not in given):
            raise Conflict(f"{self.subject} needs {', '.join(missing)}: pass it in inputs")

    def _inputs(self) -> dict[str, list[str]]:
        given = {
            name: value if isinstance(value, list) else [value] for name, value in json.loads(self.given.inputs).items()
        }
        if self.given.role:
            given[_ROLE] = [f"arn:{self.place.partition}:iam::{self.place.account}:role/{self.given.role}"]
        return given

    @override
    def write(self, call: Call, value: Value) -> None:
        call(
            "ssm",
            "start_automation_execution",
            DocumentName=self.target,
            ClientToken=value,
            Parameters=self._inputs(),
            Tags=[{"Key": RUN_TAG, "Value": value}],
        )

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        """Raises Conflict when it ended otherwise than well: nobody needs to wait for that."""
        found = self._execution(call, value)
        status, step = found["AutomationExecutionStatus"], found.get("CurrentStepName")
        if status in _SUCCEEDED:
            return None
        at = f" at step {step}" if step else ""
        if status in _ENDED:
            why = f": {found['FailureMessage']}" if found.get("FailureMessage") else ""
            raise Conflict(f"{self.subject} ended as {status}{at}{why}")
        return f"it is {status}{at}"

    @override
    def halt(self, call: Call, value: Value) -> None:
        id = self._execution(call, value)["AutomationExecutionId"]
        try:
            call("ssm", "stop_automation_execution", AutomationExecutionId=id, Type="Cancel")
        except Conflict:
            return  # it has ended

    def _execution(self, call: Call, mark: str) -> dict[str, Any]:
        """Raises Unavailable: it is not listed (yet)."""
        found = next((execution for found, execution in self._ours(call) if found == mark), None)
        if found is None:
            raise Unavailable(f"the execution of {self.subject} with mark {mark} is not listed yet")
        return found

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        region = f"--region {self.place.region}"
        runbook = shlex.quote(self.target)
        inputs = shlex.quote(json.dumps(self._inputs()))
        newest = (
            f"aws ssm describe-automation-executions {region} --filters Key=DocumentNamePrefix,Values={runbook} "
            "Key=ExecutionStatus,Values=InProgress --query 'AutomationExecutionMetadataList[0].AutomationExecutionId' "
            "--output text"
        )
        described = f"aws ssm describe-document {region} --name {runbook} --query 'Document.[Status, Parameters]'"
        return Commands(
            look=(f"{keep}=$({described})",),
            do=(f"aws ssm start-automation-execution {region} --document-name {runbook} --parameters {inputs}",),
            undo=(f'aws ssm stop-automation-execution {region} --automation-execution-id "$({newest})"',),
        )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _tags(call: Call, kind: str, id: str) -> dict[str, str]:
    found = call("ssm", "list_tags_for_resource", ResourceType=kind, ResourceId=id)
    return {tag["Key"]: tag["Value"] for tag in found.get("TagList", ())}
