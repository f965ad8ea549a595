"""Silences, with Alertmanager's meaning: what matches between start and end is not told to anybody.

Source: https://prometheus.io/docs/alerting/latest/alertmanager/#silences
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict

from incidentio.core.matchers import Matcher, MatcherField
from incidentio.core.signal import Mode

_NOBODY_EXPECTS_THIS = "\N{WHITE HEXAGON}"


class Silence(BaseModel):
    """`everything`: it was said explicitly that it may match every incident. `ended_by` ended it before its time.

    In `mode: monitor` it holds nothing back, and what is told says that it would not have been.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    matchers: tuple[MatcherField, ...]
    everything: bool = False
    author: str
    comment: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    created_at: AwareDatetime
    ended_by: str | None = None
    mode: Mode = Mode.LIVE

    def state(self, at: datetime) -> str:
        """`pending`, `active` or `expired`."""
        if self.ended_by or at >= self.ends_at:
            return "expired"
        return "pending" if at < self.starts_at else "active"


def matches_anything(matchers: Iterable[Matcher]) -> bool:
    """Whether these would match an incident nobody knows anything about, or one with values nobody has ever seen.

    No matchers do, and so does `service=~".*"`, `team!="x"` or `kind=~".+"`: that is what people write by mistake.
    """
    every = tuple(matchers)
    unheard: Mapping[str, str] = {m.label: _NOBODY_EXPECTS_THIS for m in every}
    return all(m.matches({}) for m in every) or all(m.matches(unheard) for m in every)


def refuse_everything(matchers: Iterable[Matcher], *, everything: bool) -> None:
    """Raises ValueError when the matchers match anything and nobody said that this is meant."""
    every = tuple(matchers)
    if everything or not matches_anything(every):
        return
    said = f"the matchers {', '.join(map(str, every))} match" if every else "no matchers match"
    raise ValueError(f'{said} every incident: name what is meant, such as service="checkout", or say everything')
