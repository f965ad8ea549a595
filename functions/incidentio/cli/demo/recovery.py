"""The first story: an alarm fires, a playbook helps, the incident ends, and what was borrowed is given back."""

from incidentio.cli.demo.expect import require, wait_for
from incidentio.cli.demo.props import BREACHING, HEALTHY, THRESHOLD
from incidentio.cli.demo.stage import PATIENCE_SECONDS, PLAYBOOK, Followed, Stage, shown
from incidentio.cli.errors import CallRefusedError

LIMIT = 10
SEVERITY = "SEV2"  # checkout is tier 2 in the demo's catalogue
_HEALTHY_POINTS = 12


def tell(stage: Stage) -> None:
    """Play it. Raises DemoFailedError at the first thing that is not as it should be."""
    narrator = stage.narrator
    narrator.chapter("1. checkout is overrun")
    checkout = stage.workload("checkout", metric="ConcurrentExecutions", statistic="Average")
    checkout.create()
    before = checkout.reserved_concurrency()
    narrator.did(f"created the function checkout (reserved concurrency {shown(before)}) and the alarm {checkout.alarm}")
    checkout.measure(BREACHING)
    narrator.did(f"sent metric data: {BREACHING} concurrent executions, over the threshold of {THRESHOLD}")
    wait_for(
        f"the alarm {checkout.alarm} to fire", lambda: checkout.state() == "ALARM" or None, seconds=PATIENCE_SECONDS
    )
    narrator.checked(f"CloudWatch: {checkout.alarm} is in ALARM")
    incident = _triaged(stage, Followed.opened_by(stage, checkout))

    narrator.chapter(f"2. {incident.id}: a playbook, and two people")
    run_id = incident.request(checkout, LIMIT)
    approval = incident.approval()
    _refuse_own(stage, approval["id"])
    require(checkout.reserved_concurrency() == before, "the function was changed before anybody approved")
    incident.approve(approval["id"])
    incident.until_concurrency(checkout, LIMIT)
    narrator.checked(f"Lambda: reserved concurrency of checkout {shown(before)} → {LIMIT}")

    narrator.chapter("3. it helps")
    incident.until_entry("StepApplied")
    checkout.measure(*[HEALTHY] * _HEALTHY_POINTS)
    narrator.did(f"sent metric data: {HEALTHY} concurrent executions")
    incident.until(f"the alarm {checkout.alarm} to recover", lambda: checkout.state() == "OK" or None)
    narrator.checked(f"CloudWatch: {checkout.alarm} is OK")
    incident.until_entry("PlaybookSucceeded")
    incident.until_execution(run_id, "SUCCEEDED")
    incident.until_status("mitigated")

    narrator.chapter("4. over, and nothing left behind")
    narrator.person(stage.responder.name, "resolves it")
    stage.responder.api.call("POST", f"/incidents/{incident.id}/resolve", body={"note": "the crawler was blocked"})
    incident.until_concurrency(checkout, before)
    narrator.checked(f"Lambda: reserved concurrency of checkout {LIMIT} → {shown(before)} (the lease is given back)")
    incident.until_entry("LeaseRestored")
    incident.until_entry("PostmortemDrafted")
    postmortem = incident.until("the postmortem in S3", lambda: stage.archived(incident.id, ".md"))
    narrator.checked(f"S3: the postmortem is in {stage.outputs['ArchiveBucketName']}")
    narrator.document(postmortem)
    verified = stage.responder.api.call("GET", f"/incidents/{incident.id}/verify")
    require(verified["ok"], f"the hash chain of {incident.id} does not hold: {verified['broken']}")
    narrator.did(f"recomputed the hash chain of {verified['entries']} timeline entries: it holds")


def _triaged(stage: Stage, incident: Followed) -> Followed:
    incident.until_entry("IncidentTriaged")
    seen = incident.now()
    require(seen["severity"] == SEVERITY, f"{incident.id} is {seen['severity']}, not {SEVERITY}")
    require(PLAYBOOK in seen["proposed"], f"{PLAYBOOK} is not proposed; proposed are {seen['proposed'] or 'none'}")
    page = incident.page()
    stage.narrator.checked(f"SNS: the page reached its subscriber: {page.get('Subject')}")
    return incident


def _refuse_own(stage: Stage, approval_id: str) -> None:
    person = stage.responder
    try:
        person.api.call("POST", f"/approvals/{approval_id}", body={"decision": "approve", "reason": "in a hurry"})
    except CallRefusedError as refused:
        require(refused.status == 403, f"approving one's own request gave HTTP {refused.status}, not 403")
        stage.narrator.person(person.name, f"tries to approve it and is refused: {refused.message}")
        return
    require(False, f"{person.name} could approve the own request")
