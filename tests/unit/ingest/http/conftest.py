"""The door over fakes, with an integration of each kind, and ingest behind its queue."""

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from incidentio.core.errors import Unavailable
from incidentio.core.integration import PATHS, Integration, IntegrationKind, new_key
from incidentio.ingest.http.door import Door
from tests.fakes import FakeIntegrations, FakeSecrets
from tests.unit.ingest.doors import Desk


class Queue(list[str]):
    """What is taken; `broken` takes nothing."""

    broken = False

    def send_all(self, bodies: Sequence[str]) -> None:
        if self.broken:
            raise Unavailable("sending to a queue: InternalError")
        self.extend(bodies)


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any


@dataclass
class Yard:
    """`post` sends to the door; `delivered` lets ingest handle what is in the queue."""

    desk: Desk = field(default_factory=Desk)
    integrations: FakeIntegrations = field(default_factory=FakeIntegrations)
    secrets: FakeSecrets = field(default_factory=FakeSecrets)
    queue: Queue = field(default_factory=Queue)
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.door = Door(self.integrations, self.secrets, self.queue, self.desk.clock)

    def integration(self, kind: IntegrationKind, name: str | None = None, **fields: Any) -> str:
        """Make one; returns its key."""
        name = name or kind
        key, kept = new_key(name, at="2026-03-01T11:00:00.000Z", by="alice")
        self.integrations.kept[name] = Integration(
            name=name, kind=kind, keys=(kept,), created_at=kept.created_at, created_by="alice", **fields
        )
        self.keys[name] = key
        return key

    def post(
        self,
        kind: str,
        body: Any,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        base64: bool = False,
        key: str | None = "",
    ) -> Reply:
        """As API Gateway tells it. `key`: of the integration named like the kind unless given; None sends none."""
        raw = body if isinstance(body, (str, bytes)) else json.dumps(body)
        text = raw.decode("latin-1") if isinstance(raw, bytes) and not base64 else raw
        sent = {"Content-Type": "application/json", **(headers or {})}
        if key is not None:
            sent["Authorization"] = f"Bearer {key or self.keys[kind]}"
        event = {
            "resource": PATHS[kind],  # type: ignore[index]
            "path": PATHS[kind],  # type: ignore[index]
            "httpMethod": "POST",
            "headers": sent,
            "queryStringParameters": dict(query) if query else None,
            "requestContext": {"requestId": "req-1"},
            "body": b64encode(raw if isinstance(raw, bytes) else raw.encode()).decode() if base64 else text,
            "isBase64Encoded": base64,
        }
        answer = self.door.answer(event)
        return Reply(answer["statusCode"], json.loads(answer["body"]))

    def delivered(self) -> Mapping[str, int]:
        """What became of the messages in the queue."""
        report = self.desk(*self.queue)
        self.queue.clear()
        assert self.desk.dead_letters == []
        return report.counts

    def signals(self) -> list[dict[str, Any]]:
        """The signal of each message in the queue."""
        return [json.loads(body)["signal"] for body in self.queue]


@pytest.fixture
def yard() -> Yard:
    made = Yard()
    for kind in ("alertmanager", "pagerduty", "signals"):
        made.integration(kind)  # type: ignore[arg-type]
    return made
