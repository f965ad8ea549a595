"""The second story: the playbook does not help, so everything is put back and a person is told."""

from incidentio.cli.demo.props import BREACHING
from incidentio.cli.demo.stage import Followed, Stage, shown

LIMIT = 20
BEFORE = 200
_VERIFY_SECONDS = 60.0


def tell(stage: Stage) -> None:
    """Play it. Raises DemoFailedError at the first thing that is not as it should be."""
    narrator = stage.narrator
    narrator.chapter("5. basket is overrun as well, and the playbook does not help")
    basket = stage.workload("basket", metric="Invocations", statistic="Maximum")
    basket.create()
    stage.clients("lambda").put_function_concurrency(FunctionName=basket.name, ReservedConcurrentExecutions=BEFORE)
    narrator.did(f"created the function basket (reserved concurrency {BEFORE}) and the alarm {basket.alarm}")
    basket.measure(BREACHING)
    narrator.did(f"sent metric data: {BREACHING} invocations, and they will not go down")
    incident = Followed.opened_by(stage, basket)
    incident.until_entry("IncidentTriaged")
    incident.page()
    run_id = incident.request(basket, LIMIT)
    incident.approve(incident.approval()["id"])
    incident.until_concurrency(basket, LIMIT)
    narrator.checked(f"Lambda: reserved concurrency of basket {BEFORE} → {LIMIT}")
    told = len(stage.pager.pages(incident.id))

    narrator.chapter("6. the verification fails: back to where it was")
    incident.until_entry("PlaybookRolledBack", seconds=_VERIFY_SECONDS)
    incident.until_concurrency(basket, BEFORE)
    narrator.checked(f"Lambda: reserved concurrency of basket {LIMIT} → {shown(basket.reserved_concurrency())}")
    incident.until_execution(run_id, "FAILED")
    pages = incident.until(
        "a page that says the playbook was rolled back",
        lambda: stage.pager.pages(incident.id)[told:] or None,
    )
    narrator.checked(f"SNS: a person is paged: {pages[-1].get('Subject')}")
