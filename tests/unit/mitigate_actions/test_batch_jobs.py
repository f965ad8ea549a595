"""Ending jobs: all pages, waiting ones first, array jobs as a whole, and never more than may be."""

from typing import Any

import pytest

from incidentio.core.errors import Conflict
from incidentio.mitigate.actions import compare_and_set, prepared
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import PLACE

QUEUE = f"AWS::Batch::JobQueue|{PLACE.account}|{PLACE.region}|reports"


def job(id: str, **more: Any) -> dict[str, Any]:
    return {"jobId": id, "jobName": "report", **more}


def held(of: str = "ECS", **pages: list[list[dict[str, Any]]]) -> Answers:
    """A queue of that type, with these pages of jobs for each status."""

    def listed(**given: Any) -> dict[str, Any]:
        found = pages.get(given["jobStatus"], [[]])
        number = int(given.get("nextToken", 0))
        more = {"nextToken": str(number + 1)} if number + 1 < len(found) else {}
        return {"jobSummaryList": found[number], **more}

    queue = {
        "jobQueueName": "reports",
        "jobQueueArn": "arn:aws:batch:eu-west-1:111122223333:job-queue/reports",
        "state": "DISABLED",
        "priority": 1,
        "computeEnvironmentOrder": [],
        "jobQueueType": of,
    }
    return Answers(describe_job_queues={"jobQueues": [queue]}, list_jobs=listed, cancel_job={}, terminate_job={})


def ended(call: Answers, **given: Any) -> dict[str, Any]:
    action = prepared("end-batch-jobs", given, QUEUE, PLACE)
    taken = compare_and_set.snapshot(action, call)["snapshot"]
    return compare_and_set.apply(action, call, taken)


def test_every_page_is_ended_and_what_waits_goes_first() -> None:
    call = held(RUNNABLE=[[job("a")], [job("b")]], SUBMITTED=[[job("c")]], STARTING=[[job("d")]], RUNNING=[[job("e")]])
    assert ended(call)["summary"] == "job queue reports: 3 waiting and 2 running jobs → no jobs"
    ends = [(name, p["jobId"]) for name, p in call.asked if name in ("cancel_job", "terminate_job")]
    assert sorted(ends[:3]) == [("cancel_job", "a"), ("cancel_job", "b"), ("cancel_job", "c")]
    assert ends[3:] == [("terminate_job", "d"), ("terminate_job", "e")]


def test_an_array_job_that_waits_for_its_children_is_terminated_with_them() -> None:
    call = held(PENDING=[[job("array", arrayProperties={"size": 50}), job("single")]])
    ended(call)
    assert [p["jobId"] for p in call.of("cancel_job")] == ["single"]
    assert [p["jobId"] for p in call.of("terminate_job")] == ["array"]


def test_more_than_it_may_end_and_it_ends_none() -> None:
    call = held(RUNNING=[[job("a"), job("b")]], RUNNABLE=[[job("c")]])
    with pytest.raises(Conflict, match=r"holds 3 jobs, and max_jobs is 2: none is ended; use 3 or more"):
        ended(call, max_jobs=2)
    assert not call.of("cancel_job")
    assert not call.of("terminate_job")


def test_a_job_that_still_ends_is_waited_for() -> None:
    action = prepared("end-batch-jobs", {}, QUEUE, PLACE)
    taken = {"before": "jobs", "after": "no jobs"}
    assert not compare_and_set.verify(action, held(RUNNING=[[job("a")]]), taken)["verified"]
    assert compare_and_set.verify(action, held(), taken)["verified"]


def test_service_jobs_are_not_for_it_to_end() -> None:
    with pytest.raises(Conflict, match="holds service jobs of SageMaker"):
        ended(held(of="SAGEMAKER_TRAINING", RUNNING=[[job("a")]]))
