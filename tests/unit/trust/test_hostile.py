"""Names and bodies that try to be more than text stay inert in every sink, through every contract ingest knows.

Each sample of `events/` is mutated in any place and walks the whole way; then everything that was stored, published,
put on the bus, logged, printed and drafted is looked at.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidentio.aws.attributes import from_item
from incidentio.cli import output
from incidentio.core.catalog import Catalog
from incidentio.learn.markdown import render
from incidentio.learn.postmortem import facts_of
from tests.trust.cloud import Clients, Cloud
from tests.trust.hostile import PIECES, SECRET, WITH_A_SECRET, deep, is_prose, places, put, values
from tests.trust.path import Path as Way

EVENTS = Path(__file__).parents[3] / "events"
OTHERWISE = ("states_", "alertmanager_", "cloudevents_", "grafana_", "pagerduty_")
SAMPLES = {
    path.stem: json.loads(path.read_text())
    for path in sorted(EVENTS.glob("*.json"))
    if not path.stem.startswith(OTHERWISE) and "ignored" not in path.stem
}
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
"""Just after the samples were sent."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_EVIL_MARKUP = re.compile(r"<script|(?<!\\)\]\(javascript:|(?<!\\)!\[x\]\(http", re.IGNORECASE)


def walk(clients: Clients, bodies: list[str]) -> Way:
    clients.cloud = Cloud()
    way = Way(clients, 1, now=NOW)
    way.send(*bodies)
    way.settle()
    return way


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from (name, *texts(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def inert(way: Way, printed: str, shown: pytest.CaptureFixture[str]) -> None:
    """No crash, no secret, no control character in any sink; dead letters have a reason."""
    cloud = way.cloud
    assert not way.dead, way.dead
    for request in cloud.sent:
        assert request["MessageAttributes"]["reason"]["StringValue"]
        assert not _CONTROL.search(request["MessageAttributes"]["reason"]["StringValue"])
    stored = [from_item(item) for item in cloud.dynamo.items.values()]
    for text in texts([stored, cloud.bus]):
        assert not _CONTROL.search(text), text
        assert SECRET not in text
    for page in cloud.published:
        subject, body = page["Subject"], page["Message"]
        assert len(subject) <= 100
        assert subject.isascii()
        assert subject.isprintable()
        assert SECRET not in body
        assert not _CONTROL.search(body)
        assert all(re.fullmatch(r"[\w .:/@+=-]{1,256}", value) for value in page["attributes"].values()), page[
            "attributes"
        ]
    assert SECRET not in printed
    for line in printed.splitlines():
        assert json.loads(line)
    for pk, sk in list(cloud.dynamo.items):
        if sk == "SUMMARY":
            incident = way.table.incident(pk.removeprefix("INC#"))
            output.emit_facts({"title": incident.title, "why": incident.why})
            output.emit_table(["title"], [(incident.title,)], empty="")
            assert not _CONTROL.search(shown.readouterr().out)
            entries = way.table.timeline(incident.id)
            drafted = render(facts_of(incident, entries, [], catalog=Catalog(), at=way.now))
            assert not _EVIL_MARKUP.search(drafted), _EVIL_MARKUP.search(drafted)
            assert not _CONTROL.search(drafted)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_with_every_piece_in_one_place(
    clients: Clients, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All pieces at once, each in another place, and then the whole way with them."""
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    where = list(places(SAMPLES[name]))
    bodies = [json.dumps(put(SAMPLES[name], where[n * 7 % len(where)], piece)) for n, piece in enumerate(PIECES)]
    bodies += [json.dumps(put(SAMPLES[name], at, WITH_A_SECRET)) for at in where if is_prose(at)]
    way = walk(clients, bodies)
    inert(way, capsys.readouterr().out, capsys)
    assert len(way.cloud.sent) < len(bodies), "nothing came through: this test looks at nothing"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_any_value_in_any_place_of_any_contract(
    clients: Clients, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    document = SAMPLES[data.draw(st.sampled_from(sorted(SAMPLES)))]
    for _ in range(data.draw(st.integers(1, 4))):
        document = put(document, data.draw(st.sampled_from(list(places(document)) or [()])), data.draw(values))
    way = walk(clients, [json.dumps(document)])
    inert(way, "", capsys)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"detail-type": "Signal", "detail": {"incidentio": "signal/v1", "title": "x" * 1024 * 1024}}),
        json.dumps(SAMPLES["signals_own_signal"])[:-1],
        "[" * 100_000,
        json.dumps({"detail-type": "Signal", "detail": deep(400)}),
        "\x00\x01",
        '{"detail-type": NaN}',
        '{"TopicArn": "x", "Message": "' + "\\u0000" * 1000 + '"}',
    ],
    ids=["a megabyte", "cut off", "brackets", "deep", "control", "nan", "nulls"],
)
def test_what_is_no_signal_goes_with_a_reason_and_holds_nothing_up(
    clients: Clients, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    way = walk(clients, [body, json.dumps(SAMPLES["sns_alarm"])])
    inert(way, "", capsys)
    assert len({pk for pk, sk in way.cloud.dynamo.items if sk == "SUMMARY"}) >= 1
