"""Where a dead letter belongs, and sending it there again. It is deleted only after somebody else has it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from incidentio.aws.outbox.publish import publish
from incidentio.cli.dlq.letters import Letter
from incidentio.core.errors import Conflict, IncidentioError, InvalidInput

Client = Callable[[str], Any]
_BACK = {"ingest": "IngestQueueUrl", "communicate": "CommunicateQueueUrl"}
_DISCARD = "incidentio dlq discard {id} --reason WHY"


@dataclass(frozen=True)
class Redriven:
    """`went` says where; a failure says why and what to do, and the letter is where it was."""

    id: str
    queue: str
    done: bool
    went: str


def redrive(letter: Letter, client: Client, outputs: Mapping[str, str]) -> Redriven:
    """Send `letter` where it belongs, then delete it."""
    try:
        went = _sent(letter, client, outputs)
        client("sqs").delete_message(QueueUrl=letter.url, ReceiptHandle=letter.message["ReceiptHandle"])
    except IncidentioError as error:
        return Redriven(letter.id, letter.queue, False, error.message)
    except ClientError as error:
        said = error.response.get("Error", {})
        return Redriven(letter.id, letter.queue, False, f"{error.operation_name}: {said.get('Code')}")
    except BotoCoreError as error:
        return Redriven(letter.id, letter.queue, False, str(error))
    return Redriven(letter.id, letter.queue, True, went)


def _sent(letter: Letter, client: Client, outputs: Mapping[str, str]) -> str:
    if back := _BACK.get(letter.queue):
        client("sqs").send_message(QueueUrl=outputs[back], MessageBody=letter.body)
        return f"the {letter.queue} queue"
    document = _object(letter)
    if letter.queue == "outbox":
        return _published(letter, document, client, outputs["EventBusName"])
    if "requestPayload" in document:
        context = document.get("requestContext") or {}
        return _invoked(client, str(context.get("functionArn", "")), json.dumps(document["requestPayload"]), letter)
    return _to_target(letter, client)


def _object(letter: Letter) -> dict[str, Any]:
    try:
        document = json.loads(letter.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InvalidInput(f"it is nothing that this queue gets from us: {_DISCARD.format(id=letter.id)}")
    return document


def _to_target(letter: Letter, client: Client) -> str:
    """An event that a rule could not deliver: EventBridge names the target it was meant for.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    target = letter.attributes.get("TARGET_ARN", "")
    service = target.split(":")[2] if target.count(":") >= 5 else ""
    if service == "lambda":
        return _invoked(client, target, letter.body, letter)
    if service == "sqs":
        sqs = client("sqs")
        _, _, _, _, account, name = target.split(":", 5)
        url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=letter.body)
        return f"the queue {name}"
    raise InvalidInput(f"it does not say where it belongs: {_DISCARD.format(id=letter.id)}")


def _invoked(client: Client, function: str, payload: str, letter: Letter) -> str:
    """Asynchronously, as it was invoked the first time: with its tries, and its dead letters."""
    if function.count(":") < 6:
        raise InvalidInput(f"it does not say which function it is for: {_DISCARD.format(id=letter.id)}")
    client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=payload.encode())
    return f"the function {function.split(':')[6]}"


def _published(letter: Letter, document: Mapping[str, Any], client: Client, bus: str) -> str:
    """A piece of the stream that the publisher gave up: read it again, and publish what is in it.

    https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
    """
    batch = document.get("DDBStreamBatchInfo")
    if not isinstance(batch, dict):
        raise InvalidInput(f"it names no piece of the stream: {_DISCARD.format(id=letter.id)}")
    try:
        records = list(_entries(client("dynamodbstreams"), batch))
    except ClientError as error:
        if error.response["Error"]["Code"] != "TrimmedDataAccessException":
            raise
        raise Conflict(
            "the stream keeps its records for 24 hours, and these are older. Their entries are in the table, calls "
            "that were lost have been made by the sweep, and nothing is left to publish: "
            + _DISCARD.format(id=letter.id)
        ) from None
    if failed := publish(client("events"), bus, records):
        raise Conflict(f"the bus did not take all of it (stopped at {failed}): try again")
    return f"the domain bus ({len(records)} events)"


def _entries(streams: Any, batch: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """New timeline entries from the first to the last sequence number of the batch."""
    last = int(batch["endSequenceNumber"])
    iterator = streams.get_shard_iterator(
        StreamArn=batch["streamArn"],
        ShardId=batch["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=batch["startSequenceNumber"],
    )["ShardIterator"]
    while iterator:
        answer = streams.get_records(ShardIterator=iterator)
        for record in answer["Records"]:
            if int(record["dynamodb"]["SequenceNumber"]) > last:
                return
            if record["eventName"] == "INSERT" and record["dynamodb"]["Keys"]["sk"]["S"].startswith("TL#"):
                yield record
        iterator = answer.get("NextShardIterator") if answer["Records"] else None
