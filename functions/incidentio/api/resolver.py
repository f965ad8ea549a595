"""The Powertools resolver of the API: it brings a module of `routes` with the first request that is for it.

All of them would be a fifth of a cold start, whose first request is for one.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayRestResolver

from incidentio.api.calls import Api, decode_body

ROUTES: Mapping[str, tuple[str, ...]] = {
    "incidents": ("incidents",),
    "lifecycle": ("acknowledge", "cancel", "close", "mitigate", "reopen", "resolve"),
    "people": ("notes", "roles", "severity"),
    "grouping": ("merge", "split"),
    "timeline": ("timeline", "verify", "why"),
    "postmortems": ("postmortem",),
    "playbooks": ("playbooks", "runs"),
    "approvals": ("approvals", "hands-off"),
    "deploys": ("deploys",),
    "integrations": ("integrations",),
    "quiet": ("maintenance", "silences"),
    "reports": ("reports",),
    "document": ("openapi.json",),
}
"""Module of `routes` → what its paths are about: `/playbooks/…`, and `/incidents/INC-…/playbooks/…`."""

_MODULES = {word: module for module, words in ROUTES.items() for word in words}


class Resolver(APIGatewayRestResolver):
    def __init__(self, api: Api) -> None:
        super().__init__(
            enable_validation=True,
            response_validation_error_http_code=500,
            json_body_deserializer=decode_body,
        )
        self._api = api
        self._brought: set[str] = set()

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Answer the event; what no module is about is no route."""
        module = _MODULES.get(_about(str(event.get("path", ""))))
        if module is not None:
            self._bring(module)
        return super().resolve(event, context)

    def whole(self) -> "Resolver":
        """Another one with every route, for who describes them."""
        whole = Resolver(self._api)
        for module in ROUTES:
            whole._bring(module)
        return whole

    def _bring(self, module: str) -> None:
        if module not in self._brought:
            self.include_router(import_module(f"incidentio.api.routes.{module}").routes(self._api))
            self._brought.add(module)


def _about(path: str) -> str:
    words = path.strip("/").split("/")
    return words[2] if words[0] == "incidents" and len(words) > 2 else words[0]
