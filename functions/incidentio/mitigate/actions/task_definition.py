"""`set-task-definition`: send an ECS service back to an earlier revision of its task definition."""

import shlex
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict, InvalidInput, NotFound
from incidentio.mitigate.actions.action import (
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Statement,
    Value,
)
from incidentio.mitigate.actions.ecs_service import (
    OnService,
    active_service,
    refuse_deployed_elsewhere,
    refuse_ours,
    rights,
)


class TaskDefinition(Parameters):
    revision: int = Field(
        default=0, ge=0, le=1_000_000, description="revision to go back to; 0: the one before the service's own"
    )


class SetTaskDefinition(OnService[TaskDefinition]):
    """The value is `family:revision`."""

    name = "set-task-definition"
    parameters: ClassVar[type[Parameters]] = TaskDefinition
    undoes_change = True
    _seen: dict[str, Any] | None = None
    _call: Call | None = None

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            *rights(place, "ecs:DescribeServices", "ecs:UpdateService"),
            Statement(actions=("ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"), resources=("*",)),
            Statement(
                # Naming a task definition passes the roles it has to the tasks, as RunTask does.
                actions=("iam:PassRole",),
                resources=(f"arn:{place.partition}:iam::{place.account}:role/*",),
                conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            ),
        )

    @property
    @override
    def subject(self) -> str:
        return f"task definition of service {self.target}"

    @property
    @override
    def resource(self) -> str:
        return f"active service {self.service} in cluster {self.cluster}"

    @override
    def read(self, call: Call) -> Value:
        self._seen, self._call = active_service(call, self.target), call
        return _short(self._seen["taskDefinition"])

    @override
    def wanted(self, before: Value) -> Value:
        """While a deployment is under way, the one before is what still runs; else the newest earlier revision."""
        family, now = _parts(before)
        if self.given.revision:
            if self.given.revision >= now:
                raise Conflict(f"{self.subject} is {before}: revision {self.given.revision} is not before {now}")
            return f"{family}:{self.given.revision}"
        running = [_short(d["taskDefinition"]) for d in (self._seen or {}).get("deployments", ()) if _still_runs(d)]
        earlier = next((value for value in running if value != before), None) or self._newest_before(family, now)
        if earlier is None:
            raise Conflict(f"{self.subject} is {before}, and no active revision before that is registered")
        return earlier

    def _newest_before(self, family: str, revision: int) -> str | None:
        if self._call is None:
            raise ValueError("read comes first")
        more: dict[str, Any] = {}
        while True:
            page = self._call("ecs", "list_task_definitions", familyPrefix=family, status="ACTIVE", sort="DESC", **more)
            for arn in page.get("taskDefinitionArns", ()):
                name, number = _parts(_short(arn))
                if name == family and number < revision:
                    return _short(arn)
            if not (token := page.get("nextToken")):
                return None
            more = {"nextToken": token}

    @override
    def guard(self, call: Call, change: Change) -> None:
        described = active_service(call, self.target)
        refuse_ours(self.target, described)
        refuse_deployed_elsewhere(self.target, described)
        try:
            found = call("ecs", "describe_task_definition", taskDefinition=change.after)["taskDefinition"]
        except (InvalidInput, NotFound) as error:
            raise Conflict(
                f"there is no task definition {change.after}: choose a revision that is registered"
            ) from error
        if found.get("status") != "ACTIVE":
            raise Conflict(
                f"task definition {change.after} is {found.get('status')}: only an ACTIVE one can be deployed"
            )

    @override
    def write(self, call: Call, value: Value) -> None:
        call("ecs", "update_service", cluster=self.cluster, service=self.service, taskDefinition=value)

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        """Until ECS says the deployment is done. One whose circuit breaker gave up says FAILED and stays pending."""
        for deployment in active_service(call, self.target).get("deployments", ()):
            if deployment.get("status") == "PRIMARY" and deployment.get("rolloutState", "COMPLETED") != "COMPLETED":
                counts = f"{deployment.get('runningCount', 0)} of {deployment.get('desiredCount', 0)} tasks run"
                return f"its deployment is {deployment['rolloutState']}, {counts} so far"
        return None

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        cluster, _, name = self.target.partition("/")
        region = f"--region {self.place.region}"
        where = f"--cluster {shlex.quote(cluster)} {region}"

        def update(to: str) -> str:
            return f"aws ecs update-service {where} --service {shlex.quote(name)} --task-definition {to}"

        if change:
            return Commands(do=(update(change.after),), undo=(update(change.before),))
        look = (
            f"{keep}=$(aws ecs describe-services {where} --services {shlex.quote(name)} "
            "--query 'services[0].taskDefinition' --output text)"
        )
        family = f'"$(basename "${{{keep}%:*}}")"'
        if self.given.revision:
            return Commands(look=(look,), do=(update(f"{family}:{self.given.revision}"),), undo=(update(f'"${keep}"'),))
        older = (
            f"{keep}_OLDER=$(aws ecs list-task-definitions --family-prefix {family} --status ACTIVE {region} "
            f"--query 'taskDefinitionArns[]' --output text | tr '\\t' '\\n' | sort -t: -k7 -n | "
            f"awk -F: -v now=\"${{{keep}##*:}}\" '$7 + 0 < now + 0' | tail -1)"
        )
        return Commands(look=(look, older), do=(update(f'"${keep}_OLDER"'),), undo=(update(f'"${keep}"'),))


def _short(arn: str) -> str:
    """`arn:aws:ecs:…:task-definition/web:12` → `web:12`."""
    return str(arn).rpartition("/")[2]


def _parts(value: str) -> tuple[str, int]:
    family, _, revision = value.rpartition(":")
    return family, int(revision)


def _still_runs(deployment: Mapping[str, Any]) -> bool:
    return deployment.get("status") == "ACTIVE" and int(deployment.get("runningCount", 0)) > 0
