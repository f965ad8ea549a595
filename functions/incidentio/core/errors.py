"""Every error incidentio raises on purpose, by meaning.

Adapters translate what AWS says into these; the API maps each class to one HTTP status
and the CLI to one line. Nothing decides by message text.
"""

from typing import Any, ClassVar


class IncidentioError(Exception):
    """Root of the tree. `details` is JSON-ready and safe to show to the caller."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInput(IncidentioError):
    """The request or document is wrong: the message says what, where, and what would be right."""

    code = "invalid_input"


class TooLarge(InvalidInput):
    """A text or body is over its limit; `details` holds `limit` and `actual` (characters or bytes)."""

    code = "too_large"


class NotFound(IncidentioError):
    """The named thing does not exist; `details` may hold the valid names."""

    code = "not_found"


class Forbidden(IncidentioError):
    """The caller is known and may not do this (for example: approving one's own request)."""

    code = "forbidden"


class Conflict(IncidentioError):
    """The request is well formed and does not fit the present state."""

    code = "conflict"


class IllegalTransition(Conflict):
    """A status change the lifecycle does not have; `details`: `status`, `version`, `legal`."""

    code = "illegal_transition"


class VersionConflict(Conflict):
    """`If-Match` names a version that is no longer current; `details`: `expected`, `version`."""

    code = "version_conflict"


class Damaged(Conflict):
    """What is stored is not what was written; `details`: `readable`, how many timeline entries come before it."""

    code = "damaged"


class Gone(IncidentioError):
    """It existed, was used or has expired, and will not come back (a decided approval)."""

    code = "gone"


class Unavailable(IncidentioError):
    """A dependency failed or throttled; trying again later may succeed."""

    code = "unavailable"
