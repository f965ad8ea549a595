"""Flapping, for people: an incident that keeps coming and going calls twice, and then only when there is news."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from incidentio.communicate.pages import Page
from incidentio.core.incident import Incident, Status
from incidentio.core.severity import Severity

MOST_CALLS = 2
PATIENCE = timedelta(minutes=30)


def enough_for_now(
    incident: Incident, pages: Sequence[Page], services: Collection[str], *, within: timedelta, at: datetime
) -> datetime | None:
    """Until when a call may wait, if enough were made: of a flapping incident two, over all its episodes of impact.

    Those count that were made `within` that long before it was called flapping, or since.
    A worse severity than any that was called, or a service that no call named, is called all the same; so is what
    nobody has acknowledged for `PATIENCE` since the last call.
    """
    if incident.flapping_since is None:
        return None
    since = incident.flapping_since - within
    calls = [page for page in pages if page.call and page.published_at and page.published_at >= since]
    if len(calls) < MOST_CALLS:
        return None
    worse = all(incident.severity.is_worse_than(Severity(page.notice)) for page in calls)
    named = {name for page in calls for name in page.services}
    if worse or not named.issuperset(services):
        return None
    until = max(page.published_at for page in calls if page.published_at) + PATIENCE
    return until if at < until or incident.status is not Status.TRIGGERED else None
