"""Where a story plays: the deployed target, the people in it, and how the story follows an incident."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from incidentio.cli.client import Api
from incidentio.cli.demo.expect import require, wait_for
from incidentio.cli.demo.narrator import Narrator
from incidentio.cli.demo.props import Clients, Pager, Workload

PLAYBOOK = "throttle-function"
PATIENCE_SECONDS = 30.0
T = TypeVar("T")


@dataclass(frozen=True)
class Person:
    """Somebody with an IAM user of their own."""

    name: str
    api: Api


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One deployment with everything a story needs."""

    narrator: Narrator
    clients: Clients
    outputs: Mapping[str, str]
    responder: Person
    approver: Person
    pager: Pager

    def workload(self, name: str, *, metric: str, statistic: str) -> Workload:
        """A function with an alarm on the signal topic."""
        return Workload(self.clients, name, metric, statistic, self.outputs["SignalTopicArn"])

    def execution_status(self, run_id: str) -> str | None:
        """What Step Functions says of a run; None before it has started."""
        states = self.clients("stepfunctions")
        machines = states.list_state_machines()["stateMachines"]
        machine = next(m["stateMachineArn"] for m in machines if m["name"].endswith(f"-{PLAYBOOK}"))
        for execution in states.list_executions(stateMachineArn=machine)["executions"]:
            if execution["name"] == run_id:
                return str(execution["status"])
        return None

    def archived(self, incident_id: str, suffix: str) -> str | None:
        """The text of the incident's object in the archive bucket whose key ends so."""
        s3, bucket = self.clients("s3"), self.outputs["ArchiveBucketName"]
        for found in s3.list_objects_v2(Bucket=bucket, Prefix="postmortems/").get("Contents", []):
            if incident_id in found["Key"] and found["Key"].endswith(suffix):
                body: bytes = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
                return body.decode()
        return None


@dataclass
class Followed:
    """One incident, whose timeline is narrated as it grows."""

    stage: Stage
    id: str
    entries: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def opened_by(cls, stage: Stage, workload: Workload) -> "Followed":
        """The incident that the workload's alarm opens."""

        def found() -> str | None:
            for card in stage.responder.api.call("GET", "/incidents", query={"status": "open"})["items"]:
                incident = stage.responder.api.call("GET", f"/incidents/{card['id']}")
                if incident["subject"]["alarm_name"] == workload.alarm:
                    return str(card["id"])
            return None

        return cls(stage, wait_for(f"an incident for the alarm {workload.alarm}", found, seconds=PATIENCE_SECONDS))

    def now(self) -> dict[str, Any]:
        """The incident as the API shows it."""
        return self.stage.responder.api.call("GET", f"/incidents/{self.id}")

    def catch_up(self) -> None:
        """Narrate what is new on the timeline."""
        page = self.stage.responder.api.call("GET", f"/incidents/{self.id}/timeline", query={"limit": "200"})
        for entry in page["items"][len(self.entries) :]:
            self.entries.append(entry)
            self.stage.narrator.entry(entry)

    def until(self, what: str, seen: Callable[[], T | None], *, seconds: float = PATIENCE_SECONDS) -> T:
        """Wait for something while the timeline is narrated. Raises DemoFailedError."""
        return wait_for(what, seen, seconds=seconds, meanwhile=self.catch_up)

    def until_entry(self, type: str, *, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait for an entry of that type and return it."""
        what = f"{type} on the timeline of {self.id}"
        return self.until(what, lambda: next((e for e in self.entries if e["type"] == type), None), seconds=seconds)

    def until_status(self, status: str, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the incident has that status."""
        self.until(f"{self.id} to be {status}", lambda: self.now()["status"] == status or None, seconds=seconds)

    def page(self) -> Mapping[str, Any]:
        """Wait for the first page about it at the subscriber."""
        pages = self.until(f"a page about {self.id} at the subscriber", lambda: self.stage.pager.pages(self.id))
        return pages[0]

    def request(self, workload: Workload, limit: int) -> str:
        """The responder asks for the playbook; returns the run's id."""
        narrator, person = self.stage.narrator, self.stage.responder
        narrator.person(person.name, f"asks for {PLAYBOOK} on {workload.name} with limit={limit}")
        path = f"/incidents/{self.id}/playbooks/{PLAYBOOK}"
        return str(person.api.call("POST", path, body={"parameters": {"limit": limit}})["id"])

    def approval(self) -> dict[str, Any]:
        """Wait until somebody is asked to approve."""

        def pending() -> dict[str, Any] | None:
            asked = self.stage.approver.api.call("GET", f"/incidents/{self.id}/approvals")["items"]
            return next((approval for approval in asked if approval["status"] == "pending"), None)

        return self.until("an approval to be asked for", pending)

    def approve(self, approval_id: str) -> None:
        """A second person approves."""
        person = self.stage.approver
        self.stage.narrator.person(person.name, f"approves {approval_id}")
        body = {"decision": "approve", "reason": "customers cannot pay"}
        decided = person.api.call("POST", f"/approvals/{approval_id}", body=body)
        require(decided["status"] == "approved", f"{approval_id} is {decided['status']} after it was approved")

    def until_concurrency(self, workload: Workload, wanted: int | None) -> None:
        """Wait until Lambda itself shows this reserved concurrency."""
        self.until(
            f"Lambda to show reserved concurrency {shown(wanted)} of {workload.name}",
            lambda: workload.reserved_concurrency() == wanted or None,
        )

    def until_execution(self, run_id: str, status: str) -> None:
        """Wait until Step Functions shows the run in that status."""
        self.until(
            f"the execution {run_id} to be {status}", lambda: self.stage.execution_status(run_id) == status or None
        )
        self.stage.narrator.checked(f"Step Functions: execution {run_id} is {status}")


def shown(concurrency: int | None) -> str:
    """Reserved concurrency for people."""
    return "not set" if concurrency is None else str(concurrency)
