"""What a team writes in YAML, as models: services, routing and the waits. All of it may be empty.

The validated catalogue and the playbooks travel in the Lambda asset as one document
(`Bundle`), so reading configuration costs nothing on the hot path and is versioned with the code.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from incidentio.core.reach import Rate, Reach
from incidentio.core.routing import Routing
from incidentio.core.signal import Subject

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class ServiceMatch(_Strict):
    """What belongs to the service: an alarm or a resource that any pattern matches, or whose tags are all of these.

    `resources` are compared with whole ARNs and with the names they end in.
    """

    alarm_names: tuple[str, ...] = ()
    alarm_arns: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)

    def why(
        self, *, tags: Mapping[str, str], alarm_name: str = "", alarm_arn: str = "", resources: Sequence[str] = ()
    ) -> str | None:
        """Which condition matched, as a sentence part; None when none did. Patterns are shell globs."""
        for pattern in self.alarm_names:
            if alarm_name and fnmatchcase(alarm_name, pattern):
                return f"alarm name matches {pattern}"
        for pattern in self.alarm_arns:
            if alarm_arn and fnmatchcase(alarm_arn, pattern):
                return f"alarm ARN matches {pattern}"
        for pattern in self.resources:
            if any(
                fnmatchcase(part, pattern) for resource in resources for part in (resource, resource_name(resource))
            ):
                return f"resource matches {pattern}"
        if self.tags and all(tags.get(k) == v for k, v in self.tags.items()):
            return "tags match " + ", ".join(f"{k}={v}" for k, v in sorted(self.tags.items()))
        return None


def resource_name(resource: str) -> str:
    """What an ARN ends in: the name of a function, a service, a stack; a plain name is itself."""
    return resource.rpartition("/")[2].rpartition(":")[2]


class Impact(_Strict):
    users: int | None = Field(default=None, ge=0)
    revenue_per_minute: Rate | None = None


class Automation(_Strict):
    """`auto`: playbooks that may start by themselves (`safe` and `read_only` only). `propose`: globs of those shown.

    `only_allowed`: for this service, playbooks change only what carries the tag `incidentio:automation` = `allowed`.
    """

    auto: tuple[str, ...] = ()
    propose: tuple[str, ...] = ("*",)
    only_allowed: bool = False


class Service(_Strict):
    owner: str = ""
    environment: str = "production"
    tier: int | None = Field(default=None, ge=1, le=5)
    depends_on: tuple[Name, ...] = ()
    match: ServiceMatch = Field(default_factory=ServiceMatch)
    impact: Impact = Field(default_factory=Impact)
    automation: Automation = Field(default_factory=Automation)
    runbook: str = ""


class Catalog(_Strict):
    """`services.yaml` and `routing.yaml` of `infra/catalog/`."""

    services: dict[Name, Service] = Field(default_factory=dict)
    routing: Routing = Field(default_factory=Routing)

    @model_validator(mode="after")
    def _dependencies_exist(self) -> "Catalog":
        for name, service in self.services.items():
            for other in service.depends_on:
                if other not in self.services:
                    raise ValueError(
                        f"service {name} depends on {other}, which is not in the catalogue: "
                        f"known are {', '.join(sorted(self.services))}"
                    )
        return self

    def owner_of(self, resources: Sequence[str], tags: Mapping[str, str]) -> tuple[str, str] | None:
        """The first service that any of `resources` or the `tags` belong to, and why."""
        for name, service in self.services.items():
            if why := service.match.why(resources=resources, tags=tags):
                return name, why
        return None

    def services_of(self, names: Sequence[str]) -> list[str]:
        """Every service whose `match.resources` names one of these resources. By name alone."""
        return [name for name, service in self.services.items() if service.match.why(resources=names, tags={})]

    def service_of(self, subject: Subject, tags: Mapping[str, str]) -> str | None:
        """The service a signal belongs to: by its own tag, by the catalogue, by the tag that others use too."""
        if named := tags.get("incidentio:service"):
            return named
        for name, service in self.services.items():
            if service.match.why(
                alarm_name=subject.alarm_name, alarm_arn=subject.alarm_arn, resources=subject.resources, tags=tags
            ):
                return name
        return tags.get("service")

    def reach_of(self, services: Iterable[str]) -> Reach:
        """Of the people the largest number, as the same ones use several services; the money of all of them."""
        impacts = [self.services[name].impact for name in services if name in self.services]
        rates: dict[str, Decimal] = {}
        for impact in impacts:
            if impact.revenue_per_minute:
                amount, currency = impact.revenue_per_minute.split()
                rates[currency] = rates.get(currency, Decimal(0)) + Decimal(amount)
        return Reach(max((i.users for i in impacts if i.users is not None), default=None), rates)

    def downstream_of(self, service: str) -> tuple[str, ...]:
        """Services that depend on `service`, directly or through others: its blast radius, sorted."""
        found: set[str] = set()
        frontier = {service}
        while frontier:
            frontier = {n for n, s in self.services.items() if frontier & set(s.depends_on)} - found - {service}
            found |= frontier
        return tuple(sorted(found))

    def upstream_of(self, service: str) -> tuple[str, ...]:
        """What `service` depends on, directly or through others, the nearest first."""
        found: dict[str, None] = {}
        frontier = [service]
        while frontier:
            named = [other for name in frontier if name in self.services for other in self.services[name].depends_on]
            frontier = [other for other in dict.fromkeys(named) if other not in found and other != service]
            found.update(dict.fromkeys(frontier))
        return tuple(found)

    def relation(self, service: str | None, other: str | None) -> str | None:
        """How two services hang together, as a sentence part; None when they do not, or are the same."""
        if not service or not other or service == other:
            return None
        if other in self.upstream_of(service):
            return f"{service} depends on {other}"
        return f"{other} depends on {service}" if service in self.upstream_of(other) else None


BUNDLE_PATH = Path(__file__).parent.parent / "bundle.json"
"""The one document in the asset: `core.bundle` reads it with its playbooks."""


@cache
def load_catalog(path: Path = BUNDLE_PATH) -> Catalog:
    """The catalogue of this deployment, read once per process; the empty defaults where none was built."""
    return Catalog.model_validate(json.loads(path.read_bytes()).get("catalog") or {}) if path.exists() else Catalog()
