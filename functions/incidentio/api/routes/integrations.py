"""Senders over HTTP and their keys."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from incidentio.api import integrations
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
        return integrations.created(api, router.call(), body)

    @router.get("/integrations/<name>/changes", summary="Who changed an integration", tags=["integrations"])
    def list_changes(name: str) -> IntegrationChanges:
        found = integrations.changes(api, name)
        return IntegrationChanges(items=[IntegrationChange.model_validate(body) for body in found])

    @router.post(
        "/integrations/<name>/rotate",
        summary="Make a new key; the one before stays alive",
        tags=["integrations"],
    )
    def rotate(name: str, body: Annotated[Rotation, Body()] = _KEEPING_THE_OLD) -> ShownOnce:
        return integrations.rotated_keys(api, router.call(), name, body)

    @router.delete("/integrations/<name>", summary="Revoke an integration's keys", tags=["integrations"])
    def revoke(name: str) -> IntegrationView:
        return integrations.revoked(api, router.call(), name)

    return router
