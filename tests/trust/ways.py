"""The ways of a signal that is not alone: into a group, a storm, silently to what inhibits it, back to what ended.

Each is a stage that is set, and what is sent then. What comes out is the same in whatever order that is delivered.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from incidentio.api.calls import Api, Call
from incidentio.api.grouping import merge
from incidentio.core.bundle import Bundle
from incidentio.core.catalog import Catalog
from incidentio.core.ids import iso
from incidentio.core.members import pointer_key
from incidentio.core.person import Actor
from incidentio.core.storm import DEDUP_KEY
from tests.trust.cloud import Clients, Cloud, safe
from tests.trust.path import START, Expected, Path, alarm, signal

Step = Sequence[str] | Callable[[Path], None]
"""Bodies that are sent and delivered, or something else that happens."""

_PREFIX = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:"
_SERVICES = {name: {"match": {"alarm_names": [f"{name}-*"]}} for name in ("shop", "parts", "search")}
_ROUTING: dict[str, Any] = {
    "repeat_interval": "2d",
    "ack_timeout": "2d",
    "storm": None,
    "route": {
        "receiver": "page",
        "routes": [
            {"matchers": ['service="shop"'], "receiver": "page", "group_by": ["service"]},
            {"matchers": ['service="parts"'], "receiver": "page", "group_by": ["service"], "threshold": 3},
        ],
    },
    "inhibit_rules": [{"source_matchers": ['alertname="az-down"'], "target_matchers": ['alertname=~"host-.*"']}],
}
_STORM = {"opens": 2, "within": "1h", "quiet_for": "1h"}


@dataclass(frozen=True)
class Way:
    """`before` is done step by step, then `sent` is delivered; `expected` is what is there after so many `sweeps`."""

    before: Sequence[Step]
    sent: Sequence[str]
    expected: Expected
    routing: Mapping[str, Any] = field(default_factory=dict)
    sweeps: int = 1

    @property
    def bodies(self) -> list[str]:
        """All that was put into the queue in the end."""
        return [body for step in (*self.before, self.sent) if not callable(step) for body in step]

    def set_up(self, clients: Clients, cloud: Cloud, seed: int) -> Path:
        clients.cloud = cloud
        catalog = {"services": _SERVICES, "routing": _ROUTING | self.routing}
        path = Path(clients, seed, Bundle(catalog=Catalog.model_validate(catalog)))
        for step in self.before:
            if callable(step):
                step(path)
            else:
                _deliver(path, step)
        return path

    def walk(self, path: Path) -> Path:
        path.send(*self.sent)
        path.settle(sweeps=self.sweeps)
        return path


def _deliver(path: Path, bodies: Sequence[str]) -> None:
    path.send(*bodies)
    path.settle()


def _later(path: Path) -> None:
    """Long enough to recover, and within the time in which it may come back; the sweep looks more than once."""
    path.now += timedelta(minutes=6)
    path.settle(sweeps=3)


def _waited(path: Path) -> None:
    """Long enough for the next sweep to see that something has been ok for long enough."""
    path.now += timedelta(minutes=5)


def _merged(name: str, into: str) -> Callable[[Path], None]:
    """A person merges the incident of one alarm into that of another one, and nobody is killed at that."""

    def step(path: Path) -> None:
        hazard, path.cloud.hazard = path.cloud.hazard, safe
        source, target = (str((path.table.get(pointer_key(_PREFIX + of)) or {})["incident_id"]) for of in (name, into))
        person = Call(Actor(id="111122223333/alice", kind="person"), path.now, expected_version=None, key=None)
        merge(cast("Api", SimpleNamespace(table=path.table)), person, source, into=target, note="")
        path.cloud.hazard = hazard
        path.settle()

    return step


def _watched(name: str) -> str:
    """An alarm that nobody attached to us, as EventBridge tells of it."""
    state = {"value": "ALARM", "reason": "Threshold Crossed", "timestamp": iso(START - timedelta(hours=1))}
    return json.dumps(
        {
            "detail-type": "CloudWatch Alarm State Change",
            "source": "aws.cloudwatch",
            "resources": [_PREFIX + name],
            "detail": {"alarmName": name, "state": state, "configuration": {"metrics": []}},
        }
    )


def _deployed(state: str, second: int) -> str:
    """https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events-basic-event.html"""
    detail = {"application": "shop", "deploymentId": f"d-{state}", "state": state, "deploymentGroup": "blue"}
    return json.dumps(
        {
            "id": f"deployed-{state}",
            "detail-type": "CodeDeploy Deployment State-change Notification",
            "source": "aws.codedeploy",
            "account": "111122223333",
            "time": iso(START - timedelta(hours=1) + timedelta(seconds=second)),
            "region": "eu-west-1",
            "resources": ["arn:aws:codedeploy:eu-west-1:111122223333:application:shop"],
            "detail": detail,
        }
    )


def _received(key: str) -> str:
    told = json.loads(signal(key, 0, severity="SEV1"))["detail"]
    return json.dumps({"incidentio": "received/v1", "integration": "pd", "mode": "live", "signal": told})


def _acknowledged(key: str) -> str:
    """What the PagerDuty door puts into the queue."""
    return json.dumps({"incidentio": "ack/v1", "integration": "pd", "dedup_key": key, "at": iso(START)})


def _of(**names: Sequence[str]) -> dict[str, str]:
    """Incident → the alarms that are in it, as alarm → incident."""
    return {_PREFIX + alarm: incident for incident, alarms in names.items() for alarm in alarms}


def _fires(name: str, second: int = 0) -> str:
    return alarm(name, "ALARM", second)


def _ok(name: str, second: int) -> str:
    return alarm(name, "OK", second)


WAYS = {
    "joins its group": Way(
        [[_fires("shop-a")]],
        [_fires("shop-b"), _fires("shop-b")],
        Expected(_of(group=["shop-a", "shop-b"]), entries={"SignalJoined": 1}),
    ),
    "is watched until there are enough": Way(
        [[_fires("parts-a")], [_fires("parts-b")]],
        [_fires("parts-c")],
        Expected(_of(group=["parts-a", "parts-b", "parts-c"]), entries={"IncidentPromoted": 1}),
    ),
    "is inhibited": Way(
        [[_fires("az-down")]],
        [_fires("host-1"), _fires("host-1")],
        Expected(_of(source=["az-down", "host-1"]), entries={"SignalInhibited": 1}),
    ),
    "is inhibited no longer": Way(
        [[_fires("az-down")], [_fires("host-1", 10)], [_ok("az-down", 20)]],
        [_fires("host-1", 30)],
        Expected(_of(source=["az-down"], target=["host-1"]), entries={"SignalInhibited": 1, "IncidentSplit": 1}),
    ),
    "is let go without another word": Way(
        [[_fires("az-down")], [_fires("host-1", 10)], [_ok("az-down", 20)], _waited],
        [],
        Expected(
            _of(source=["az-down"], target=["host-1"]),
            entries={"InhibitionEnded": 1, "IncidentSplit": 1, "IncidentTriggered": 2},
        ),
        sweeps=4,  # whoever looks may be killed as well: the next one does it
    ),
    "is inhibited after it opened": Way(
        [[_fires("host-1")]],
        [_fires("az-down", 10)],
        Expected(_of(source=["az-down"], target=["host-1"])),
    ),
    "says that it is worse": Way(
        [[signal("canary", 0, severity="SEV3")]],
        [signal("canary", 0, severity="SEV1"), signal("canary", 0, severity="SEV1")],
        Expected({"canary": "canary"}, calls={"canary": (2,)}, entries={"SignalWorsened": 1}),
    ),
    "was worse before it was overtaken": Way(
        [[signal("canary", 10, severity="SEV3")]],
        [signal("canary", 5, severity="SEV1")],
        Expected({"canary": "canary"}, calls={"canary": (2,)}, entries={"SignalWorsened": 1}),
    ),
    "begins a storm": Way(
        [[_fires("search-a")]],
        [_fires("shop-a")],
        Expected(
            {**_of(early=["search-a"], shop=["shop-a"]), DEDUP_KEY: "storm"},
            # It may have been killed when it was counted already, and then it was the storm's as well.
            calls={"early": (0, 1), "shop": (0,)},
            entries={"StormBegan": 1},
        ),
        {"storm": _STORM, "route": {"receiver": "page"}},
    ),
    "joins a storm": Way(
        [[_fires("search-a")], [_fires("shop-a")]],
        [_fires("shop-b"), _fires("nobodys")],
        Expected(
            {**_of(early=["search-a"], shop=["shop-a", "shop-b"], storm=["nobodys"]), DEDUP_KEY: "storm"},
            calls={"early": (0, 1), "shop": (0,)},
            entries={"StormBegan": 1},
        ),
        {"storm": _STORM, "route": {"receiver": "page"}},
    ),
    "is back in a storm": Way(
        [[_fires("search-a")], [_ok("search-a", 10)], _later, [_fires("shop-a", 10)]],
        [_fires("search-a", 20)],
        Expected(
            {**_of(early=["search-a"], shop=["shop-a"]), DEDUP_KEY: "storm"},
            calls={"early": (0, 1), "shop": (0,)},
            entries={"StormBegan": 1, "ImpactReturned": 1},
        ),
        {"storm": _STORM, "route": {"receiver": "page"}},
    ),
    "is of an incident that was merged": Way(
        [[_fires("shop-a"), _fires("search-a")], _merged("shop-a", into="search-a")],
        [_fires("shop-b")],
        Expected(_of(both=["shop-a", "search-a", "shop-b"]), emptied=1, entries={"IncidentMerged": 1}),
    ),
    "reopens": Way(
        [[signal("canary", 0, severity="SEV3")], [signal("canary", 10, state="ok")], _later],
        [signal("canary", 20, severity="SEV3"), signal("canary", 20, severity="SEV3")],
        Expected({"canary": "canary"}, calls={"canary": (2,)}, entries={"IncidentReopened": 1, "IncidentTriggered": 1}),
    ),
    "is back after it was mitigated": Way(
        [[_fires("search-a")], [_ok("search-a", 10)], _later],
        [_fires("search-a", 20)],
        Expected(_of(a=["search-a"]), calls={"a": (2,)}, entries={"ImpactReturned": 1, "IncidentTriggered": 1}),
    ),
    "flaps": Way(
        [[_fires("search-a")], [_ok("search-a", 10)], [_fires("search-a", 20)]],
        [_ok("search-a", 30), _ok("search-a", 30)],
        Expected(_of(a=["search-a"]), entries={"IncidentFlapping": 1}),
    ),
    "was only watched": Way(
        [[_watched("attic")]],
        [_fires("attic")],
        Expected(_of(a=["attic"]), entries={"IncidentPromoted": 1}),
    ),
    "is a change, and one that failed": Way(
        [],
        [_deployed("SUCCESS", 0), _deployed("FAILURE", 60)],
        Expected({"codedeploy/111122223333/eu-west-1/shop/blue": "deploy"}, calls={"deploy": (0,)}, changes=2),
    ),
    "is acknowledged": Way(
        [[_received("disk")]],
        [_acknowledged("disk"), _acknowledged("disk")],
        Expected({"disk": "disk"}, entries={"IncidentAcknowledged": 1}),
    ),
}
