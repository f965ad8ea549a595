"""`routing.yaml` as models: who is told, and how long things are waited for. All of it may be empty."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from incidentio.core.duration import Duration
from incidentio.core.matchers import MatcherField, all_match
from incidentio.core.rules import Rules
from incidentio.core.severity import Severity


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Route(_Strict):
    """Who is told: the first matching child wins, else this receiver. `repeat_interval` 0s never repeats."""

    receiver: Literal["page", "ticket"]
    matchers: tuple[MatcherField, ...] = ()
    repeat_interval: Duration | None = None
    routes: "tuple[Route, ...]" = ()

    def find(self, labels: Mapping[str, str]) -> "Route":
        for route in self.routes:
            if all_match(route.matchers, labels):
                return route.find(labels)
        return self


def _default_route() -> Route:
    return Route.model_validate(
        {
            "receiver": "ticket",
            "routes": [{"matchers": ['environment="production"', 'severity=~"SEV[12]"'], "receiver": "page"}],
        }
    )


Recovered = Literal["mitigate", "resolve"]


class Recovery(_Strict):
    """What happens once every signal has been ok for `stable_for`."""

    stable_for: Duration = timedelta(minutes=5)
    SEV1: Recovered | None = "mitigate"
    SEV2: Recovered | None = "mitigate"
    SEV3: Recovered | None = None
    SEV4: Recovered | None = None
    SEV5: Recovered | None = None
    default: Recovered = "resolve"

    def action(self, severity: Severity) -> Recovered:
        chosen: Recovered | None = getattr(self, severity.value)
        return chosen or self.default


class Routing(_Strict):
    route: Route = Field(default_factory=_default_route)
    rules: Rules = ()
    link_window: Duration = timedelta(minutes=30)
    recovery: Recovery = Recovery()
    repeat_interval: Duration = timedelta(minutes=5)
    reopen_window: Duration = timedelta(minutes=15)
    triage_timeout: Duration = timedelta(seconds=60)
