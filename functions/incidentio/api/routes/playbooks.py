"""What automation can do, and asking it to."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from incidentio.api import texts
from incidentio.api.calls import Api
from incidentio.api.paging import Limit
from incidentio.api.playbook_views import PlaybookList
from incidentio.api.requests import PlaybookRun, Rehearsal, Restore
from incidentio.api.routing import Routes
from incidentio.api.run_views import PastRunList, PastRunView, RunView, run_view
from incidentio.core.ids import parse_incident_id

_AS_DEFINED = PlaybookRun()
_BY_ITSELF = Restore()


def routes(api: Api) -> Routes:
    router = Routes(api)

    @router.get("/playbooks", summary="List the playbooks of this deployment", tags=["playbooks"])
    def list_playbooks() -> PlaybookList:
        from incidentio.api.playbook_list import playbook_list  # noqa: PLC0415

        return playbook_list(api.table, api.bundle, api.clock())

    @router.get(
        "/playbooks/<name>/history",
        summary="List a playbook's runs, newest first, those under way before all",
        tags=["playbooks"],
    )
    def history(name: str, limit: Limit = 50) -> PastRunList:
        from incidentio.mitigate.requests import playbook_named  # noqa: PLC0415 - brings every action
        from incidentio.mitigate.runs import under_way  # noqa: PLC0415
        from incidentio.mitigate.track_record import history_of, in_history  # noqa: PLC0415

        name = playbook_named(api.bundle, name).name
        # Those under way first: one that ends between the two queries is in both, and its end counts.
        running = under_way(api.table, name)
        ended = history_of(api.table, name, limit=limit)
        known = {body["run_id"] for body in ended}
        now = [in_history(run, run.requested_at) for run in running if run.run_id not in known]
        return PastRunList(items=[PastRunView.model_validate(body) for body in [*now, *ended][:limit]])

    @router.post(
        "/playbooks/<name>/rehearsals",
        summary="Rehearse a playbook for a service",
        description="A dry run in a drill of its own, which tells nobody. One that fails opens a ticket. A playbook "
        "that was not rehearsed since its definition changed, or for 90 days, does not start by itself.",
        tags=["playbooks"],
        status_code=202,
        response_description="The run",
    )
    def rehearse_playbook(name: str, body: Annotated[Rehearsal, Body()]) -> RunView:
        from incidentio.mitigate.rehearse import rehearse  # noqa: PLC0415 - brings every action

        call = router.call()
        run = rehearse(
            api.table,
            api.bundle,
            name,
            service=body.service,
            actor=call.actor,
            now=call.at,
            account=api.account,
            region=api.region,
            target=body.target,
            parameters=body.parameters,
            seed=f"key {call.key}" if call.key else None,
        )
        return run_view(run.model_dump(mode="json"))

    @router.post(
        "/incidents/<incident_id>/playbooks/<name>",
        summary="Ask for a playbook to be run",
        description="The run is recorded and starts by itself; it may then wait for an approval. "
        "Asking twice while it is unfinished is asking once.",
        tags=["playbooks"],
        status_code=202,
        response_description="The run",
    )
    def request_playbook(incident_id: str, name: str, body: Annotated[PlaybookRun, Body()] = _AS_DEFINED) -> RunView:
        from incidentio.mitigate.requests import request_run  # noqa: PLC0415 - brings every action

        call, incident_id = router.call(), parse_incident_id(incident_id)
        if call.key:
            call.refuse_reuse(api.table.incident(incident_id))
        run = request_run(
            api.table,
            api.bundle,
            incident_id,
            name,
            actor=call.actor,
            now=call.at,
            account=api.account,
            region=api.region,
            target=body.target,
            parameters=body.parameters,
            dry_run=body.dry_run,
            break_glass=texts.note(body.break_glass, field="break_glass", limit=500),
            expected_version=call.expected_version,
            idempotency_key=call.key,
        )
        return run_view(run.model_dump(mode="json"))

    @router.post(
        "/runs/<run_id>/restore",
        summary="Give back what a run borrowed, now",
        description="It is given back within a minute. With `by_hand`, a loan that could not be given back ends.",
        tags=["playbooks"],
        status_code=202,
        response_description="The run",
    )
    def restore(run_id: str, body: Annotated[Restore, Body()] = _BY_ITSELF) -> RunView:
        from incidentio.api import deciding  # noqa: PLC0415

        how = texts.note(body.by_hand, field="by_hand", limit=500)
        run = deciding.restore(api, router.call(), run_id.strip().upper(), by_hand=how)
        return run_view(run.model_dump(mode="json"))

    return router
