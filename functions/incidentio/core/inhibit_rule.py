"""One of `inhibit_rules:` in `routing.yaml`; `core.inhibition` says what it holds back.

Source: https://prometheus.io/docs/alerting/latest/configuration/#inhibition-related-settings
"""

from pydantic import ConfigDict, Field

from incidentio.core.authored import Authored
from incidentio.core.matchers import MatcherField
from incidentio.core.signal import Mode


class InhibitRule(Authored):
    """One of `inhibit_rules:`. A label that is missing equals an empty one.

    In `mode: monitor` the target is told of as usual, and its timeline shows what would have been.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    source_matchers: tuple[MatcherField, ...] = Field(min_length=1)
    target_matchers: tuple[MatcherField, ...] = Field(min_length=1)
    equal: tuple[str, ...] = ()
    mode: Mode = Mode.LIVE

    @property
    def monitors(self) -> bool:
        return self.mode is Mode.MONITOR

    def __str__(self) -> str:
        source, target = (", ".join(map(str, m)) for m in (self.source_matchers, self.target_matchers))
        return f"{source} inhibits {target}" + (f" of equal {', '.join(self.equal)}" if self.equal else "")
