"""The real app over fakes, called with API Gateway proxy events."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from incidentio.api.app import create_app, handle
from incidentio.core.bundle import Bundle
from incidentio.core.incident import Incident
from incidentio.core.timeline import Entry
from tests.fakes import FakeArchive, FakeClock, FakeSecrets, FakeTable

ACCOUNT = "111122223333"

BUNDLE = Bundle.of(
    {
        "catalog": {
            "services": {
                "checkout": {"owner": "payments", "tier": 1, "depends_on": ["orders-db"]},
                "orders-db": {"owner": "data"},
            }
        },
        "playbooks": {
            "throttle-function": {
                "name": "throttle-function",
                "version": "1.2.0",
                "owner": "platform",
                "risk": "disruptive",
                "when": ['metric="ConcurrentExecutions"'],
                "parameters": {"limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}},
                "targets": {"type": "AWS::Lambda::Function"},
                "steps": [{"action": "set-reserved-concurrency", "with": {"value": "${limit}"}}],
            }
        },
    }
)


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def error(self) -> dict[str, Any]:
        assert set(self.body) == {"error"}, self.body
        assert set(self.body["error"]) == {"code", "message", "details"}
        return dict(self.body["error"])


class Caller:
    """One IAM user's hands on the API."""

    def __init__(self, world: "World", arn: str) -> None:
        self._world = world
        self.arn = arn

    def call(self, method: str, path: str, body: Any = None, *, raw: str | None = None, **headers: str) -> Answer:
        url = urlsplit(path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        event = {
            "resource": "/{proxy+}",
            "path": url.path,
            "httpMethod": method,
            "headers": sent,
            "multiValueHeaders": {k: [v] for k, v in sent.items()},
            "queryStringParameters": query or None,
            "multiValueQueryStringParameters": {k: [v] for k, v in query.items()} or None,
            "pathParameters": {"proxy": url.path.lstrip("/")},
            "stageVariables": None,
            "requestContext": {
                "requestId": "req-1",
                "stage": "v1",
                "path": f"/v1{url.path}",
                "accountId": ACCOUNT,
                "identity": {"userArn": self.arn, "sourceIp": "198.51.100.7"},
            },
            "body": raw if raw is not None else None if body is None else json.dumps(body),
            "isBase64Encoded": False,
        }
        answer = handle(self._world.app, event, None)
        headers_back = {name.lower(): values[0] for name, values in answer["multiValueHeaders"].items()}
        return Answer(answer["statusCode"], json.loads(answer["body"]), headers_back)

    def get(self, path: str) -> dict[str, Any]:
        return self._ok(self.call("GET", path))

    def post(self, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        return self._ok(self.call("POST", path, body, **headers))

    def patch(self, path: str, body: Any, **headers: str) -> dict[str, Any]:
        return self._ok(self.call("PATCH", path, body, **headers))

    @staticmethod
    def _ok(answer: Answer) -> dict[str, Any]:
        assert answer.status < 300, answer
        return answer.body


class World:
    def __init__(self, bundle: Bundle = BUNDLE) -> None:
        self.table = FakeTable()
        self.archive = FakeArchive()
        self.secrets = FakeSecrets()
        self.clock = FakeClock()
        self.defects: list[tuple[str, Exception]] = []
        self.app = create_app(
            table=self.table,
            archive=self.archive,
            secrets=self.secrets,
            bundle=bundle,
            clock=self.clock,
            account=ACCOUNT,
            region="eu-central-1",
            retention_days=30,
            unexpected=lambda correlation_id, error: self.defects.append((correlation_id, error)),
        )
        self.alice = self.person("alice")
        self.bob = self.person("bob")

    def person(self, name: str) -> Caller:
        return Caller(self, f"arn:aws:iam::{ACCOUNT}:user/{name}")

    def opened(self, **fields: Any) -> str:
        """The id of a new incident."""
        return str(self.alice.post("/incidents", {"title": "checkout 5xx", **fields})["id"])

    def stored(self, incident_id: str) -> Incident:
        return self.table.incidents[incident_id]

    def last(self, incident_id: str) -> Entry:
        return self.table.entries[incident_id][-1]


@pytest.fixture
def world() -> World:
    return World()
