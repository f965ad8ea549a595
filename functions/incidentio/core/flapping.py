"""Flapping: a signal that changes its state too often keeps one incident open, instead of a new one every time."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import ConfigDict, Field

from incidentio.core.authored import Authored
from incidentio.core.duration import Duration, format_duration
from incidentio.core.signal import Mode


class Flapping(Authored):
    """`flapping:` of `routing.yaml`: so many state changes of one signal `within`; over when quiet for `quiet_for`.

    In `mode: monitor` nothing is held open, and the timeline says once that it would have been.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    changes: int = Field(default=4, ge=2, le=20)
    within: Duration = timedelta(minutes=30)
    quiet_for: Duration = timedelta(minutes=30)
    mode: Mode = Mode.LIVE

    def __str__(self) -> str:
        return f"flapping: {self.changes} changes of state within {format_duration(self.within)}"

    @property
    def ends(self) -> str:
        return f"when it has been quiet for {format_duration(self.quiet_for)}"

    def recent(self, earlier: Iterable[int], at: datetime) -> list[int]:
        """The state changes that count once there was one more `at`, in seconds since 1970, the newest last.

        At most `changes` of them: that many mean flapping.
        """
        now = int(at.timestamp())
        return [*(t for t in earlier if t > now - self.within.total_seconds()), now][-self.changes :]

    def why(self, title: str) -> str:
        """The sentence of the entry."""
        return (
            f"{title} changed its state {self.changes} times within {format_duration(self.within)}: it flaps, "
            f"and does not recover before it was quiet for {format_duration(self.quiet_for)}{self.whose}"
        )
