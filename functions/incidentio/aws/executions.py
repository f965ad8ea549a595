"""The playbooks' state machines in Step Functions."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from incidentio.aws.errors import translated
from incidentio.core.errors import IncidentioError, NotFound

_NOBODY_WAITS = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


class StepFunctions:
    """`prefix` is the ARN of every machine up to the playbook's name: `arn:…:stateMachine:<stack>-`."""

    def __init__(self, client: Callable[[], Any], prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def start(self, playbook: str, name: str, given: Mapping[str, Any]) -> bool:
        """Start the machine of `playbook` under `name`; False when an execution of that name exists.

        AWS answers the same name with the same input with success while it runs, and refuses it after:
        both mean that it was started before.

        Raises:
            NotFound: the playbook has no machine (any more). Unavailable: try again later.
        """
        try:
            with translated(f"starting {name}"):
                self._client().start_execution(
                    stateMachineArn=self._prefix + playbook, name=name, input=json.dumps(dict(given))
                )
        except IncidentioError as error:
            code = error.details.get("aws_code")
            if code == "ExecutionAlreadyExists":
                return False
            if code in ("StateMachineDoesNotExist", "StateMachineDeleting"):
                raise NotFound(f"there is no state machine for {playbook}", playbook=playbook) from error
            raise
        return True

    def status(self, playbook: str, name: str) -> str | None:
        """The execution's status, None when there is none of that name.

        Raises:
            Unavailable: try again later.
        """
        arn = (self._prefix + playbook).replace(":stateMachine:", ":execution:", 1) + f":{name}"
        try:
            with translated(f"looking at {name}"):
                return str(self._client().describe_execution(executionArn=arn)["status"])
        except NotFound:
            return None

    def answer(self, token: str, output: Mapping[str, Any]) -> bool:
        """Let the task that waits on `token` go on; False when none does.

        Raises:
            Unavailable: try again later.
        """
        try:
            with translated("answering a waiting task"):
                self._client().send_task_success(taskToken=token, output=json.dumps(dict(output)))
        except IncidentioError as error:
            if error.details.get("aws_code") in _NOBODY_WAITS:
                return False
            raise
        return True
