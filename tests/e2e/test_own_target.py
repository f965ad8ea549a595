"""The first day of a deployment with an empty catalogue, and faults that would hit everybody on a shared target."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from incidentio.aws.archive import S3Archive
from incidentio.aws.attributes import to_item
from incidentio.aws.stored import entry_item
from incidentio.aws.table import DynamoTable
from incidentio.aws.topics import SnsTopics
from incidentio.communicate.pages import CLAIM_LASTS
from incidentio.communicate.tell import Teller
from incidentio.core.archive import Retention, anchor_key
from incidentio.core.bundle import Bundle
from incidentio.core.routing import Routing
from incidentio.core.timeline import GENESIS
from incidentio.learn.anchor import anchor
from infra.local.deployment import DEFAULT_CATALOG, Deployable
from infra.local.state import TargetState
from tests.e2e.own import deploy, incidentio, sound_findings, start_estate
from tests.e2e.signals import signal
from tests.e2e.world import World, eventually

COMMUNICATE = "incidentio.communicate.handler.handler"
WAITS = {"repeat_interval: 30s": "repeat_interval: 30m", "quiet_for: 5s}": "quiet_for: 20s}"}
"""Of the empty catalogue: no call repeats where calls are counted, and a storm lasts until all of it has arrived."""


@pytest.fixture(scope="module")
def estate(run_home: Path) -> tuple[dict[str, Any], str, Path]:
    """A target whose thirty alarms were there before incidentio: (description, their tag, state folder)."""
    home = run_home / "own"
    state, tag = start_estate(home)
    catalog = run_home / "own-catalog"
    shutil.copytree(DEFAULT_CATALOG, catalog)
    routing = catalog / "routing.yaml"
    for before, after in WAITS.items():
        text = routing.read_text()
        assert before in text
        routing.write_text(text.replace(before, after))
    return deploy(state, Deployable(catalog=catalog)), tag, home


@pytest.fixture
def own_world(estate: tuple[dict[str, Any], str, Path]) -> World:
    return World(estate[0]).listen()


def test_the_first_day_with_an_empty_catalogue(estate: tuple[dict[str, Any], str, Path], own_world: World) -> None:
    description, tag, home = estate
    world = own_world

    fired_before = world.the_incident_of(f"estate-{tag}-00")
    assert fired_before["mode"] == "monitor"
    assert world.incidents_of("TargetTracking-") == []

    unsound = incidentio(home, "doctor")
    assert unsound.returncode != 0
    assert "nobody is subscribed" in unsound.stdout

    for topic in ("PageTopicArn", "WatchdogTopicArn"):
        world.subscribe(description["outputs"][topic])
    assert any("firing" in finding["check"] for finding in sound_findings(home))

    alarm = world.alarm()
    world.set_alarm(alarm, "ALARM", "Threshold Crossed")
    incident = world.the_incident_of(alarm)
    page = eventually(lambda: world.told(incident["id"], topic="PageTopicArn"), "the page")[0]
    assert "attached" in page["body"]
    assert f"incidentio incidents ack {incident['id']}" in page["body"]
    acknowledged = incidentio(home, "incidents", "ack", incident["id"])
    assert acknowledged.returncode == 0, acknowledged.stderr
    world.until_status(incident["id"], "acknowledged")
    assert len(world.told(incident["id"], topic="PageTopicArn")) == 1
    assert world.told(fired_before["id"]) == []


def test_a_page_sent_as_a_test_takes_the_whole_path(estate: tuple[dict[str, Any], str, Path], own_world: World) -> None:
    def drill() -> dict[str, Any] | None:
        found: list[dict[str, Any]] = own_world.alice.get("/incidents?status=open&kind=drill")["items"]
        return found[0] if found else None

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(incidentio, estate[2], "test-page", "--wait", "2m", "--json")
        incident = eventually(drill, "the drill")
        assert incident is not None
        eventually(lambda: own_world.told(incident["id"], topic="TestTopicArn"), "the page of the drill")
        own_world.alice.post(f"/incidents/{incident['id']}/acknowledge")
        told = sending.result()
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    assert report["incident_id"] == incident["id"]
    assert f"alice-{own_world.tag}" in report["acknowledged_by"]
    assert 0 < report["page_published_after"] <= report["acknowledged_after"]
    assert own_world.told(incident["id"], topic="PageTopicArn") == []


def test_hands_off_all_stops_every_playbook(estate: tuple[dict[str, Any], str, Path], own_world: World) -> None:
    world, home = own_world, estate[2]
    ecs, name = world.client("ecs"), f"web-{world.tag}"
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(family=name, containerDefinitions=[{"name": "web", "image": "web", "memory": 64}])
    ecs.create_service(cluster=name, serviceName=name, taskDefinition=name, desiredCount=2)
    incident_id = world.alice.post("/incidents", {"title": f"web slow {world.tag}"})["id"]

    def desired() -> int:
        return int(ecs.describe_services(cluster=name, services=[name])["services"][0]["desiredCount"])

    stopped = incidentio(home, "hands-off", "all", "on", "--reason", "we do it by hand")
    assert stopped.returncode == 0, stopped.stderr
    try:
        world.request(world.alice, incident_id, "scale-out-service", target=f"{name}/{name}")
        refused = world.entry(incident_id, "PlaybookRefused")
        assert "we do it by hand" in refused["text"]
        assert desired() == 2
    finally:
        assert incidentio(home, "hands-off", "all", "off", "--reason", "done").returncode == 0
    world.request(world.alice, incident_id, "scale-out-service", target=f"{name}/{name}")
    eventually(lambda: desired() == 4, "more tasks once automation may work again")


def test_a_chain_written_anew_does_not_fit_its_anchor(
    estate: tuple[dict[str, Any], str, Path], own_world: World
) -> None:
    """What somebody with every right on the table could do: change an entry, and seal all that follow again."""
    world = own_world
    incident_id = world.alice.post("/incidents", {"title": f"audited {world.tag}", "kind": "drill"})["id"]
    world.entry(incident_id, "PagePublished")
    dynamodb, name = world.client("dynamodb"), world.outputs["TableName"]
    table, archive = (
        DynamoTable(dynamodb, name, Routing()),
        S3Archive(world.client("s3"), world.outputs["ArchiveBucketName"]),
    )
    # This hour's anchor may be written already, and the first write wins; the last hour's was nobody's yet.
    last_hour = datetime.now(UTC) - timedelta(hours=1)
    retention = Retention("GOVERNANCE", datetime.now(UTC) + timedelta(days=1))
    assert anchor(table=table, archive=archive, retention=retention, at=last_hour)
    anchored = world.alice.get(f"/incidents/{incident_id}/verify")
    assert anchored["ok"] is True
    assert anchored["anchor"]["key"] == anchor_key(last_hour)

    previous, key = GENESIS, {"S": f"INC#{incident_id}"}
    for entry in table.timeline(incident_id):
        text = "nothing happened" if entry.seq == 1 else entry.text
        forged = entry.model_copy(update={"text": text, "previous_hash": previous}).sealed()
        dynamodb.put_item(TableName=name, Item=to_item(entry_item(forged)))
        previous = forged.hash
    dynamodb.update_item(
        TableName=name,
        Key={"pk": key, "sk": {"S": "SUMMARY"}},
        UpdateExpression="SET head_hash = :head",
        ExpressionAttributeValues={":head": {"S": previous}},
    )
    verified = incidentio(estate[2], "incidents", "verify", incident_id)
    assert verified.returncode == 1
    assert (
        f"broken at entry {anchored['anchor']['seq']}: is not what the anchor {anchor_key(last_hour)} names"
        in verified.stdout
    )


def _function(world: World, handler: str) -> dict[str, Any]:
    pages = world.client("lambda").get_paginator("list_functions").paginate()
    (found,) = [f for page in pages for f in page["Functions"] if f["Handler"] == handler]
    return dict(found)


@contextmanager
def denied(world: World, handler: str, *actions: str) -> Iterator[None]:
    """The function with this handler may not make these calls inside the block."""
    iam, role = world.client("iam"), _function(world, handler)["Role"].rpartition("/")[2]
    deny = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName=role, PolicyName="fault", PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="fault")


@contextmanager
def broken(world: World, handler: str, **environment: str) -> Iterator[None]:
    """The function with this handler runs with a wrong environment inside the block."""
    functions, found = world.client("lambda"), _function(world, handler)
    right = found["Environment"]["Variables"]
    name = found["FunctionName"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {**right, **environment}})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": right})


def test_broken_triage_pages_as_sev2_all_the_same(own_world: World) -> None:
    world = own_world
    alarm = world.alarm(tags={"severity": "SEV4"})
    with broken(world, "incidentio.triage.handler.handler", TABLE_NAME="no-such-table"):
        world.set_alarm(alarm, "ALARM")
        incident = world.the_incident_of(alarm)
        page = eventually(lambda: world.told(incident["id"], topic="PageTopicArn"), "the page without triage")[0]
        assert page["attributes"]["severity"] == "SEV2"
        assert "triage" in world.entry(incident["id"], "TriageOverdue")["text"]
        assert "IncidentTriaged" not in world.types(incident["id"])


def test_a_crash_between_write_and_publish_loses_nothing(own_world: World) -> None:
    world = own_world
    alarm = world.alarm()
    with broken(world, "incidentio.aws.outbox.handler.handler", EVENT_BUS_NAME="no-such-bus"):
        world.set_alarm(alarm, "ALARM")
        incident = world.the_incident_of(alarm)
        assert "IncidentTriaged" not in world.types(incident["id"]), "nobody has heard of it"
    world.entry(incident["id"], "IncidentTriaged")
    eventually(lambda: world.told(incident["id"], topic="PageTopicArn"), "the page once the outbox works again")
    assert len(world.told(incident["id"], topic="PageTopicArn")) == 1


def test_what_could_not_be_published_is_published_once_it_can(own_world: World) -> None:
    world = own_world
    alarm = world.alarm()
    with denied(world, COMMUNICATE, "sns:Publish"):
        world.set_alarm(alarm, "ALARM")
        incident = world.the_incident_of(alarm)
        eventually(lambda: _claims(world, incident["id"]), "the page claimed")
        assert "PagePublished" not in world.types(incident["id"])
    world.entry(incident["id"], "PagePublished")
    assert len(eventually(lambda: world.told(incident["id"]), "the page once it could be sent")) == 1


class Killed(BaseException):
    """Ends a worker on the spot, as a time limit or a lost machine does: nothing of it runs any more."""


class KilledAfterPublishing(SnsTopics):
    def publish(self, channel: str, *, subject: str, body: str, attributes: Mapping[str, str]) -> str:
        super().publish(channel, subject=subject, body=body, attributes=attributes)
        raise Killed


def test_a_page_published_and_not_recorded_repeats_under_the_same_id(own_world: World) -> None:
    world = own_world
    alarm = world.alarm()
    arns = {"page": world.outputs["PageTopicArn"]}
    table = DynamoTable(world.client("dynamodb"), world.outputs["TableName"], Routing())
    with broken(world, COMMUNICATE, TABLE_NAME="no-such-table"):
        world.set_alarm(alarm, "ALARM")
        incident = world.the_incident_of(alarm)
        world.entry(incident["id"], "IncidentTriaged")
        worker = Teller(
            table=table,
            topics=KilledAfterPublishing(world.client("sns"), arns),
            bundle=Bundle(),
            api_url="",
            clock=lambda: datetime.now(UTC) - CLAIM_LASTS,
            pause=time.sleep,
        )
        with pytest.raises(Killed):
            worker.settle(incident["id"])
        eventually(lambda: world.told(incident["id"]), "the page of the killed worker")
        assert "PagePublished" not in world.types(incident["id"])
    recorded = world.entry(incident["id"], "PagePublished")
    world.alice.post(f"/incidents/{incident['id']}/acknowledge")
    pages = eventually(lambda: len(p := world.told(incident["id"])) >= 2 and p, "the page repeated")
    assert {page["attributes"]["page_id"] for page in pages} == {recorded["data"]["page_id"]}
    assert len(pages) == 2
    assert world.types(incident["id"]).count("PagePublished") == 1


def _claims(world: World, incident_id: str) -> list[Any]:
    found = world.client("dynamodb").query(
        TableName=world.outputs["TableName"],
        KeyConditionExpression="pk = :pk AND begins_with(sk, :page)",
        ExpressionAttributeValues={":pk": {"S": f"INC#{incident_id}"}, ":page": {"S": "PAGE#"}},
        ConsistentRead=True,
    )
    return list(found["Items"])


def test_a_storm_is_one_page_whose_children_stay_visible_and_ends_by_itself(
    estate: tuple[dict[str, Any], str, Path], own_world: World
) -> None:
    world, sent, patience = own_world, 40, 120.0
    at = datetime.now(UTC).isoformat()

    def body(n: int) -> str:
        told = {"incidentio": "signal/v1", "dedup_key": f"storm-{world.tag}-{n}", "title": f"gust {n} {world.tag}"}
        told |= {"state": "firing", "changed_at": at, "severity": "SEV2", "service": f"roof-{n % 4}-{world.tag}"}
        return json.dumps({"detail-type": "Signal", "source": "test", "detail": told})

    queue, sqs = world.outputs["IngestQueueUrl"], world.client("sqs")
    for start in range(0, sent, 10):
        entries = [{"Id": str(n), "MessageBody": body(n)} for n in range(start, start + 10)]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)

    def storm() -> dict[str, Any] | None:
        cards = world.alice.get("/incidents?status=open&limit=100")["items"]
        return next((card for card in cards if card["title"].startswith("Storm: ")), None)

    parent = eventually(storm, "the storm's incident", seconds=patience)
    assert parent is not None
    began = world.entry(parent["id"], "StormBegan")
    assert began["data"]["opens"] == 10
    assert "what opens from now on is told through this incident" in began["text"]
    eventually(lambda: world.told(parent["id"], topic="PageTopicArn"), "the page of the storm", seconds=patience)

    def children() -> list[dict[str, Any]]:
        mine = world.incidents_of(f" {world.tag}", status="open")
        return [i for i in mine if i["parent"] == parent["id"] and i["members"] > 1]

    found = eventually(lambda: (c := children()) and len(c) == 4 and c, "a child of each service", seconds=patience)
    skipped = world.entry(found[0]["id"], "NotificationSkipped", seconds=patience)
    assert f"part of the storm {parent['id']}" in skipped["text"]
    assert world.told(found[0]["id"]) == []
    ended = world.entry(parent["id"], "StormEnded", seconds=patience)
    assert ended["data"]["waiting_count"] >= 4
    assert "the storm is over after" in ended["text"]
    assert "nobody has these" in ended["text"]
    left = eventually(lambda: world.told(parent["id"], event="StormEnded"), "what nobody has", seconds=patience)
    assert len(left) == 1
    assert "nobody has these" in left[0]["body"]
    assert found[0]["id"] in world.incident(parent["id"])["children"]
    # What opened before it was a storm is told by itself; all the others by its beginning and by what it left.
    opened = world.incidents_of(f" {world.tag}")
    assert sum(incident["members"] for incident in opened) == sent
    inside = [i["id"] for i in opened if "in the storm" in world.entry(i["id"], "IncidentTriggered")["text"]]
    assert [world.told(incident_id) for incident_id in inside] == [[]] * len(inside)
    pages = [page for each in (parent, *opened) for page in world.told(each["id"])]
    first = [page for page in pages if page["attributes"]["page_id"].endswith("-1")]
    assert len(first) <= len(opened) - len(inside) + 2 < sent / 2
    assert len(pages) == len({page["attributes"]["page_id"] for page in pages})
    shown = incidentio(estate[2], "incidents", "show", found[0]["id"])
    assert parent["id"] in shown.stdout


def test_flapping_and_storms_in_monitor_mode_hold_nothing_back_and_say_what_they_would(
    estate: tuple[dict[str, Any], str, Path], own_world: World
) -> None:
    world, home = own_world, estate[2]
    catalog = home / "watching"
    shutil.copytree(DEFAULT_CATALOG, catalog)
    routing = yaml.safe_load((catalog / "routing.yaml").read_text())
    # Within what a busy machine takes for five incidents and their pages, one after the other.
    routing["flapping"] |= {"within": "20m", "mode": "monitor"}
    routing["storm"] = {"opens": 3, "within": "20m", "quiet_for": "5s", "mode": "monitor"}
    (catalog / "routing.yaml").write_text(yaml.safe_dump(routing))
    deploy(TargetState(home, urlsplit(estate[0]["endpoint_url"]).port or 0), Deployable(catalog=catalog))

    opened = []
    for n in range(5):
        signal(world, f"breeze-{n}")
        opened.append(world.the_incident_of(f"breeze-{n} {world.tag}"))
    for incident in opened:
        eventually(lambda i=incident: world.told(i["id"], topic="PageTopicArn"), f"the page of {incident['id']}")
    stormy = world.entry(opened[-1]["id"], "RuleMonitored")
    assert "would be told of through a storm" in stormy["data"]["would"]["storm"]
    assert [world.incident(i["id"])["parent"] for i in opened] == [None] * 5

    restless = opened[0]["id"]
    for state in ("ok", "firing", "ok"):
        key = signal(world, "breeze-0", state)
        eventually(lambda key=key, state=state: world.heard(key)["state"] == state, f"the signal to be {state}")

    would = f"would be held open: breeze-0 {world.tag} changed its state 4 times"
    eventually(lambda: would in str(world.timeline(restless)), "what the rule would have done")
    mitigated = world.until_status(restless, "mitigated")
    assert mitigated["flapping_since"] is None
