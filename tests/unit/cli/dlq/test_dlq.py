"""Dead letters are shown redacted, deleted only once somebody else has them, and given up on the record only."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from incidentio.cli.deployment import Deployment
from incidentio.cli.main import main
from incidentio.cli.shell import Shell
from tests.trust.cloud import Clients, Cloud

OUTPUTS = {
    "IngestDlqUrl": "dead/ingest", "OutboxDlqUrl": "dead/outbox", "LaneDlqUrl": "dead/lane",
    "CommunicateDlqUrl": "dead/communicate", "IngestQueueUrl": "live/ingest", "CommunicateQueueUrl": "live/communicate",
    "TableName": "incidents", "EventBusName": "bus",
}  # fmt: skip
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:incidentio-Triage"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:communicate"
EVENT = {"detail-type": "IncidentTriaged", "detail": {"incident_id": "INC-7K3F9A"}}
GAVE_UP = {
    "requestContext": {"functionArn": f"{FUNCTION}:$LATEST", "condition": "RetriesExhausted"},
    "requestPayload": EVENT,
}
BATCH = {
    "DDBStreamBatchInfo": {
        "shardId": "shard-1", "startSequenceNumber": "100", "endSequenceNumber": "102", "streamArn": "arn:stream",
    }
}  # fmt: skip


@dataclass
class FakeAws:
    """SQS, Lambda and the stream, as far as `dlq` asks; `fails` names operations that are refused.

    SQS keeps a queue on two servers. A short poll asks one of them, in turns; a long poll takes what the first gives
    that has something. `again` are ids that it gives once more although they are held.
    """

    queues: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    invoked: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    fails: dict[str, str] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    again: list[str] = field(default_factory=list)
    polls: int = 0

    def dead(self, name: str, body: Any, **attributes: str) -> str:
        id = f"0{sum(map(len, self.queues.values()))}-{name}"
        message = {
            "MessageId": id,
            "ReceiptHandle": id,
            "Body": body if isinstance(body, str) else json.dumps(body),
            "Attributes": {"SentTimestamp": "1760000000000"},
            "MessageAttributes": {k: {"DataType": "String", "StringValue": v} for k, v in attributes.items()},
        }
        self.queues.setdefault(f"dead/{name}", []).append(message)
        return id

    def bodies(self, url: str) -> list[str]:
        return [message["Body"] for message in self.queues.get(url, [])]

    def _refuse(self, operation: str) -> None:
        if operation in self.fails:
            raise ClientError({"Error": {"Code": self.fails[operation], "Message": "no"}}, operation)

    def receive_message(self, **request: Any) -> dict[str, Any]:
        self.polls += 1
        letters = self.queues.get(request["QueueUrl"], [])
        twice = [m for m in letters if m["MessageId"] in self.hidden and m["MessageId"] in self.again]
        if twice:
            self.again = [id for id in self.again if id not in {m["MessageId"] for m in twice}]
            return {"Messages": [self._with_new_handle(message) for message in twice]}
        servers = [[m for m in letters[n::2] if m["MessageId"] not in self.hidden] for n in (0, 1)]
        asked = servers if request.get("WaitTimeSeconds") else [servers[self.polls % 2]]
        seen = next((waiting for waiting in asked if waiting), [])[: request["MaxNumberOfMessages"]]
        self.hidden |= {m["MessageId"] for m in seen}
        return {"Messages": [dict(message) for message in seen]} if seen else {}

    def _with_new_handle(self, message: dict[str, Any]) -> dict[str, Any]:
        """The one it had before does nothing any more."""
        message["ReceiptHandle"] += "-again"
        return dict(message)

    def change_message_visibility_batch(self, **request: Any) -> None:
        handles = {entry["ReceiptHandle"] for entry in request["Entries"]}
        self.hidden -= {m["MessageId"] for m in self.queues[request["QueueUrl"]] if m["ReceiptHandle"] in handles}

    def delete_message(self, **request: Any) -> None:
        self._refuse("DeleteMessage")
        url, handle = request["QueueUrl"], request["ReceiptHandle"]
        self.queues[url] = [m for m in self.queues[url] if m["ReceiptHandle"] != handle]

    def send_message(self, **request: Any) -> None:
        self._refuse("SendMessage")
        self.queues.setdefault(request["QueueUrl"], []).append({"MessageId": "new", "Body": request["MessageBody"]})

    def get_queue_url(self, **request: Any) -> dict[str, str]:
        return {"QueueUrl": f"live/{request['QueueName']}"}

    def invoke(self, **request: Any) -> None:
        self._refuse("Invoke")
        self.invoked.append(request)

    def get_shard_iterator(self, **_: Any) -> dict[str, str]:
        self._refuse("GetShardIterator")
        return {"ShardIterator": "i"}

    def get_records(self, **_: Any) -> dict[str, Any]:
        return {"Records": self.records, "NextShardIterator": "i"}

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::111122223333:user/alice"}


@pytest.fixture
def aws() -> FakeAws:
    return FakeAws()


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def run(aws: FakeAws, cloud: Cloud, tmp_path: Path) -> Callable[..., Result]:
    real = Clients(cloud)

    def client(service: str) -> Any:
        return real[service] if service in ("dynamodb", "events") else aws

    def read() -> Mapping[str, str]:
        return OUTPUTS

    def invoke(*arguments: str) -> Result:
        shell = Shell(directory=tmp_path)
        shell.__dict__["deployment"] = Deployment(
            found="a test", remedy="", region="eu-west-1", client=client, credentials=lambda: None, read_outputs=read  # type: ignore[arg-type,return-value]
        )  # fmt: skip
        return CliRunner().invoke(main, ["dlq", *arguments], obj=shell)

    return invoke


def test_lists_reasons_and_shows_a_letter_redacted(run: Callable[..., Result], aws: FakeAws) -> None:
    secret = json.dumps({"password": "hunter2", "note": "ask jane@example.com\x1b[2J"})
    id = aws.dead("ingest", secret, reason="unknown detail-type")
    aws.dead("lane", GAVE_UP)
    listed = run("list")
    assert "unknown detail-type" in listed.output
    assert "RetriesExhausted" in listed.output
    shown = run("show", id[:4])
    assert shown.exit_code == 0, shown.output
    assert not [word for word in ("hunter2", "jane@", "\x1b") if word in shown.output]
    assert "[redacted:" in shown.output
    assert not aws.hidden
    assert "no dead letters" in run("list", "--queue", "outbox").output


def test_sends_each_where_it_belongs(run: Callable[..., Result], aws: FakeAws) -> None:
    aws.dead("ingest", "a signal", reason="x")
    aws.dead("communicate", json.dumps({"detail": {}}))
    aws.dead("lane", GAVE_UP)
    aws.dead("lane", EVENT, TARGET_ARN=QUEUE)
    aws.dead("lane", EVENT, TARGET_ARN=FUNCTION)
    found = run("redrive", "--all")
    assert found.exit_code == 0, found.output
    assert aws.bodies("live/ingest") == ["a signal"]
    assert sorted(aws.bodies("live/communicate")) == sorted([json.dumps({"detail": {}}), json.dumps(EVENT)])
    assert [(i["FunctionName"], json.loads(i["Payload"]), i["InvocationType"]) for i in aws.invoked] == [
        (f"{FUNCTION}:$LATEST", EVENT, "Event"),
        (FUNCTION, EVENT, "Event"),
    ]
    assert not any(aws.bodies(url) for url in aws.queues if url.startswith("dead/"))


@pytest.mark.parametrize(("name", "body", "operation"), [("ingest", "x", "SendMessage"), ("lane", GAVE_UP, "Invoke")])
def test_what_was_not_taken_stays(
    run: Callable[..., Result], aws: FakeAws, name: str, body: Any, operation: str
) -> None:
    aws.fails[operation] = "Throttling"
    id = aws.dead(name, body)
    found = run("redrive", id)
    assert found.exit_code == 1
    assert "Throttling" in found.output
    assert len(aws.bodies(f"dead/{name}")) == 1
    assert not aws.hidden


def test_a_letter_that_belongs_nowhere_says_what_to_do(run: Callable[..., Result], aws: FakeAws) -> None:
    id = aws.dead("lane", {"what": "is this"})
    found = run("redrive", id)
    assert found.exit_code == 1
    assert f"incidentio dlq discard {id}" in found.output.replace("\n", " ")
    assert aws.bodies("dead/lane")


def test_a_piece_of_the_stream_is_read_and_published(run: Callable[..., Result], aws: FakeAws, cloud: Cloud) -> None:
    entry = {
        "pk": {"S": "INC#INC-7K3F9A"}, "sk": {"S": "TL#00000001"}, "type": {"S": "NoteAdded"}, "text": {"S": "hello"},
        "at": {"S": "2026-03-01T12:00:00Z"}, "actor": {"M": {"id": {"S": "system"}, "kind": {"S": "system"}}},
        "incident_version": {"N": "1"}, "kind": {"S": "real"}, "correlation_id": {"S": "c"},
        "previous_hash": {"S": "0"}, "hash": {"S": "1"},
    }  # fmt: skip
    for number, sk in ((100, "SUMMARY"), (101, "TL#00000001"), (103, "TL#00000002")):
        keys = {"pk": entry["pk"], "sk": {"S": sk}}
        image = {"Keys": keys, "NewImage": {**entry, "sk": {"S": sk}}, "SequenceNumber": str(number)}
        aws.records.append({"eventName": "INSERT", "dynamodb": image})
    aws.dead("outbox", BATCH)
    found = run("redrive", "--all", "--queue", "outbox")
    assert found.exit_code == 0, found.output
    assert [event["id"] for event in cloud.bus] == ["INC-7K3F9A-1"]
    assert not aws.bodies("dead/outbox")


def test_a_piece_that_the_stream_forgot_says_what_became_of_it(run: Callable[..., Result], aws: FakeAws) -> None:
    aws.fails["GetShardIterator"] = "TrimmedDataAccessException"
    aws.dead("outbox", BATCH)
    found = run("redrive", "--all")
    assert found.exit_code == 1
    assert "24 hours" in found.output
    assert aws.bodies("dead/outbox")


def test_giving_up_needs_a_reason_and_is_recorded_first(run: Callable[..., Result], aws: FakeAws, cloud: Cloud) -> None:
    id = aws.dead("ingest", "password=hunter2", reason="not JSON")
    assert run("discard", id).exit_code != 0
    assert run("discard", id, "--reason", " ").exit_code != 0
    assert aws.bodies("dead/ingest")
    found = run("discard", id, "--reason", "a test of ours")
    assert found.exit_code == 0, found.output
    assert not aws.bodies("dead/ingest")
    (record,) = (item for (pk, _), item in cloud.dynamo.items.items() if pk == "DISCARDED")
    assert record["by"] == {"S": "111122223333:user/alice"}
    assert "hunter2" not in json.dumps(record)
    assert "a test of ours" in run("list", "--discarded").output


def test_all_letters_of_all_servers_are_found_also_when_some_come_twice(
    run: Callable[..., Result], aws: FakeAws
) -> None:
    """Standard queues may give a message twice, and a poll that finds only such ones is not the last."""
    ids = [aws.dead("ingest", f"signal {number}", reason="x") for number in range(25)]
    aws.again = ids[:2]
    listed = json.loads(run("list", "--json").stdout)["items"]
    assert sorted(item["id"] for item in listed) == sorted(ids)
    assert not aws.hidden
    aws.again = ids[:2]
    found = run("redrive", "--all", "--queue", "ingest")
    assert found.exit_code == 0, found.output
    assert sorted(aws.bodies("live/ingest")) == sorted(f"signal {number}" for number in range(25))
    assert not aws.bodies("dead/ingest")


def test_a_queue_that_never_ends_is_read_to_an_end(
    run: Callable[..., Result], aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = aws.dead("ingest", "a signal")
    monkeypatch.setattr(aws, "_with_new_handle", lambda message: aws.again.append(id) or message)
    aws.again = [id]
    assert json.loads(run("list", "--queue", "ingest", "--json").stdout)["items"][0]["id"] == id
    assert 10 < aws.polls < 1000


def test_which_ones_must_be_said(run: Callable[..., Result], aws: FakeAws) -> None:
    one, other = aws.dead("ingest", "x"), aws.dead("ingest", "y")
    assert run("redrive").exit_code != 0
    assert "there is no dead letter nothing" in run("show", "nothing").output
    assert one[0] == other[0]
    assert "give more of the id" in run("show", one[0]).output
