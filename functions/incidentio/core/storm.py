"""Storm mode: above a rate of new live incidents one parent collects, and people are told through it.

The rate is one record: incidents in the present window of `within` and in the one before, of which as much counts as
the last `within` still covers. So a storm that straddles two windows is seen a little late, never twice. A window is
known by the second it begins at, so that one counted with another `within` is over as well.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import ConfigDict, Field

from incidentio.core.authored import Authored, by
from incidentio.core.duration import Duration, format_duration
from incidentio.core.errors import Unavailable
from incidentio.core.ports import ABSENT, Condition, Key, Put, Record, Records, Refused, Update
from incidentio.core.signal import Mode

RATE = Key("STORM", "RATE")
SOURCE = "storm"
"""Of the incident that collects."""
DEDUP_KEY = "incidentio:storm"
"""The storm is a signal of its parent: while it goes on, the parent does not recover."""
_TRIES = 4


class Storm(Authored):
    """`storm:` of `routing.yaml`: so many new live incidents `within`; over when below that for `quiet_for`.

    In `mode: monitor` each is told by itself, and its timeline says that it would not have been.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    opens: int = Field(default=50, ge=2)
    within: Duration = timedelta(minutes=5)
    quiet_for: Duration = timedelta(minutes=10)
    mode: Mode = Mode.LIVE

    def __str__(self) -> str:
        return f"storm: {self._many}"

    @property
    def ends(self) -> str:
        return f"when it has been below {self._many} for {format_duration(self.quiet_for)}"

    @property
    def _many(self) -> str:
        return f"{self.opens} live incidents within {format_duration(self.within)}"

    def rate(self, body: Mapping[str, Any] | None, now: datetime) -> float:
        """About how many opened in the last `within`, given the record."""
        if not body:
            return 0.0
        window, passed = self._window(now)
        if window <= int(body["window"]):  # a clock that is late sees what others counted as present
            return int(body["opens"]) + int(body["before"]) * (1 - passed)
        return int(body["opens"]) * (1 - passed) if int(body["window"]) == window - self._seconds else 0.0

    def counted(self, records: Records, opens: int, now: datetime) -> Mapping[str, Any]:
        """Count `opens` more: one plain update, two when a window begins. Returns the record afterwards.

        Raises:
            Unavailable: it was not counted.
        """
        window, _ = self._window(now)
        for _ in range(_TRIES):
            try:
                return records.add(RATE, {"opens": opens}, when={"window": window})
            except Refused as refused:
                stored = refused.current
            if stored is not None and int(stored["window"]) > window:
                window = int(stored["window"])
                continue
            before = int(stored["opens"]) if stored and int(stored["window"]) == window - self._seconds else 0
            begun = {"window": window, "opens": opens, "before": before}
            when: Condition = ABSENT if stored is None else {"window": stored["window"]}
            try:
                records.write(Update(RATE, begun, when=when))
            except Refused:
                continue
            return {**(stored or {}), **begun}
        raise Unavailable("the rate of new incidents is being counted by many at once")

    @property
    def _seconds(self) -> int:
        return int(self.within.total_seconds())

    def _window(self, now: datetime) -> tuple[int, float]:
        """The second at which the present window begins, and how much of it has passed."""
        number, rest = divmod(now.timestamp(), self._seconds)
        return int(number) * self._seconds, rest / self._seconds


def parent_of(body: Mapping[str, Any] | None) -> str | None:
    """The incident of the storm that goes on, by the record."""
    return (body or {}).get("parent") or None


def by_storm(storm: Storm | None) -> dict[str, Any]:
    """Whose rule tells of something through a storm, why, and until when; None where it is switched off meanwhile."""
    return by(storm, storm.ends if storm else "when the storm is over")


def child_write(parent: str, child: str) -> Put:
    """`child` is told through `parent`."""
    return Put(Record(Key(f"INC#{parent}", f"CHILD#{child}"), {"incident_id": child}))
