"""What goes with the end of an incident, in the same transaction."""

from datetime import datetime

from incidentio.core.amend import Decision
from incidentio.core.archive import anchor_due
from incidentio.core.incident import Change
from incidentio.core.ports import Table


def ended(table: Table, change: Change, at: datetime) -> Decision:
    """The change, its signals' pointers closed, and its chain named by the next anchor."""
    return change, [anchor_due(change.incident.id, at)]
