"""`look-at-service`: what an ECS service runs, what it should, and why tasks stopped."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any, ClassVar

from typing_extensions import override

from incidentio.mitigate.actions.action import Call, Change, Commands, Look, Parameters, Place, Statement
from incidentio.mitigate.actions.ecs_service import NAME, active_service
from incidentio.mitigate.actions.recent_metric import MINUTES, recent

_EVENTS, _REASONS, _TASKS = 5, 5, 100


class LookAtService(Look[Parameters]):
    name = "look-at-service"
    target_type = "AWS::ECS::Service"
    target_pattern = NAME
    parameters: ClassVar[type[Parameters]] = Parameters

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            Statement(actions=("ecs:DescribeServices",), resources=(place.arn("ecs", "service/*"),)),
            Statement(actions=("ecs:DescribeTasks",), resources=(place.arn("ecs", "task/*"),)),
            Statement(
                actions=(
                    "application-autoscaling:DescribeScalableTargets",
                    "cloudwatch:GetMetricStatistics",
                    "ecs:ListTasks",
                ),
                resources=("*",),
            ),
        )

    @property
    @override
    def subject(self) -> str:
        return f"service {self.target}"

    @override
    def facts(self, call: Call) -> tuple[str, ...]:
        described = active_service(call, self.target)
        return (
            _counts(described),
            *_deployments(described),
            *self._scaling(call, described),
            *self._load(call),
            *self._stopped(call),
            *_events(described),
        )

    @property
    def _names(self) -> tuple[str, str]:
        cluster, _, name = self.target.partition("/")
        return cluster, name

    def _scaling(self, call: Call, described: Mapping[str, Any]) -> Iterator[str]:
        """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalableTargets.html"""
        found = call(
            "application-autoscaling",
            "describe_scalable_targets",
            ServiceNamespace="ecs",
            ResourceIds=[f"service/{self.target}"],
            ScalableDimension="ecs:service:DesiredCount",
        ).get("ScalableTargets", ())
        if not found:
            yield "nothing scales it by itself"
        for limits in found:
            low, high, wanted = limits["MinCapacity"], limits["MaxCapacity"], described["desiredCount"]
            at = ": it is at its maximum" if wanted >= high else ""
            yield f"scales itself between {low} and {high} tasks{at}"
            if off := sorted(name for name, is_off in (limits.get("SuspendedState") or {}).items() if is_off):
                yield f"its scaling is suspended: {', '.join(off)}"

    def _load(self, call: Call) -> Iterator[str]:
        cluster, name = self._names
        for metric, what in (("CPUUtilization", "CPU"), ("MemoryUtilization", "memory")):
            measured = recent(call, "AWS/ECS", metric, {"ClusterName": cluster, "ServiceName": name})
            if measured is None:
                yield f"no {what} was measured in the last {MINUTES} minutes"
            else:
                average, most = measured
                yield f"{what} {average:.0f} % on average, {most:.0f} % at most in the last {MINUTES} minutes"

    def _stopped(self, call: Call) -> Iterator[str]:
        """ECS remembers stopped tasks for about an hour.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
        """
        cluster, name = self._names
        arns = call(
            "ecs", "list_tasks", cluster=cluster, serviceName=name, desiredStatus="STOPPED", maxResults=_TASKS
        ).get("taskArns", ())
        if not arns:
            yield "no task of it stopped in the last hour"
            return
        tasks = call("ecs", "describe_tasks", cluster=cluster, tasks=list(arns)).get("tasks", ())
        for reason, count in Counter(map(_why, tasks)).most_common(_REASONS):
            yield f"{count} {'task' if count == 1 else 'tasks'} stopped: {reason}"

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        cluster, name = map(shlex.quote, self._names)
        region = f"--region {self.place.region}"
        query = "services[0].[desiredCount,runningCount,pendingCount,deployments,events[:5].message]"
        scaling = "aws application-autoscaling describe-scalable-targets --service-namespace ecs"
        return Commands(
            look=(
                f"aws ecs describe-services --cluster {cluster} --services {name} {region} --query '{query}'",
                f"{scaling} --resource-ids {shlex.quote('service/' + self.target)} {region}",
                f"aws ecs list-tasks --cluster {cluster} --service-name {name} --desired-status STOPPED {region}",
            )
        )


def _counts(described: Mapping[str, Any]) -> str:
    running, wanted, pending = (described.get(f"{name}Count", 0) for name in ("running", "desired", "pending"))
    return f"{running} of {wanted} tasks run" + (f", {pending} pending" if pending else "")


def _deployments(described: Mapping[str, Any]) -> Iterator[str]:
    for deployment in described.get("deployments", ()):
        revision = str(deployment["taskDefinition"]).rpartition("/")[2]
        counts = f"{deployment.get('runningCount', 0)} of {deployment.get('desiredCount', 0)} tasks run"
        began = deployment.get("createdAt")
        since = f" since {began.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if began else ""
        failed = f", {deployment['failedTasks']} failed" if deployment.get("failedTasks") else ""
        state = deployment.get("rolloutState", "")
        yield f"deployment of {revision}{since}: {deployment['status']} {state}".rstrip() + f", {counts}{failed}"


def _events(described: Mapping[str, Any]) -> Iterator[str]:
    for event in described.get("events", ())[:_EVENTS]:
        yield f"{event['createdAt'].astimezone(UTC):%H:%M} UTC {event['message']}"


def _why(task: Mapping[str, Any]) -> str:
    """The reason of the task, with the exit code and reason of the containers that ended badly."""
    ended = [
        ", ".join(
            part
            for part in (
                f"exit code {c['exitCode']}" if c.get("exitCode") is not None else "",
                str(c.get("reason") or ""),
            )
            if part
        )
        for c in task.get("containers", ())
        if c.get("exitCode") or c.get("reason")
    ]
    told = str(task.get("stoppedReason") or task.get("stopCode") or "no reason given")
    return f"{told} ({'; '.join(ended)})" if ended else told
