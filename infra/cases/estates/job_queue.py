"""An AWS Batch queue with jobs in it, in memory: the emulator's queues cannot be changed, and its jobs end at once.

https://docs.aws.amazon.com/batch/latest/userguide/job_states.html
"""

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate

_WAITS, _RUNS = ("SUBMITTED", "PENDING", "RUNNABLE"), ("STARTING", "RUNNING")


class JobQueue(Estate):
    """`state` (`ENABLED`, `DISABLED`) of the queue, and how many jobs are `waiting`, `running` and `failed`."""

    values = ("state", "waiting", "running", "failed")
    stands_in = (
        "batch.describe_job_queues",
        "batch.update_job_queue",
        "batch.list_jobs",
        "batch.cancel_job",
        "batch.terminate_job",
    )
    example = "reports"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self._tags = dict(tags)
        self._state = given.get("state", "ENABLED")
        self._jobs: dict[str, str] = {}
        for n in range(given.get("waiting", 0)):
            self._jobs[f"{len(self._jobs)}-waits"] = _WAITS[n % len(_WAITS)]
        for n in range(given.get("running", 0)):
            self._jobs[f"{len(self._jobs)}-runs"] = _RUNS[n % len(_RUNS)]
        for _ in range(given.get("failed", 0)):
            self._jobs[f"{len(self._jobs)}-ended"] = "FAILED"

    @property
    @override
    def target(self) -> str:
        return f"reports-{self.aws.tag}"

    @override
    def now(self, name: str) -> Any:
        if name == "state":
            return self._state
        of = {"waiting": _WAITS, "running": _RUNS, "failed": ("FAILED",)}[name]
        return sum(status in of for status in self._jobs.values())

    @override
    def set(self, name: str, value: Any) -> None:
        if name != "state":
            return super().set(name, value)
        self._state = value
        return None

    def describe_job_queues(self, **_given: Any) -> dict[str, Any]:
        queue = {
            "jobQueueName": self.target,
            "jobQueueArn": self.aws.arn("batch", f"job-queue/{self.target}"),
            "state": self._state,
            "status": "VALID",
            "priority": 1,
            "computeEnvironmentOrder": [],
            "tags": self._tags,
        }
        return {"jobQueues": [queue]}

    def update_job_queue(self, **given: Any) -> dict[str, Any]:
        self._state = given["state"]
        return {"jobQueueName": self.target}

    def list_jobs(self, **given: Any) -> dict[str, Any]:
        found = [job for job, status in self._jobs.items() if status == given["jobStatus"]]
        return {"jobSummaryList": [{"jobId": job, "jobName": "report", "status": given["jobStatus"]} for job in found]}

    def cancel_job(self, **given: Any) -> dict[str, Any]:
        """One that has started is not cancelled, and AWS does not say so."""
        if self._jobs[given["jobId"]] in _WAITS:
            self._jobs[given["jobId"]] = "FAILED"
        return {}

    def terminate_job(self, **given: Any) -> dict[str, Any]:
        self._jobs[given["jobId"]] = "FAILED"
        return {}
