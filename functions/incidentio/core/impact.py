"""Whom an incident hits and what it costs: an estimate from the catalogue, until a person says what it was.

People: the largest number among the service and those that depend on it. The same people use several of them, so adding
up would count them twice. Money: minutes of impact times the revenue per minute of all of them, by currency.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from incidentio.core.catalog import Catalog, Impact
from incidentio.core.incident import Incident

Source = Literal["catalogue", "person", "unknown"]


class Estimate(BaseModel):
    """`minutes` of impact so far, or in all. `revenue` and `revenue_per_minute` are like `720 EUR`; "" is not known."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    minutes: float
    users: int | None
    users_by: Source
    revenue: str
    revenue_per_minute: str
    revenue_by: Source
    services: Annotated[tuple[str, ...], Field(description="Whose numbers these are.")] = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def sentence(self) -> str:
        """`up to 40000 users; about 720 EUR at risk so far`, or nothing."""
        said = {"catalogue": ("up to ", "about ", " at risk"), "person": ("", "", " lost")}
        parts = []
        if self.users is not None and self.users_by != "unknown":
            parts.append(f"{said[self.users_by][0]}{self.users} users")
        if self.revenue and self.revenue_by != "unknown":
            _, about, lost = said[self.revenue_by]
            rate = f" ({self.revenue_per_minute} a minute)" if self.revenue_by == "catalogue" else ""
            parts.append(f"{about}{self.revenue}{lost}{rate}")
        return "; ".join(parts)


def estimate(incident: Incident, catalog: Catalog, at: datetime) -> Estimate:
    """As of `at`, or of the end of impact. What a person said stands, whatever the catalogue says."""
    ended = incident.mitigated_at or incident.resolved_at or at
    minutes = max(0.0, round((ended - incident.impact_started_at).total_seconds() / 60, 1))
    hit = [name for name in (incident.service or "", *incident.blast_radius) if name in catalog.services]
    reach = catalog.reach_of(hit)
    lost = {currency: rate * Decimal(str(minutes)) for currency, rate in reach.rates.items()}
    said = incident.impact
    said_users, said_revenue = (said.users, said.revenue) if said else (None, None)
    return Estimate(
        minutes=minutes,
        users=reach.users if said_users is None else said_users,
        users_by="person" if said_users is not None else "catalogue" if reach.users is not None else "unknown",
        revenue=said_revenue or _money(lost),
        revenue_per_minute=_money(reach.rates),
        revenue_by="person" if said_revenue else "catalogue" if reach.rates else "unknown",
        services=tuple(name for name in hit if catalog.services[name].impact != Impact()),
    )


def _money(amounts: Mapping[str, Decimal]) -> str:
    return " + ".join(f"{amount.quantize(Decimal('0.01')).normalize():f} {c}" for c, amount in sorted(amounts.items()))
