"""What DynamoDB may answer besides the record: the contract test knows the rest."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from incidentio.aws.attributes import from_attribute, to_item
from incidentio.aws.listing import page
from incidentio.aws.table import DynamoTable
from incidentio.core.errors import InvalidInput, Unavailable
from incidentio.core.incident import recorded
from incidentio.core.ports import Filters, Key, Put, Record, Stale, Update
from incidentio.core.routing import Routing
from incidentio.core.timeline import Entry
from tests.make import ALICE, NOW, opened

KEY = Key("DEDUP#1", "POINTER")
CONFLICT = ClientError({"Error": {"Code": "TransactionConflictException", "Message": ""}}, "UpdateItem")


class Client:
    """Answers every operation with the next of `answers`, and with the last of them from then on."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self.answers = list(answers)
        self.calls: list[str] = []

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**_given: Any) -> dict[str, Any]:
            self.calls.append(operation)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def table(client: Client) -> tuple[DynamoTable, list[float]]:
    pauses: list[float] = []
    return DynamoTable(client, "table", Routing(), pause=pauses.append), pauses


def test_a_count_that_meets_a_transaction_is_counted_right_after_it() -> None:
    client = Client(CONFLICT, CONFLICT, {"Attributes": to_item({"pk": "p", "sk": "s", "count": 2})})
    counted, pauses = table(client)
    assert counted.add(KEY, {"count": 1}) == {"count": 2}
    assert (len(client.calls), len(pauses)) == (3, 2)
    assert all(0 <= pause < 0.5 for pause in pauses)


@pytest.mark.parametrize("write", [Put(Record(KEY, {"a": 1})), Update(KEY, {"a": 1})])
def test_a_write_that_meets_a_transaction_is_written_right_after_it(write: Put | Update) -> None:
    client = Client(CONFLICT, {})
    table(client)[0].write(write)
    assert len(client.calls) == 2


def test_a_transaction_that_meets_another_is_tried_again_and_then_read_anew() -> None:
    reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
    response: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    conflict = ClientError(response, "TransactWriteItems")
    client = Client(conflict, {})
    table(client)[0].commit(opened())
    assert len(client.calls) == 2
    with pytest.raises(Stale) as stale:
        table(Client(conflict))[0].commit(opened())
    assert stale.value.current is None


def test_endless_conflict_is_unavailable() -> None:
    client = Client(CONFLICT)
    with pytest.raises(Unavailable):
        table(client)[0].add(KEY, {"count": 1})
    assert len(client.calls) < 10


def test_records_that_stay_unprocessed_are_asked_for_again_with_pauses_and_not_for_ever() -> None:
    left = {"Responses": {}, "UnprocessedKeys": {"table": {"Keys": [to_item({"pk": KEY.pk, "sk": KEY.sk})]}}}
    found = {"Responses": {"table": [to_item({"pk": KEY.pk, "sk": KEY.sk, "a": 1})]}}
    records, pauses = table(Client(left, left, found))
    assert records.get_many([KEY]) == {KEY: {"a": 1}}
    assert len(pauses) == 2
    with pytest.raises(Unavailable):
        table(Client(left))[0].get_many([KEY])


@pytest.mark.parametrize("cursor", ["W1tb" * 4000, "_w", "bnVsbA", "eyJhIjogWzEsIDJdfQ"])
def test_a_hostile_cursor_is_invalid_input(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        page(lambda **_: {"Items": []}, Filters(), limit=5, cursor=cursor)


@pytest.mark.parametrize(
    ("written", "stored"),
    [(1.0, "1"), (-0.0, "0"), (1e22, "1" + "0" * 22), (1.5e300 / 1e280, "15" + "0" * 19), (1e-7, "0.0000001")],
)
def test_a_chain_holds_whatever_spelling_dynamodb_chooses_for_a_number(written: float, stored: str) -> None:
    change = recorded(
        opened().incident, "StepApplied", actor=ALICE, at=NOW, text="set", data={"deep": [{"n": written}]}
    )
    entry = change.entries[0]
    read = Entry.model_validate(entry.model_dump() | {"data": {"deep": [{"n": from_attribute({"N": stored})}]}})
    assert read.computed_hash() == entry.hash
