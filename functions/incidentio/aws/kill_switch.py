"""The kill switch in SSM Parameter Store, for the night when our own API is down."""

from collections.abc import Callable
from typing import Any

from incidentio.aws.errors import translated


class ParameterKillSwitch:
    """Read anew each time it is asked: whoever sets it expects the next step to stop."""

    def __init__(self, client: Callable[[], Any], name: str) -> None:
        self._client = client
        self._name = name

    def value(self) -> str:
        """The parameter's text.

        Raises:
            NotFound: there is no such parameter. Forbidden, Unavailable: it cannot be read.
        """
        with translated(f"reading the parameter {self._name}"):
            answer = self._client().get_parameter(Name=self._name)
        return str(answer["Parameter"]["Value"])
