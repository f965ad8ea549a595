"""`routing.yaml` as models: who is told, and how long things are waited for. All of it may be empty."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from incidentio.core.duration import Duration, format_duration
from incidentio.core.flapping import Flapping
from incidentio.core.inhibit_rule import InhibitRule
from incidentio.core.maintenance import Maintenance
from incidentio.core.matchers import MatcherField, all_match
from incidentio.core.own_patterns import Redaction
from incidentio.core.rules import Rules
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode
from incidentio.core.storm import Storm


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Route(_Strict):
    """Who is told: the first matching child wins, else this receiver. `repeat_interval` 0s never repeats.

    What a child leaves out of `group_by`, `group_window` and `threshold` is as its parent says (see `core.grouping`).
    In `mode: monitor` nobody is told and nothing starts by itself: the timeline shows what would have been. A child
    without a mode has its parent's. In `group_mode: monitor` every signal is its own incident, which says where it
    would have belonged. `ack_timeout` is that of routing where it is not given; 0s switches it off.
    """

    receiver: Literal["page", "ticket"]
    matchers: tuple[MatcherField, ...] = ()
    repeat_interval: Duration | None = None
    mode: Mode | None = None
    ack_timeout: Duration | None = None
    group_by: tuple[str, ...] | None = None
    group_window: Duration | None = None
    threshold: int | None = Field(default=None, ge=1, le=1000)
    group_mode: Mode | None = None
    routes: "tuple[Route, ...]" = ()

    def path(self, labels: Mapping[str, str]) -> "tuple[Route, ...]":
        """From this route down to the one that decides."""
        for route in self.routes:
            if all_match(route.matchers, labels):
                return (self, *route.path(labels))
        return (self,)

    def find(self, labels: Mapping[str, str]) -> "Route":
        """The route that decides, with the mode it has from above."""
        *above, found = self.path(labels)
        mode = next((route.mode for route in reversed(above) if route.mode), None)
        return found.model_copy(update={"mode": mode}) if mode and found.mode is None else found

    @property
    def words(self) -> str:
        """How people are told which route it was."""
        return f"the route {', '.join(map(str, self.matchers))}" if self.matchers else "the default route"

    @property
    def monitors(self) -> bool:
        return self.mode is Mode.MONITOR

    @property
    def groups(self) -> bool:
        """Whether anything is grouped here or below."""
        return bool(self.group_by) or any(route.groups for route in self.routes)

    def counts_without_groups(self, grouped: bool = False) -> bool:
        """Whether here or below a `threshold` counts the signals of no group."""
        grouped = grouped if self.group_by is None else bool(self.group_by)
        return (not grouped and (self.threshold or 1) > 1) or any(r.counts_without_groups(grouped) for r in self.routes)


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


def _heartbeat(every: timedelta) -> timedelta:
    if not timedelta(minutes=1) <= every <= timedelta(hours=1):
        raise ValueError(f"{format_duration(every)} between heartbeats: use 1m to 1h (its alarm waits for three)")
    return every


HeartbeatInterval = Annotated[Duration, AfterValidator(_heartbeat)]


class Routing(_Strict):
    route: Route = Field(default_factory=_default_route)
    rules: Rules = ()
    link_window: Duration = timedelta(minutes=30)
    inhibit_rules: tuple[InhibitRule, ...] = ()
    storm: Storm | None = Field(default_factory=Storm)
    flapping: Flapping | None = Field(default_factory=Flapping)
    recovery: Recovery = Field(default_factory=Recovery)
    repeat_interval: Duration = timedelta(minutes=5)
    reopen_window: Duration = timedelta(minutes=15)
    triage_timeout: Duration = timedelta(seconds=60)
    ack_timeout: Duration = timedelta(minutes=30)
    maintenance: tuple[Maintenance, ...] = ()
    redaction: Redaction = Field(default_factory=Redaction)
    heartbeat: HeartbeatInterval = timedelta(minutes=5)

    @model_validator(mode="after")
    def _a_threshold_counts_a_group(self) -> "Routing":
        if self.route.counts_without_groups():
            raise ValueError("a threshold counts the signals of one group: give its route, or one above it, a group_by")
        return self

    def ack_timeout_of(self, labels: Mapping[str, str], *, receiver: str | None) -> timedelta:
        """After how long an acknowledged incident nobody works on is paged again; zero: never, and so for tickets.

        `receiver` is the one a rule chose, if one did.
        """
        route = self.route.find(labels)
        if (receiver or route.receiver) != "page" or route.monitors:
            return timedelta(0)
        return self.ack_timeout if route.ack_timeout is None else route.ack_timeout
