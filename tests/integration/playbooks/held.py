"""Somebody held to exactly the IAM actions given, by name, whatever the emulator checks of its own."""

from collections.abc import Sequence
from typing import Any

from incidentio.core.errors import Forbidden
from incidentio.mitigate.actions import Statement
from incidentio.mitigate.actions.action import Call
from tests.integration.playbooks.iam_names import needed


class Held:
    """An actions' port that also remembers what it `used`: IAM actions in lower case.

    The emulator checks some calls under another name, and an estate that answers a service itself checks none.
    """

    def __init__(self, call: Call, rights: Sequence[Statement]) -> None:
        self._call = call
        self._may = {action.lower() for statement in rights for action in statement.actions}
        self.used: set[str] = set()

    def __call__(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        wanted = needed(service, operation, parameters)
        self.used |= wanted
        if missing := sorted(wanted - self._may):
            raise Forbidden(f"{service} {operation}: AccessDenied ({', '.join(missing)})")
        return self._call(service, operation, **parameters)
