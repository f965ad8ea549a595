"""Alarms that fire and that nobody told us about: before the deployment, or with an event that got lost.

Each is put into the ingest queue as the state change CloudWatch would have sent, so there is one way in.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Protocol

from incidentio.aws.observability import log, told
from incidentio.core.alarm import Alarm
from incidentio.core.attachment import ATTACHED, INVOKED, Attachment
from incidentio.core.errors import IncidentioError, NotFound, Unavailable
from incidentio.core.ids import iso
from incidentio.core.members import pointer_key
from incidentio.core.ports import Refused, Table, Update
from incidentio.core.signal import Mode, SignalState

_AT_ONCE = 100
_TOLERANCE = timedelta(seconds=2)
"""An alarm's own account of when it changed and the one in its event may differ by less than this."""


_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Alarms(Protocol):
    """Where alarms are looked up."""

    def firing(self) -> Iterable[Alarm]:
        """Those in ALARM now."""

    def is_muted(self, name: str) -> bool:
        """Whether a mute rule keeps its actions from running now.

        Raises: Forbidden, Unavailable.
        """


class Queue(Protocol):
    """The ingest queue."""

    def send_all(self, bodies: Sequence[str]) -> None:
        """Raises: when some were not taken."""


class Reconciliation:
    """Compares what fires with what we know."""

    def __init__(
        self, table: Table, alarms: Alarms, queue: Queue, attachment: Attachment, *, topic_arn: str, function_arn: str
    ) -> None:
        self._table = table
        self._alarms = alarms
        self._queue = queue
        self._attachment = attachment
        self._topic_arn = topic_arn
        self._function_arn = function_arn

    def run(self) -> int:
        """Send what is missing; returns how many alarms that were.

        Raises:
            Unavailable: some could not be compared, after all the others were sent.
        """
        ours = (alarm for alarm in self._alarms.firing() if not self._attachment.ignored(alarm.name))
        sent = failed = 0
        ended: dict[str, datetime | None] = {}
        for some in _batches(ours):
            keys = {pointer_key(alarm.arn): alarm for alarm in some}
            known = self._table.get_many(list(keys))
            missing = []
            for key, alarm in keys.items():
                try:
                    missing += [alarm] if self._is_missing(alarm, known.get(key), ended) else []
                except Unavailable:
                    raise
                except Exception as error:  # noqa: BLE001 - one alarm never hides the others
                    failed += 1
                    log("not compared", level="ERROR", key=key.pk, **told(error))
            if missing:
                self._queue.send_all([json.dumps(self._state_change(alarm)) for alarm in missing])
            sent += len(missing)
        if failed:
            raise Unavailable(f"{failed} alarm(s) could not be compared with what is known")
        return sent

    def _is_missing(self, alarm: Alarm, pointer: Mapping[str, Any] | None, ended: dict[str, datetime | None]) -> bool:
        if pointer is None or "fence" not in pointer:
            return True
        if pointer.get("inhibited") and pointer.get("state") == SignalState.FIRING:
            return True  # whether what inhibits it still fires is looked at by whoever takes it in
        fence = datetime.fromisoformat(pointer["fence"])
        if pointer.get("open") and pointer.get("state") == SignalState.FIRING:
            # It may have been attached, tagged, or named in the catalogue since.
            live_by_now = pointer.get("mode") == Mode.MONITOR and self._mode(alarm)[0] is Mode.LIVE
            return self._is_swallowed(alarm, pointer, ended) or live_by_now
        return alarm.changed_at > fence + _TOLERANCE

    def _is_swallowed(self, alarm: Alarm, pointer: Mapping[str, Any], ended: dict[str, datetime | None]) -> bool:
        """The pointer says open and its incident was over before the alarm fired: set it right, then tell."""
        incident_id = pointer["incident_id"]
        if incident_id not in ended:
            ended[incident_id] = self._ended_at(incident_id)
        at = ended[incident_id]
        if at is None or alarm.changed_at <= at + _TOLERANCE:
            return False
        guard = {"incident_id": incident_id, "fence": pointer["fence"]}
        try:
            self._table.write(Update(pointer_key(alarm.arn), {"open": False, "fence": iso(at)}, when=guard))
        except Refused:
            return False
        return True

    def _ended_at(self, incident_id: str) -> datetime | None:
        try:
            return self._table.incident(incident_id).resolved_at
        except NotFound:
            return _LONG_AGO

    def _state_change(self, alarm: Alarm) -> dict[str, Any]:
        """The event's shape, with the mode beside it, which an event from a bus cannot have."""
        mode, reason = self._mode(alarm)
        _, _, _, region, account, _ = alarm.arn.split(":", 5)
        metric = {"namespace": alarm.namespace, "name": alarm.metric, "dimensions": dict(alarm.dimensions)}
        return {
            "version": "0",
            "detail-type": "CloudWatch Alarm State Change",
            "source": "aws.cloudwatch",
            "account": account,
            "region": region,
            "time": iso(alarm.changed_at),
            "resources": [alarm.arn],
            "incidentio": {"mode": mode.value, "reason": reason},
            "detail": {
                "alarmName": alarm.name,
                "state": {
                    "value": "ALARM",
                    "reason": alarm.reason,
                    "timestamp": iso(alarm.changed_at),
                    **({"reasonData": alarm.reason_data} if alarm.reason_data else {}),
                },
                "configuration": {"metrics": [{"metricStat": {"metric": metric}}] if alarm.metric else []},
            },
        }

    def _mode(self, alarm: Alarm) -> tuple[Mode, str]:
        mode, reason = self._mode_unless_muted(alarm)
        muted = mode is Mode.LIVE and self._is_muted(alarm)
        return (Mode.MONITOR, "a mute rule is active") if muted else (mode, reason)

    def _is_muted(self, alarm: Alarm) -> bool:
        """Where that can't be asked, somebody is told rather than nobody."""
        try:
            return self._alarms.is_muted(alarm.name)
        except IncidentioError as error:
            log("not known whether it is muted", level="WARNING", alarm=alarm.arn, **told(error))
            return False

    def _mode_unless_muted(self, alarm: Alarm) -> tuple[Mode, str]:
        if not alarm.actions_enabled:
            return Mode.MONITOR, "its actions are disabled"
        if alarm.suppressed_by:
            return Mode.MONITOR, f"its actions are suppressed ({alarm.suppressed_by})"
        if self._topic_arn in alarm.actions:
            return Mode.LIVE, ATTACHED
        if any(self._function_arn in (action, action.rpartition(":")[0]) for action in alarm.actions):
            return Mode.LIVE, INVOKED
        return self._attachment.of_event(alarm_name=alarm.name, alarm_arn=alarm.arn, tags={})


def _batches(alarms: Iterable[Alarm]) -> Iterator[list[Alarm]]:
    rest = iter(alarms)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
