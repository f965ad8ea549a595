"""What people add: notes, roles, and a severity."""

from incidentio.api.calls import Api
from incidentio.api.changing import change
from incidentio.api.editing import noted, role_assigned, severity_changed
from incidentio.api.incident_views import IncidentView, incident_view
from incidentio.api.requests import Note, RoleAssignment, SeverityChange
from incidentio.api.routing import Routes


def routes(api: Api) -> Routes:
    router = Routes(api)

    @router.post("/incidents/<incident_id>/notes", summary="Add a note to the timeline", tags=["people"])
    def add_note(incident_id: str, body: Note) -> IncidentView:
        call = router.call()
        return incident_view(change(api, call, incident_id, lambda i: noted(i, call, body.text)))

    @router.post("/incidents/<incident_id>/roles", summary="Give somebody a role", tags=["people"])
    def assign_role(incident_id: str, body: RoleAssignment) -> IncidentView:
        call = router.call()
        return incident_view(change(api, call, incident_id, lambda i: role_assigned(i, call, body)))

    @router.post("/incidents/<incident_id>/severity", summary="Change the severity, and say why", tags=["people"])
    def change_severity(incident_id: str, body: SeverityChange) -> IncidentView:
        call = router.call()
        return incident_view(change(api, call, incident_id, lambda i: severity_changed(i, call, body)))

    return router
