"""One delivery of the queue: each message is understood, ignored, given up with a reason, or handed back."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from incidentio.aws.observability import log, told
from incidentio.core.attachment import Attachment
from incidentio.core.ports import Clock
from incidentio.core.redaction import redact
from incidentio.ingest.intake import Intake
from incidentio.ingest.message import read
from incidentio.ingest.observation import Acknowledgement, Changed, Ignored, Observation, Released, Unreadable
from incidentio.ingest.run import Received, Run, runs


class DeadLetters(Protocol):
    """Where messages go that will never be understood."""

    def send(self, body: str, attributes: Mapping[str, str] | None = None) -> None:
        """Raises: when it was not taken."""


@dataclass
class Report:
    """`failed`: ids the queue shall deliver again. `counts`: messages by what became of them."""

    failed: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Batch:
    """Handles deliveries. One message never holds up another."""

    def __init__(self, intake: Intake, dead_letters: DeadLetters, attachment: Attachment, clock: Clock) -> None:
        self._intake = intake
        self._dead_letters = dead_letters
        self._attachment = attachment
        self._clock = clock

    def handle(self, records: Iterable[Mapping[str, Any]]) -> Report:
        """All messages of one delivery."""
        report = Report()
        by_key: dict[str, list[Received]] = {}
        acknowledgements: list[tuple[str, Acknowledgement]] = []
        now = self._clock()
        for record in records:
            message_id = record["messageId"]
            found = self._read(message_id, record["body"], report, now)
            if isinstance(found, Acknowledgement):
                acknowledgements.append((message_id, found))
                continue
            for one in self._released(found, message_id, report) if isinstance(found, Released) else (found,):
                if one is not None:
                    by_key.setdefault(one.dedup_key, []).append(Received(message_id, one))
        waiting = [deque(runs(messages)) for messages in by_key.values()]
        while waiting:
            self._take(waiting, report)
            waiting = [of_one_key for of_one_key in waiting if of_one_key]
        for message_id, acknowledgement in acknowledgements:
            self._acknowledge(message_id, acknowledgement, report)
        report.failed = list(dict.fromkeys(report.failed))
        return report

    def _read(
        self, message_id: str, body: str, report: Report, now: datetime
    ) -> Observation | Acknowledgement | Released | None:
        """What is left to do about a message once it is read: None where that is nothing."""
        try:
            found = read(body, attachment=self._attachment, now=now)
        except Unreadable as unreadable:
            self._give_up(message_id, body, unreadable, report)
            return None
        except Exception as error:  # noqa: BLE001 - a defect of ours: this message waits, the others go on
            self._hand_back([message_id], report, error)
            return None
        if isinstance(found, Changed):
            return found.signal if self._kept(found, message_id, report) else None
        if isinstance(found, Ignored):
            report.counts["ignored"] += 1
            log("ignored", why=found.why, message_id=message_id)
            return None
        return found

    def _released(self, found: Released, message_id: str, report: Report) -> Sequence[Observation]:
        """Signals that were inhibited, as signals of this delivery; if there are more, the message comes back."""
        try:
            observations, more = self._intake.released(found.incident_id)
        except Exception as error:  # noqa: BLE001 - whatever it was, the queue delivers it again
            self._hand_back([message_id], report, error)
            return ()
        report.failed += [message_id] if more else []
        log("released", incident_id=found.incident_id, signals=len(observations), more=more)
        return observations

    def _kept(self, found: Changed, message_id: str, report: Report) -> bool:
        """Whether the change is written: before its signal, so that triage of what failed finds what was changed."""
        try:
            self._intake.keep(found.record)
        except Exception as error:  # noqa: BLE001 - the queue delivers it again, and the same record is written once
            self._hand_back([message_id], report, error)
            return False
        report.counts["change"] += 1
        log("change", change_id=found.record.id, service=found.record.service, message_id=message_id)
        return True

    def _take(self, waiting: Sequence[deque[Run]], report: Report) -> None:
        """The first run of each key; a key whose run fails is handed back whole."""
        results = self._intake.take([of_one_key[0] for of_one_key in waiting])
        for of_one_key, result in zip(waiting, results, strict=True):
            if isinstance(result, Exception):
                self._hand_back([m.message_id for run in of_one_key for m in run.messages], report, result)
                of_one_key.clear()
                continue
            run = of_one_key.popleft()
            report.counts[result.step.value] += run.count
            log(
                result.step.value,
                incident_id=result.incident_id,
                correlation_id=run.correlation_id,
                state=run.state.value,
                mode=run.mode.value,
                messages=run.count,
            )

    def _acknowledge(self, message_id: str, given: Acknowledgement, report: Report) -> None:
        try:
            step, incident_id = self._intake.acknowledge(given)
        except Exception as error:  # noqa: BLE001 - whatever it was, the queue delivers it again
            self._hand_back([message_id], report, error)
            return
        report.counts[step.value] += 1
        log(step.value, incident_id=incident_id, correlation_id=message_id, integration=given.integration)

    def _hand_back(self, message_ids: Sequence[str], report: Report, error: Exception) -> None:
        report.failed += message_ids
        report.counts["failed"] += len(message_ids)
        log("failed, to be delivered again", level="ERROR", **told(error), messages=len(message_ids))

    def _give_up(self, message_id: str, body: str, why: Unreadable, report: Report) -> None:
        """To the dead letters with the reason, body as it came: whoever redrives it needs all of it."""
        reason = redact(why.message, limit=500)
        try:
            self._dead_letters.send(body, {"reason": reason, "message_id": message_id})
        except Exception as error:  # noqa: BLE001 - not lost: the queue keeps it
            report.failed.append(message_id)
            report.counts["failed"] += 1
            log("the dead-letter queue did not take it", level="ERROR", message_id=message_id, **told(error))
            return
        report.counts["poison"] += 1
        log("given up", level="WARNING", reason=reason, message_id=message_id)
