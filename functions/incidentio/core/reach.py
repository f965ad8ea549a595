"""How much something carries, by the catalogue: people and money. What `impact` of a triage rule is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Rate = Annotated[str, Field(pattern=r"^\d+(\.\d+)? [A-Z]{3}$")]
"""Money a minute, such as `120 EUR`."""


@dataclass(frozen=True)
class Reach:
    """`users`: None is not known. `rates`: revenue per minute by currency; empty is not known."""

    users: int | None = None
    rates: Mapping[str, Decimal] = field(default_factory=dict)


class AtLeast(BaseModel):
    """Holds where one of the numbers is known and reached; what the catalogue does not say is not."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    users: int | None = Field(default=None, ge=1)
    revenue_per_minute: Rate | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.users is None and self.revenue_per_minute is None:
            raise ValueError("asks nothing: give users, revenue_per_minute, or both")
        return self

    def reached(self, reach: Reach) -> bool:
        if self.users is not None and reach.users is not None and reach.users >= self.users:
            return True
        if self.revenue_per_minute is None:
            return False
        amount, currency = self.revenue_per_minute.split()
        return reach.rates.get(currency, Decimal(-1)) >= Decimal(amount)
