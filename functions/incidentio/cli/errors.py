"""What can go wrong with a command."""

from collections.abc import Mapping
from typing import Any

from incidentio.core.errors import IncidentioError


class NoDeploymentError(IncidentioError):
    """No deployment was found; the message says where was looked and what to pass."""

    code = "no_deployment"


class NoRegionError(NoDeploymentError):
    """Nothing says which AWS Region is meant."""


class CallRefusedError(IncidentioError):
    """The API refused the call: its own code, HTTP status and message, on one line."""

    def __init__(self, message: str, *, status: int, error_code: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details = dict(details or {})
        self.status = status
        self.error_code = error_code


class UnreachableError(IncidentioError):
    """The API did not answer, or not with something that can be read."""

    code = "unreachable"
