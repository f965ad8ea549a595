"""What the sweeper does each time: recovery, now and then reconciliation and a heartbeat, and a sign of life."""

from datetime import datetime, timedelta

from incidentio.aws.observability import log, told
from incidentio.core.errors import Unavailable
from incidentio.core.ids import iso
from incidentio.core.ports import Clock, Key, Put, Record, Table
from incidentio.core.routing import Routing
from incidentio.detect.heartbeat import Queue, is_due, send_beat
from incidentio.detect.reconcile import Reconciliation
from incidentio.detect.recovery import recover
from incidentio.detect.storm import watch_storm

BEAT = Key("BEAT", "detect")


def sweep(
    table: Table, routing: Routing, reconciliation: Reconciliation, queue: Queue, *, every: timedelta, clock: Clock
) -> dict[str, int]:
    """Counts of what was done.

    Raises:
        Unavailable: something could not be done, after everything else was; the next sweep tries it again.
    """
    now = clock()
    recovered, failed = recover(table, routing, now, clock)
    storms = 0
    try:
        storms = watch_storm(table, routing, now)
    except Exception as error:  # noqa: BLE001 - the next sweep looks again
        failed += 1
        log("the storm was not looked at", level="ERROR", **told(error))
    before = table.get(BEAT) or {}
    reconciled_at, heartbeat_at, missed = before.get("reconciled_at"), before.get("heartbeat_at"), 0
    if is_due(heartbeat_at, routing.heartbeat, now):
        try:
            send_beat(queue, now)
            heartbeat_at = iso(now)
        except Exception as error:  # noqa: BLE001 - the sign of life is written all the same
            failed += 1
            log("no heartbeat was sent", level="ERROR", **told(error))
    # Before what may take longer than the function has: thousands of alarms that fire at once are no dead sweeper.
    table.write(_sign(now, reconciled_at=reconciled_at, heartbeat_at=heartbeat_at))
    if reconciled_at is None or datetime.fromisoformat(reconciled_at) + every <= now:
        try:
            missed = reconciliation.run()
            table.write(_sign(now, reconciled_at=iso(now), heartbeat_at=heartbeat_at))
        except Exception as error:  # noqa: BLE001 - the next sweep tries again; what was sent is known by then
            failed += 1
            log("not reconciled", level="ERROR", **told(error))
        else:
            log("reconciled", missed=missed)
    if failed:
        raise Unavailable(f"{failed} parts of this sweep failed; the next one tries again")
    return {"recovered": recovered, "missed": missed, "storms_ended": storms}


def _sign(now: datetime, **done: str | None) -> Put:
    return Put(Record(BEAT, {"at": iso(now), **{name: at for name, at in done.items() if at}}))
