"""What communicate needs from the outside, besides the table."""

from collections.abc import Mapping
from typing import Protocol

from incidentio.communicate.pages import Channel


class Topics(Protocol):
    """The page, ticket and test topics."""

    def publish(self, channel: Channel, *, subject: str, body: str, attributes: Mapping[str, str]) -> str:
        """Hand one message over; returns the id the transport gave it.

        Raises:
            IncidentioError: it was not accepted, or nobody knows (Unavailable).
        """
