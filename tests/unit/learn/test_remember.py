"""An incident that is over leaves one record, whatever is told how often."""

from incidentio.core import lifecycle
from incidentio.core.amend import amend
from incidentio.core.ended import ended_on
from incidentio.core.memory import MemoryTable
from incidentio.core.signal import Kind
from incidentio.learn.remember import remember
from tests.make import ALICE, NOW, opened

ID = "INC-7K3F9A"


def test_nothing_is_kept_while_it_is_open_and_one_record_afterwards() -> None:
    table = MemoryTable()
    table.commit(opened())
    remember(ID, table=table)
    assert list(ended_on(table, NOW.date())) == []
    amend(table, ID, lambda i: lifecycle.cancel(i, actor=ALICE, at=NOW, reason="false_positive"))
    remember(ID, table=table)
    remember(ID, table=table)
    (kept,) = ended_on(table, NOW.date())
    assert (kept.id, kept.status, kept.reason) == (ID, "cancelled", "false_positive")


def test_drills_do_not_count() -> None:
    table = MemoryTable()
    table.commit(opened(kind=Kind.DRILL))
    amend(table, ID, lambda i: lifecycle.resolve(i, actor=ALICE, at=NOW))
    remember(ID, table=table)
    assert list(ended_on(table, NOW.date())) == []
