"""Senders over HTTP and their keys: rare enough that what changes them is imported when it is called."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from incidentio.api.calls import Api
from incidentio.api.integration_views import (
    IntegrationChange,
    IntegrationChanges,
    IntegrationList,
    IntegrationView,
    NewIntegration,
    Rotation,
    ShownOnce,
)
from incidentio.api.routing import Routes

_KEEPING_THE_OLD = Rotation()


def routes(api: Api) -> Routes:
    router = Routes(api)

    @router.get("/integrations", summary="List who may send signals over HTTP", tags=["integrations"])
    def list_integrations() -> IntegrationList:
        from incidentio.api import integrations  # noqa: PLC0415

        return IntegrationList(items=integrations.listed(api))

    @router.post(
        "/integrations",
        summary="Let a system send signals over HTTP",
        description="Its key, and signing secret where it has one, are in this answer and in no other.",
        tags=["integrations"],
        status_code=201,
        response_description="The integration and its key",
    )
    def create(body: NewIntegration) -> ShownOnce:
        from incidentio.api import integrations  # noqa: PLC0415

        return integrations.created(api, router.call(), body)

    @router.get("/integrations/<name>/changes", summary="Who changed an integration", tags=["integrations"])
    def list_changes(name: str) -> IntegrationChanges:
        from incidentio.api import integrations  # noqa: PLC0415

        found = integrations.changes(api, name)
        return IntegrationChanges(items=[IntegrationChange.model_validate(body) for body in found])

    @router.post(
        "/integrations/<name>/rotate",
        summary="Make a new key; the one before stays alive",
        tags=["integrations"],
    )
    def rotate(name: str, body: Annotated[Rotation, Body()] = _KEEPING_THE_OLD) -> ShownOnce:
        from incidentio.api import integrations  # noqa: PLC0415

        return integrations.rotated_keys(api, router.call(), name, body)

    @router.delete("/integrations/<name>", summary="Revoke an integration's keys", tags=["integrations"])
    def revoke(name: str) -> IntegrationView:
        from incidentio.api import integrations  # noqa: PLC0415

        return integrations.revoked(api, router.call(), name)

    return router
