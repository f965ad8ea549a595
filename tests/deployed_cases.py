"""One case of a playbook on the deployed app: a real alarm, people who ask and approve, and what AWS itself shows."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from incidentio.core.playbook import Playbook
from incidentio.mitigate.actions import permissions_for
from incidentio.mitigate.run import DONE
from infra.cases.estate import Aws
from infra.cases.estates import estate_of
from infra.cases.model import ROOT, Case, State, playbooks
from infra.documents import load_playbooks
from tests.e2e.world import World, eventually

LIBRARY = load_playbooks(ROOT / "playbooks")


def emulated(name: str) -> bool:
    """Whether the emulator has all that the playbook calls; estates answer the rest, and only on a bare emulator."""
    playbook = LIBRARY[name]
    stands_in = estate_of(playbook).stands_in
    if any(call.startswith("https.") for call in stands_in):  # what is not AWS needs no right, and nobody plays it
        return False
    lacking = {call.replace(".", ":").replace("_", "") for call in stands_in}
    rights = permissions_for(playbook, partition="aws", account="", region="")
    return lacking.isdisjoint(action.lower() for statement in rights for action in statement.actions)


DEPLOYED = list(filter(emulated, playbooks()))
"""The playbooks whose cases can run on the deployed app."""

AT_ONCE = 3
UNTIL_OVER = 90.0
"""Seconds: longer than any of them verifies on the target, on a busy machine."""


def run_cases(name: str, cases: list[Case], target: dict[str, Any]) -> None:
    """They wait most of their time, each in a world of its own: so some run at once."""
    playbook = LIBRARY[name]

    def run(case: Case) -> None:
        world = World(target)
        deployed = _Run(world, playbook, case)
        try:
            deployed.check()
        except Exception as error:
            error.add_note(f"case: {case.name}")
            raise
        finally:
            deployed.estate.leave()
            world.leave()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        started = [pool.submit(run, case) for case in cases]
    wrong = [error for future in started if (error := future.exception())]
    if wrong:
        raise ExceptionGroup(f"{len(wrong)} of {len(started)} cases of {name}", wrong)


class _Run:
    def __init__(self, world: World, playbook: Playbook, case: Case) -> None:
        self._world = world
        self._playbook = playbook
        self._case = case
        aws = Aws(world.client, world.tag, world.description["account"], world.description["region"])
        self.estate = estate_of(playbook)(aws, case.given, case.tags)

    def check(self) -> None:
        case, world = self._case, self._world
        alarm, incident_id = self._incident()
        parameters = self.estate.parameters_for(self._playbook.parameters) | case.when.parameters
        more = {} if self.estate.dimensions else {"target": self.estate.target}
        dry_run = case.when.dry_run
        world.request(world.alice, incident_id, self._playbook.name, parameters=parameters, dry_run=dry_run, **more)
        if not dry_run:
            self._approve(incident_id)
        if case.expect.applied:
            self._acted(incident_id, case.expect.applied)
            for name, value in (case.when.meanwhile or {}).items():
                self.estate.set(name, value)
            if case.when.alarm == "recovers":
                world.set_alarm(alarm, "OK")
        outcome = case.expect.outcome
        eventually(lambda: self._outcome(incident_id) == outcome, f"the run {outcome}", seconds=UNTIL_OVER)
        if case.when.then == "resolve":
            world.alice.post(f"/incidents/{incident_id}/resolve")
        eventually(lambda: self._shows(case.expect.finally_), f"{case.expect.finally_} in the end")
        for entry in case.expect.entries:
            world.entry(incident_id, entry)

    def _incident(self) -> tuple[str, str]:
        alarm = self._alarm()
        self._world.set_alarm(alarm, "ALARM")
        incident = self._world.the_incident_of(alarm)
        self._world.entry(incident["id"], "IncidentTriaged")
        return alarm, str(incident["id"])

    def _alarm(self) -> str:
        """A real metric alarm about the target."""
        name, topic = f"{self._playbook.name}-{self._world.tag}", self._world.outputs["SignalTopicArn"]
        self._world.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace=self.estate.namespace or "Shop",
            MetricName=self.estate.metric or "Trouble",
            Dimensions=[{"Name": key, "Value": value} for key, value in self.estate.dimensions.items()],
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=5,
            ComparisonOperator="GreaterThanThreshold",
            AlarmActions=[topic],
            OKActions=[topic],
        )
        return name

    def _approve(self, incident_id: str) -> None:
        for person in (self._world.bob, self._world.carol)[: self._playbook.risk.approvals]:
            answer = self._world.decide(person, self._world.approval(incident_id))
            assert answer.status_code == 200, answer.text

    def _acted(self, incident_id: str, expected: State) -> None:
        """All steps are recorded, and AWS shows what they set."""
        eventually(lambda: self._all_done(incident_id), "every step done")
        assert self._shows(expected), self._now(expected)

    def _all_done(self, incident_id: str) -> bool:
        """Steps by hand are done as they are asked for."""
        (run,) = self._world.incident(incident_id)["runs"]
        if any(step["status"] == "asked" for step in run["steps"]):
            self._world.decide(self._world.bob, self._world.approval(incident_id))
        return all(step["status"] in DONE for step in run["steps"])

    def _shows(self, state: State) -> bool:
        return self._now(state) == state

    def _now(self, asked: State) -> State:
        return {name: self.estate.now(name) for name in asked}

    def _outcome(self, incident_id: str) -> str:
        (run,) = self._world.incident(incident_id)["runs"]
        return str(run["outcome"])
