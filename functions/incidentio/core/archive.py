"""What is kept for good, as a port: postmortems, reviewed and locked, and the anchors of the audit chain.

`incidentio.aws.archive` implements it on a versioned bucket with Object Lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from incidentio.core.incident import Incident
from incidentio.core.ports import Key, Put, Record

RetentionMode = Literal["GOVERNANCE", "COMPLIANCE"]


@dataclass(frozen=True)
class Retention:
    """Until `until` nobody may delete or overwrite this version (GOVERNANCE: nobody without a special right)."""

    mode: RetentionMode
    until: datetime


class Archive(Protocol):
    def put(
        self, key: str, body: bytes, *, content_type: str, retention: Retention | None = None, once: bool = False
    ) -> str | None:
        """Store a version and return its id; with `once`, None when something is there already."""

    def get(self, key: str) -> bytes | None:
        """The newest version, or None."""


PENDING_ANCHORS = "ANCHORS"
TO_FILL_IN = "*To fill in"
"""How a line begins that the draft of a postmortem leaves to people; a reviewed one has none."""


def postmortem_prefix(incident: Incident) -> str:
    """`postmortems/<yyyy>/<mm>/<id>`: the month is the one it was detected in, and never moves."""
    return f"postmortems/{incident.detected_at:%Y/%m}/{incident.id}"


def anchor_key(hour: datetime) -> str:
    """The object that anchors every chain in that UTC hour."""
    return f"anchors/{hour:%Y/%m/%d/%H}.json"


def anchor_due(incident_id: str, at: datetime) -> Put:
    """Asks the next hourly anchor to name an incident that is no longer open, and so in no list of open ones."""
    body: Mapping[str, Any] = {"at": at.isoformat()}
    return Put(Record(Key(PENDING_ANCHORS, incident_id), body))
