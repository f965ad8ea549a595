"""`end-batch-jobs`: cancel what waits in an AWS Batch queue, then terminate what runs."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict
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
from incidentio.mitigate.actions.batch_queue import NAME, queue

WAITING = ("SUBMITTED", "PENDING", "RUNNABLE")
RUNNING = ("STARTING", "RUNNING")
REASON = "ended by an incidentio playbook"
_SOME, _NONE = "jobs", "no jobs"


class BatchJobs(Parameters):
    max_jobs: int = Field(default=100, ge=1, le=1_000, description="refuse a queue that holds more jobs than this")


class EndBatchJobs(Action[BatchJobs]):
    """The value is whether there are jobs: which ones changes from second to second.

    An array job waits (PENDING) for as long as one of its children runs, and takes them along when it is terminated;
    so it is ended with those that run. Waiting jobs go first, or they would start where others ended.
    https://docs.aws.amazon.com/batch/latest/APIReference/API_CancelJob.html
    https://docs.aws.amazon.com/batch/latest/APIReference/API_TerminateJob.html
    """

    name = "end-batch-jobs"
    target_type = "AWS::Batch::JobQueue"
    target_pattern = NAME
    parameters: ClassVar[type[Parameters]] = BatchJobs
    one_way = "jobs that ended do not start again; submit anew those whose work is still wanted"
    _waiting: tuple[str, ...] = ()
    _running: tuple[str, ...] = ()

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            Statement(actions=("batch:DescribeJobQueues", "batch:ListJobs"), resources=("*",)),
            Statement(actions=("batch:CancelJob", "batch:TerminateJob"), resources=(place.arn("batch", "job/*"),)),
        )

    @property
    @override
    def subject(self) -> str:
        return f"job queue {self.target}"

    @override
    def said(self, value: Value) -> str:
        if value == _SOME and (self._waiting or self._running):
            return f"{len(self._waiting)} waiting and {len(self._running)} running jobs"
        return str(value)

    @override
    def read(self, call: Call) -> Value:
        queue(call, self.target)
        waiting, running = self._listed(call, WAITING), self._listed(call, RUNNING)
        self._waiting = tuple(str(job["jobId"]) for job in waiting if not _is_array(job))
        self._running = tuple(str(job["jobId"]) for job in [*running, *filter(_is_array, waiting)])
        return _SOME if self._waiting or self._running else _NONE

    def _listed(self, call: Call, statuses: tuple[str, ...]) -> list[dict[str, Any]]:
        return [job for status in statuses for job in self._in(call, status)]

    def _in(self, call: Call, status: str) -> Iterator[dict[str, Any]]:
        more: dict[str, Any] = {}
        while True:
            page = call("batch", "list_jobs", jobQueue=self.target, jobStatus=status, **more)
            yield from page.get("jobSummaryList", ())
            if not (token := page.get("nextToken")):
                return
            more = {"nextToken": token}

    @override
    def wanted(self, before: Value) -> Value:
        return _NONE

    @override
    def guard(self, call: Call, change: Change) -> None:
        described = queue(call, self.target)
        refuse_system(self.subject, described.get("tags", {}))
        if described.get("jobQueueType") == "SAGEMAKER_TRAINING":
            raise Conflict(f"{self.subject} holds service jobs of SageMaker: end them there")
        if (count := len(self._waiting) + len(self._running)) > self.given.max_jobs:
            raise Conflict(
                f"{self.subject} holds {count} jobs, and max_jobs is {self.given.max_jobs}: none is ended; "
                f"use {count} or more if all of them must go"
            )

    @override
    def write(self, call: Call, value: Value) -> None:
        for job in self._waiting:
            call("batch", "cancel_job", jobId=job, reason=REASON)
        for job in self._running:
            call("batch", "terminate_job", jobId=job, reason=REASON)

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        name, region = shlex.quote(self.target), f"--region {self.place.region}"
        listed = f"aws batch list-jobs --job-queue {name} {region} --job-status"
        ids = f"$({listed} $status --query 'jobSummaryList[].jobId' --output text)"
        because = f"--job-id $job --reason {shlex.quote(REASON)} {region}"

        def each(statuses: tuple[str, ...], end: str) -> str:
            loop = f"for job in {ids}; do aws batch {end} {because}; done"
            return f"for status in {' '.join(statuses)}; do {loop}; done"

        return Commands(
            look=tuple(f"{listed} {status}" for status in (*WAITING, *RUNNING)),
            do=(each(WAITING, "cancel-job"), each((*WAITING, *RUNNING), "terminate-job")),
        )


def _is_array(job: Mapping[str, Any]) -> bool:
    return bool((job.get("arrayProperties") or {}).get("size"))
