"""What people are told of a service: counts, deployments, limits, load, and why tasks stopped."""

from datetime import UTC, datetime
from typing import Any

from incidentio.mitigate.actions import compare_and_set, prepared
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import PLACE

SERVICE = f"AWS::ECS::Service|{PLACE.account}|{PLACE.region}|shop/web"
WEB = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:"
THEN = datetime(2026, 3, 1, 12, 4, tzinfo=UTC)


def facts(**changed: Any) -> list[str]:
    described = {
        "status": "ACTIVE",
        "desiredCount": 10,
        "runningCount": 8,
        "pendingCount": 2,
        "deployments": [
            {
                "status": "PRIMARY",
                "taskDefinition": f"{WEB}13",
                "rolloutState": "IN_PROGRESS",
                "runningCount": 1,
                "desiredCount": 10,
                "failedTasks": 7,
                "createdAt": THEN,
            },
            {"status": "ACTIVE", "taskDefinition": f"{WEB}12", "runningCount": 7, "desiredCount": 10},
        ],
        "events": [{"createdAt": THEN, "message": f"(service web) event {n}."} for n in range(9)],
    }
    call = Answers(
        **{
            "describe_services": {"services": [described]},
            "describe_scalable_targets": {
                "ScalableTargets": [
                    {
                        "ServiceNamespace": "ecs",
                        "ResourceId": "service/shop/web",
                        "ScalableDimension": "ecs:service:DesiredCount",
                        "MinCapacity": 2,
                        "MaxCapacity": 10,
                        "RoleARN": "arn:aws:iam::111122223333:role/scaling",
                        "CreationTime": THEN,
                        "SuspendedState": {"DynamicScalingInSuspended": False, "ScheduledScalingSuspended": True},
                    }
                ]
            },
            "get_metric_statistics": {
                "Datapoints": [{"Average": 80.0, "Maximum": 91.4}, {"Average": 90.0, "Maximum": 99.6}]
            },
            "list_tasks": {"taskArns": ["a", "b", "c"]},
            "describe_tasks": {
                "tasks": [
                    {"stoppedReason": "Essential container in task exited", "containers": [{"exitCode": 137}]},
                    {"stoppedReason": "Essential container in task exited", "containers": [{"exitCode": 137}]},
                    {"stopCode": "TaskFailedToStart", "containers": [{"reason": "CannotPullContainerError"}]},
                ]
            },
            **changed,
        }
    )
    looked = compare_and_set.apply(prepared("look-at-service", {}, SERVICE, PLACE), call, {"before": None})
    return list(looked["facts"])


def test_it_tells_what_runs_what_is_deployed_and_where_the_limits_are() -> None:
    assert facts()[:7] == [
        "8 of 10 tasks run, 2 pending",
        "deployment of web:13 since 2026-03-01 12:04 UTC: PRIMARY IN_PROGRESS, 1 of 10 tasks run, 7 failed",
        "deployment of web:12: ACTIVE, 7 of 10 tasks run",
        "scales itself between 2 and 10 tasks: it is at its maximum",
        "its scaling is suspended: ScheduledScalingSuspended",
        "CPU 85 % on average, 100 % at most in the last 15 minutes",
        "memory 85 % on average, 100 % at most in the last 15 minutes",
    ]


def test_tasks_that_stopped_for_one_reason_are_told_once() -> None:
    assert facts()[7:9] == [
        "2 tasks stopped: Essential container in task exited (exit code 137)",
        "1 task stopped: TaskFailedToStart (CannotPullContainerError)",
    ]


def test_only_the_last_events_are_told() -> None:
    assert facts()[9:] == [f"12:04 UTC (service web) event {n}." for n in range(5)]


def test_what_is_not_there_is_told_too() -> None:
    told = facts(
        describe_scalable_targets={"ScalableTargets": []},
        get_metric_statistics={"Datapoints": []},
        list_tasks={"taskArns": []},
    )
    assert "nothing scales it by itself" in told
    assert "no CPU was measured in the last 15 minutes" in told
    assert "no task of it stopped in the last hour" in told
