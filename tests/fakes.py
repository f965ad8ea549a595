"""In-memory fakes of our own ports, with what only tests need: counted calls, a faster writer, a clock to move."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from incidentio.core.archive import Retention
from incidentio.core.incident import Change, Incident
from incidentio.core.integration import Integration, SigningSecret
from incidentio.core.memory import MemoryTable
from incidentio.core.ports import Condition, Key, Write
from incidentio.core.routing import Routing


class FakeClock:
    """Starts at a fixed UTC moment; `advance` moves it."""

    def __init__(self, start: datetime = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now


class FakeTable(MemoryTable):
    """`before_commit` callables run once each, before a commit looks at the state: a test's way to be the
    faster writer. `calls` counts what would be a request."""

    def __init__(self, routing: Routing | None = None) -> None:
        super().__init__(routing)
        self.before_commit: list[Any] = []
        self.calls = 0

    def types(self, incident_id: str) -> list[str]:
        return [entry.type for entry in self.entries.get(incident_id, [])]

    def incident(self, incident_id: str) -> Incident:
        self.calls += 1
        return super().incident(incident_id)

    def commit(self, change: Change, *writes: Write) -> None:
        self.calls += 1
        while self.before_commit:
            self.before_commit.pop(0)()
        super().commit(change, *writes)

    def get(self, key: Key) -> Mapping[str, Any] | None:
        self.calls += 1
        return super().get(key)

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Mapping[str, Any]]:
        self.calls += 1
        return super().get_many(keys)

    def query(
        self, pk: str, prefix: str = "", *, newest_first: bool = False, limit: int | None = None
    ) -> Iterable[tuple[Key, Mapping[str, Any]]]:
        self.calls += 1
        return super().query(pk, prefix, newest_first=newest_first, limit=limit)

    def write(self, *writes: Write) -> None:
        self.calls += 1
        super().write(*writes)

    def add(
        self, key: Key, counts: Mapping[str, int], *, sets: Mapping[str, Any] | None = None, when: Condition = None
    ) -> Mapping[str, Any]:
        self.calls += 1
        return super().add(key, counts, sets=sets, when=when)


class FakeArchive:
    """core.archive.Archive over a dict: `versions[key]` holds every version, `locks` what may not be deleted."""

    def __init__(self) -> None:
        self.versions: dict[str, list[bytes]] = {}
        self.locks: dict[str, Retention] = {}

    def __contains__(self, key: str) -> bool:
        return key in self.versions

    def __len__(self) -> int:
        return sum(len(versions) for versions in self.versions.values())

    def put(
        self, key: str, body: bytes, *, content_type: str, retention: Retention | None = None, once: bool = False
    ) -> str | None:
        if once and key in self.versions:
            return None
        self.versions.setdefault(key, []).append(body)
        if retention:
            self.locks[key] = retention
        return f"v{len(self.versions[key])}"

    def get(self, key: str) -> bytes | None:
        return self.versions[key][-1] if key in self.versions else None


class FakeSecrets:
    """core.integration.SigningSecrets over a dict."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[SigningSecret, ...]] = {}

    def __contains__(self, integration: str) -> bool:
        return integration in self.kept

    def get(self, integration: str) -> Sequence[SigningSecret]:
        return self.kept.get(integration, ())

    def put(self, integration: str, secrets: Sequence[SigningSecret]) -> None:
        self.kept[integration] = tuple(secrets)

    def delete(self, integration: str) -> None:
        self.kept.pop(integration, None)


class FakeIntegrations:
    """core.integration.Integrations over dicts: `kept` by name, `days` of use, and how many `writes` those were."""

    def __init__(self) -> None:
        self.kept: dict[str, Integration] = {}
        self.days: dict[str, str] = {}
        self.writes = 0

    def find(self, name: str) -> Integration | None:
        return self.kept.get(name)

    def used(self, name: str, day: str) -> None:
        self.days[name] = day
        self.writes += 1
