"""Messages of one dedup key, gathered: what repeats in a batch is written once, in the order things happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from incidentio.core.severity import Severity, worst
from incidentio.core.signal import Mode, Signal, SignalState
from incidentio.ingest.observation import Observation


@dataclass(frozen=True, slots=True)
class Received:
    """One readable message."""

    message_id: str
    observation: Observation


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive messages of one key that say the same state, oldest state change first."""

    messages: Sequence[Received]

    @property
    def dedup_key(self) -> str:
        return self.messages[0].observation.dedup_key

    @property
    def state(self) -> SignalState:
        return self.messages[0].observation.state

    @property
    def changed_at(self) -> str:
        """The newest state change."""
        return self.messages[-1].observation.changed_at

    @property
    def began_at(self) -> str:
        """The oldest state change."""
        return self.messages[0].observation.changed_at

    @property
    def mode(self) -> Mode:
        return self._leading.observation.mode

    @property
    def severity(self) -> Severity | None:
        """The worst that any of them says."""
        said = [message.observation.severity for message in self.messages if message.observation.severity]
        return worst(said) if said else None

    @property
    def count(self) -> int:
        return len(self.messages)

    @property
    def correlation_id(self) -> str:
        return self.messages[0].message_id

    def signal(self, received_at: datetime) -> Signal:
        """The newest message's signal (a live one's, if any is), with the worst severity and the earliest start."""
        signals = [m.observation.build(received_at) for m in self.messages]
        leading = signals[self.messages.index(self._leading)]
        starts = [s.impact_started_at for s in signals if s.impact_started_at]
        told = {
            "changed_at": max(s.changed_at for s in signals),
            "impact_started_at": min(starts, default=None),
            "severity": worst(s.severity for s in signals if s.severity) if any(s.severity for s in signals) else None,
        }
        return leading.model_copy(update=told)

    @property
    def _leading(self) -> Received:
        live = [m for m in self.messages if m.observation.mode is Mode.LIVE]
        return (live or self.messages)[-1]


def runs(messages: Iterable[Received]) -> list[Run]:
    """The messages of one key, in order of state change; equal times stay in order of arrival."""
    ordered = sorted(messages, key=lambda m: m.observation.changed_at)
    found: list[list[Received]] = []
    for message in ordered:
        if found and found[-1][-1].observation.state is message.observation.state:
            found[-1].append(message)
        else:
            found.append([message])
    return [Run(messages) for messages in found]
