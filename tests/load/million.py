"""What a duplicate and a page of a list cost beside ten open incidents, and beside a million of them.

The table is filled by DynamoDB's own import from S3, in an emulator without the app: only the ingest handler runs.
"""

import gzip
import json
import math
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config

from incidentio.aws.attributes import to_item
from incidentio.aws.stored import incident_item, shard_of
from incidentio.aws.table import DynamoTable
from incidentio.core.ids import iso
from incidentio.core.members import pointer_key
from incidentio.core.ports import Filters
from incidentio.core.routing import Routing
from infra.local import emulator
from infra.local.environment import ACCESS_KEY_ID, ACCOUNT, REGION, SECRET_ACCESS_KEY, endpoint_url, local_client
from infra.local.state import TargetState
from tests.e2e.world import World
from tests.load.counting import Count, counted, environment
from tests.load.money import ASSEMBLY, resources
from tests.load.requests_made import sqs_event
from tests.load.rows import Row, row
from tests.make import opened

FEW, MANY = 10, 1_000_000
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SAMPLES = 5
_BATCH = 10
_IMPORT_SECONDS = 900
_START = datetime(2026, 1, 1, tzinfo=UTC)


def measure(*, many: int = MANY) -> Iterator[Row]:
    """Rows of the cost among `many` open incidents over that among FEW."""
    with tempfile.TemporaryDirectory(prefix="incidentio-bench-") as folder, _emulator(Path(folder)) as port:
        few = _duplicates(_table(port, FEW), port)
        table = _table(port, many)
        among_many = _duplicates(table, port)
        assert few.sent_bytes
        yield row("dedupe_cost_ratio_1m_over_10_open", apart(among_many, few))
        yield row("list_page_read_units_1m", _page(table, port).read_units)


def apart(one: Count, other: Count) -> float:
    """How far two counts are from equal, in what differs most: the larger over the smaller, 1 only if all are equal."""
    pairs = (
        (one.calls, other.calls),
        (one.write_units, other.write_units),
        (one.sent_bytes, other.sent_bytes),
    )
    worst = max(max(pair) / min(pair) for pair in pairs)
    return math.ceil(worst * 10_000) / 10_000  # a row has four digits, and no difference may be rounded away


def _duplicates(table: str, port: int) -> Count:
    """The same signals, delivered again in full batches."""
    description = _description(table, port)
    world = World(description)
    bodies = [json.dumps(world.state_change(_alarm(n), "ALARM", at=_START)) for n in range(_SAMPLES)]
    with environment(description):
        from incidentio.aws.clients import client
        from incidentio.ingest.handler import handler

        with counted(client("dynamodb")) as count:
            for body in bodies:
                assert handler(sqs_event([body] * _BATCH), None) == {"batchItemFailures": []}
    assert set(count.operations) == {"UpdateItem"}, count.operations
    return count


def _page(table: str, port: int) -> Count:
    # The emulator sorts a whole partition for each query.
    patient = botocore.session.get_session().create_client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=endpoint_url(port),
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        config=Config(read_timeout=300),
    )
    with counted(patient) as count:
        page = DynamoTable(patient, table, Routing()).page(Filters(status="open"), limit=50)
    assert len(page.items) == 50
    return count


def _table(port: int, incidents: int) -> str:
    """A table of ours with that many open incidents and the pointers of their alarms."""
    name, bucket = f"open-{incidents:07d}", "import"
    s3, dynamodb = local_client("s3", port), local_client("dynamodb", port)
    s3.create_bucket(Bucket=bucket)
    with tempfile.TemporaryFile() as packed:
        with gzip.open(packed, "wb", compresslevel=1) as lines:
            for item in _items(incidents):
                lines.write(json.dumps({"Item": item}, separators=(",", ":")).encode() + b"\n")
        packed.seek(0)
        s3.put_object(Bucket=bucket, Key=name, Body=packed)
    answer = dynamodb.import_table(
        S3BucketSource={"S3Bucket": bucket, "S3KeyPrefix": name},
        InputFormat="DYNAMODB_JSON",
        InputCompressionType="GZIP",
        TableCreationParameters={"TableName": name, **_layout()},
    )
    arn, deadline = answer["ImportTableDescription"]["ImportArn"], time.monotonic() + _IMPORT_SECONDS
    while True:
        told = dynamodb.describe_import(ImportArn=arn)["ImportTableDescription"]
        if told["ImportStatus"] == "COMPLETED":
            assert told["ImportedItemCount"] == 2 * incidents, told
            return name
        if told["ImportStatus"] != "IN_PROGRESS" or time.monotonic() > deadline:
            raise RuntimeError(f"the import ended as {told['ImportStatus']}: {told}")
        time.sleep(0.5)


def _items(incidents: int) -> Iterator[dict[str, Any]]:
    """Each incident is the first one with another id, alarm and time: the stored form of a real one."""
    arn = _arn(_alarm(0))
    first = opened(id="INC-000000", title=_alarm(0), dedup_key=arn, triaged_at=_START, members=1, firing=1).incident
    summary = incident_item(first, None)
    pointer = {"open": True, "state": "firing", "mode": "live", "fence": iso(_START), "count": 1, "stale": 0}
    for n in range(incidents):
        incident_id, name = _id(n), _alarm(n)
        started = iso(_START + timedelta(seconds=n % 86_400))
        yield to_item(
            {**summary, "id": incident_id, "pk": f"INC#{incident_id}", "title": name, "dedup_key": _arn(name)}
            | {"gpk": f"OPEN#{shard_of(incident_id)}", "gsk": started}
        )
        key = pointer_key(_arn(name))
        yield to_item({"pk": key.pk, "sk": key.sk, "incident_id": incident_id, **pointer})


def _layout() -> Mapping[str, Any]:
    """Keys and index of our table, as they are deployed."""
    (table,) = (r["Properties"] for r in resources(ASSEMBLY) if r["Type"] == "AWS::DynamoDB::Table")
    return {
        name: table[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
    }


def _id(n: int) -> str:
    return "INC-" + "".join(_ALPHABET[n >> shift & 31] for shift in range(25, -1, -5))


def _alarm(n: int) -> str:
    return f"checkout-{n:07d}"


def _arn(alarm: str) -> str:
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm}"


def _description(table: str, port: int) -> dict[str, Any]:
    nothing = f"{endpoint_url(port)}/{ACCOUNT}/nothing"
    return {
        "endpoint_url": endpoint_url(port),
        "region": REGION,
        "account": ACCOUNT,
        "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SECRET_ACCESS_KEY,
        "outputs": {"TableName": table, "IngestDlqUrl": nothing, "SignalTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:s"},
    }


@contextmanager
def _emulator(home: Path) -> Iterator[int]:
    state = TargetState(home, emulator.free_port())
    emulator.start(state)
    try:
        yield state.port
    finally:
        state.emulator.stop()
