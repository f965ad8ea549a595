"""Deciding what automation may do, and stopping it.

The mitigate lane is imported where it is called: most requests are about incidents, and a cold start is short on time.
"""

from incidentio.api import texts
from incidentio.api.calls import Api
from incidentio.api.requests import ApprovalDecision, HandsOff
from incidentio.api.routing import Routes
from incidentio.api.run_views import ApprovalList, ApprovalView
from incidentio.api.views import SwitchList, SwitchView
from incidentio.core.ids import iso, parse_incident_id


def routes(api: Api) -> Routes:
    router = Routes(api)

    @router.get("/incidents/<incident_id>/approvals", summary="List the approvals of an incident", tags=["approvals"])
    def list_approvals(incident_id: str) -> ApprovalList:
        from incidentio.mitigate.approvals import approvals_of  # noqa: PLC0415

        incident = api.table.incident(parse_incident_id(incident_id))
        found = approvals_of(api.table, incident.id, now=api.clock()) if incident.runs else []
        return ApprovalList(items=[ApprovalView.model_validate(approval) for approval in found])

    @router.post(
        "/approvals/<approval_id>",
        summary="Approve or reject",
        description="One vote a person; never the person who asked. Approving also acknowledges the incident.",
        tags=["approvals"],
    )
    def decide(approval_id: str, body: ApprovalDecision) -> ApprovalView:
        from incidentio.api import deciding  # noqa: PLC0415

        decided = deciding.decide(
            api,
            router.call(),
            approval_id.strip().upper(),
            decision=body.decision,
            reason=texts.note(body.reason, field="reason"),
        )
        return ApprovalView.model_validate(decided)

    @router.get("/hands-off", summary="List where automation was stopped or allowed again", tags=["approvals"])
    def list_switches() -> SwitchList:
        from incidentio.mitigate.switches import switches  # noqa: PLC0415

        return SwitchList(items=[SwitchView.model_validate(body) for body in switches(api.table, api.bundle)])

    @router.post(
        "/hands-off",
        summary="Stop automation, or let it work again",
        description="Blocks every further change automation would make, of runs under way too; an undo always goes on.",
        tags=["approvals"],
    )
    def hands_off(body: HandsOff) -> SwitchView:
        from incidentio.mitigate.switches import check_scope, set_hands_off, set_switch  # noqa: PLC0415

        call = router.call()
        reason = texts.note(body.reason, field="reason", limit=500)
        if not body.scope.upper().startswith("INC-"):
            scope = check_scope(api.table, api.bundle, body.scope)
            set_to = set_switch(api.table, scope, body.on, call.actor, reason, now=call.at, hold=body.hold)
            return SwitchView.model_validate(set_to)
        incident_id = parse_incident_id(body.scope)
        incident = set_hands_off(
            api.table,
            incident_id,
            body.on,
            call.actor,
            reason,
            now=call.at,
            hold=body.hold,
            expected_version=call.expected_version,
            idempotency_key=call.key,
        )
        return SwitchView(scope=incident.id, on=incident.hands_off, reason=reason, by=call.actor.id, at=iso(call.at))

    return router
