"""One request: who sends it, what it says, and 202 only when all of it is in the queue."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from incidentio.aws.observability import log, told
from incidentio.core.errors import IncidentioError
from incidentio.core.integration import PATHS, Integration, Integrations, SigningSecrets
from incidentio.ingest.http import alertmanager, pagerduty, signals
from incidentio.ingest.http.outgoing import Taken
from incidentio.ingest.http.refusal import Refusal, malformed
from incidentio.ingest.http.request import Request, request_of
from incidentio.ingest.http.sender import sender
from incidentio.ingest.http.signature import require_signature
from incidentio.ingest.observation import Unreadable

_TAKE = {PATHS["pagerduty"]: pagerduty.take, PATHS["alertmanager"]: alertmanager.take, PATHS["signals"]: signals.take}
_AGAIN = Refusal(503, "unavailable", "not everything was taken: send the same again, what was taken counts once")


class Queue(Protocol):
    """Where what is taken goes."""

    def send_all(self, bodies: Sequence[str]) -> None:
        """Raises: when not all were taken."""


@dataclass
class Door:
    """Handles requests; `counts` says what became of them since it was last read."""

    integrations: Integrations
    secrets: SigningSecrets
    queue: Queue
    clock: Callable[[], datetime]
    counts: Counter[str] = field(default_factory=Counter)
    _used: dict[str, str] = field(default_factory=dict)

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one API Gateway event; nothing a sender sends makes this raise."""
        route = str(event.get("resource") or "")
        integration = None
        try:
            request = request_of(event)
            integration = self._proved(request)
            taken = self._taken(request, integration)
            self.queue.send_all(taken.messages)
        except Refusal as refusal:
            return self._refuse(route, refusal, integration)
        except RecursionError:
            return self._refuse(route, malformed("the body is nested too deeply"), integration)
        except IncidentioError as error:
            log("the door cannot take it", level="ERROR", route=route, **told(error))
            return self._refuse(route, _AGAIN, integration)
        self.counts["requests_taken"] += 1
        self.counts["signals_taken"] += len(taken.messages)
        log("taken", route=route, integration=integration.name, messages=len(taken.messages), correlation_id=request.id)
        if taken.left_out > 0:
            self.counts["signals_left_out"] += taken.left_out
            log("the sender left alerts out", level="WARNING", integration=integration.name, left_out=taken.left_out)
        self._remember_use(integration)
        return _answer(202, taken.answer)

    def _proved(self, request: Request) -> Integration:
        integration = sender(request, self.integrations)
        if integration.signed:
            secrets = [each.secret for each in self.secrets.get(integration.name)]
            require_signature(request, secrets, self.clock())
        return integration

    def _taken(self, request: Request, integration: Integration) -> Taken:
        try:
            return _TAKE[request.route](request, integration, self.clock())
        except Unreadable as unreadable:
            raise malformed(unreadable.message) from None

    def _refuse(self, route: str, refusal: Refusal, integration: Integration | None) -> dict[str, Any]:
        """Counted and logged by reason; what was sent is in neither."""
        self.counts[f"refused_{refusal.reason}"] += 1
        name = integration.name if integration else None
        log("refused", level="WARNING", route=route, reason=refusal.reason, integration=name, status=refusal.status)
        if route == PATHS["pagerduty"]:
            return _answer(*pagerduty.refused(refusal))
        error = {"code": refusal.reason, "message": refusal.problems[0], "details": {"problems": refusal.problems}}
        return _answer(refusal.status, {"error": error})

    def _remember_use(self, integration: Integration) -> None:
        """The day, once a day and process; what was taken stays taken if that fails."""
        day = _day(self.clock())
        if self._used.get(integration.name) == day:
            return
        try:
            self.integrations.used(integration.name, day)
        except IncidentioError as error:
            log("the day of use was not written", level="WARNING", integration=integration.name, **told(error))
        else:
            self._used[integration.name] = day


def _answer(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", **({"retry-after": "5"} if status >= 500 else {})},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def _day(at: datetime) -> str:
    return at.date().isoformat()
