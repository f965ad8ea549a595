"""Runs each playbook's cases.yaml against the deployed app, and looks at AWS itself for what came of it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from incidentio.core.playbook import Playbook
from infra.documents import load_playbooks
from tests.e2e.world import World, eventually
from tests.playbook_cases import ROOT, Case, Given, State, load_cases, playbooks

AT_ONCE = 3
UNTIL_OVER = 90.0
"""Seconds: longer than any of them verifies on the target, on a busy machine."""


@pytest.mark.parametrize("name", playbooks())
def test_the_cases_of(name: str, target: dict[str, Any]) -> None:
    """A playbook's cases wait most of their time, each in a world of its own: so some run at once."""
    playbook = load_playbooks(ROOT / "playbooks")[name]

    def run(case: Case) -> None:
        world = World(target)
        try:
            _Run(world, playbook, case).check()
        except Exception as error:
            error.add_note(f"case: {case.name}")
            raise
        finally:
            world.leave()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        started = [pool.submit(run, case) for case in load_cases(name)]
    wrong = [error for future in started if (error := future.exception())]
    if wrong:
        raise ExceptionGroup(f"{len(wrong)} of {len(started)} cases of {name}", wrong)


class _Run:
    def __init__(self, world: World, playbook: Playbook, case: Case) -> None:
        self._world = world
        self._playbook = playbook
        self._case = case
        self._estate = _Estate(world, playbook, case.given)

    def check(self) -> None:
        case, world = self._case, self._world
        alarm, incident_id = self._incident()
        parameters = self._estate.parameters | case.when.parameters
        world.request(world.alice, incident_id, self._playbook.name, parameters=parameters, dry_run=case.when.dry_run)
        if self._playbook.risk.approvals and not case.when.dry_run:
            answer = world.decide(world.bob, world.approval(incident_id))
            assert answer.status_code == 200, answer.text
        if case.expect.applied:
            self._acted(incident_id, case.expect.applied)
            if case.when.meanwhile:
                self._estate.somebody_sets(case.when.meanwhile)
            if case.when.alarm == "recovers":
                world.set_alarm(alarm, "OK")
        outcome = case.expect.outcome
        eventually(lambda: self._outcome(incident_id) == outcome, f"the run {outcome}", seconds=UNTIL_OVER)
        if case.when.then == "resolve":
            world.alice.post(f"/incidents/{incident_id}/resolve")
        eventually(lambda: self._shows(case.expect.finally_), f"{case.expect.finally_.written()} in the end")
        for entry in case.expect.entries:
            world.entry(incident_id, entry)

    def _incident(self) -> tuple[str, str]:
        alarm = self._estate.alarm()
        self._world.set_alarm(alarm, "ALARM")
        incident = self._world.the_incident_of(alarm)
        self._world.entry(incident["id"], "IncidentTriaged")
        return alarm, str(incident["id"])

    def _acted(self, incident_id: str, expected: State) -> None:
        """All steps are recorded, and AWS shows what they set."""
        applied = len(self._playbook.steps)
        eventually(lambda: self._world.types(incident_id).count("StepApplied") == applied, f"{applied} steps applied")
        assert self._shows(expected), self._estate.now(expected)

    def _shows(self, state: State) -> bool:
        return self._estate.now(state) == state.written()

    def _outcome(self, incident_id: str) -> str:
        (run,) = self._world.incident(incident_id)["runs"]
        return str(run["outcome"])


class _Estate:
    """The target of one case and what feeds it, made as `given`."""

    def __init__(self, world: World, playbook: Playbook, given: Given) -> None:
        self._world = world
        self.parameters: dict[str, int | str] = {}
        self._ecs = playbook.targets.type == "AWS::ECS::Service"
        self._name = f"web-{world.tag}"
        if self._ecs:
            self._make_service(given)
        else:
            self._name = world.function(concurrency=given.reserved_concurrency, tags=given.tags)
        if given.rule:
            self._make_rule(given.rule)
        if given.schedule:
            self._make_schedule(given.schedule)

    def alarm(self) -> str:
        if not self._ecs:
            return self._world.alarm(function=self._name)
        name, topic = f"web-cpu-{self._world.tag}", self._world.outputs["SignalTopicArn"]
        self._world.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/ECS",
            MetricName="CPUUtilization",
            Dimensions=[{"Name": "ClusterName", "Value": self._name}, {"Name": "ServiceName", "Value": self._name}],
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            Threshold=80,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[topic],
            OKActions=[topic],
        )
        return name

    def now(self, asked: State) -> dict[str, Any]:
        """What AWS shows of everything `asked` is about."""
        looks = {
            "reserved_concurrency": lambda: self._world.concurrency(self._name),
            "desired_count": self._desired_count,
            "rule": lambda: self._world.client("events").describe_rule(Name=f"loop-{self._world.tag}")["State"],
            "schedule": lambda: self._world.client("scheduler").get_schedule(Name=f"loop-{self._world.tag}")["State"],
        }
        return {name: looks[name]() for name in asked.written()}

    def somebody_sets(self, state: State) -> None:
        for name, value in state.written().items():
            match name:
                case "reserved_concurrency":
                    self._world.client("lambda").put_function_concurrency(
                        FunctionName=self._name, ReservedConcurrentExecutions=value
                    )
                case "desired_count":
                    self._world.client("ecs").update_service(cluster=self._name, service=self._name, desiredCount=value)
                case _:
                    raise NotImplementedError(f"nobody can set {name} in a case")

    def _desired_count(self) -> int:
        found = self._world.client("ecs").describe_services(cluster=self._name, services=[self._name])
        return int(found["services"][0]["desiredCount"])

    def _make_service(self, given: Given) -> None:
        ecs, name = self._world.client("ecs"), self._name
        ecs.create_cluster(clusterName=name)
        ecs.register_task_definition(family=name, containerDefinitions=[{"name": "web", "image": "web", "memory": 64}])
        ecs.create_service(
            cluster=name,
            serviceName=name,
            taskDefinition=name,
            desiredCount=given.desired_count or 0,
            tags=[{"key": k, "value": v} for k, v in given.tags.items()],
        )

    def _make_rule(self, state: str) -> None:
        name = f"loop-{self._world.tag}"
        self._world.client("events").put_rule(Name=name, ScheduleExpression="rate(1 hour)", State=state)
        self.parameters["rule"] = name

    def _make_schedule(self, state: str) -> None:
        name, account = f"loop-{self._world.tag}", self._world.description["account"]
        self._world.client("scheduler").create_schedule(
            Name=name,
            State=state,
            ScheduleExpression="rate(1 hour)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": f"arn:aws:lambda:{self._world.description['region']}:{account}:function:{self._name}",
                "RoleArn": f"arn:aws:iam::{account}:role/anything",
            },
        )
        self.parameters["schedule"] = name
