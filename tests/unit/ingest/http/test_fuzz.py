"""Whatever is sent to the door: an answer, never a 5xx, and nothing in the queue that ingest cannot read."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from incidentio.core.attachment import Attachment
from incidentio.core.catalog import Catalog
from incidentio.core.signal import Signal
from incidentio.ingest.message import read
from incidentio.ingest.observation import Observation
from tests.unit.ingest.doors import sample, signal
from tests.unit.ingest.http.conftest import Yard

YARD = Yard()
for each in ("alertmanager", "pagerduty", "signals"):
    YARD.integration(each)  # type: ignore[arg-type]
ATTACHMENT = Attachment(own_prefix="incidentio", catalog=Catalog())
HOSTILE = [
    "a\r\nSet-Cookie: x", "{{7*7}}", "$.incident", "<script>alert(1)</script>", "🔥" * 40, "\x00\x1b[31m", "\u202etxet",
    "../../etc/passwd", "'; DROP TABLE incidents;--", "", " ", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "2026-03-01T11:00:00Z", "critical", "resolved", "firing", "trigger", "acknowledge", "resolve", "ok",
    "signal/v1", "1.0", "4", "x" * 3000,
]  # fmt: skip
text = st.sampled_from(HOSTILE) | st.text(max_size=60)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=15,
)


def changed(document: dict[str, Any], *, inside: tuple[str, ...] = ()) -> st.SearchStrategy[dict[str, Any]]:
    """`document` with any of its fields, and those of the objects `inside`, replaced or gone."""
    gone = st.just(...)
    fields = {name: st.just(value) | anything | gone for name, value in document.items()}
    for name in inside:
        fields[name] = changed(document[name]) | anything
    return st.fixed_dictionaries(fields).map(lambda made: {k: v for k, v in made.items() if v is not ...})


ALERT = json.loads(sample("alertmanager_firing"))["alerts"][0]


def notified(**changes: Any) -> dict[str, Any]:
    return {"version": "4", "alerts": [{**ALERT, **changes}]}


EVENT = {**json.loads(sample("pagerduty_trigger")), "routing_key": YARD.keys["pagerduty"]}
BODIES = {
    "alertmanager": st.fixed_dictionaries(
        {
            "version": st.sampled_from(["4", "1"]) | anything,
            "alerts": st.lists(changed(ALERT, inside=("labels", "annotations")), max_size=3) | anything,
        }
    ),
    "pagerduty": changed(EVENT, inside=("payload",)),
    "signals": changed(json.loads(json.dumps(signal("firing", YARD.desk.at(0)))))
    | changed(json.loads(sample("cloudevents_structured")), inside=("data",)),
}
HEADERS = st.sampled_from(
    [
        {},
        {"content-type": "application/cloudevents+json"},
        {"content-type": "application/cloudevents-batch+json"},
        {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/a", "ce-type": "b"},
        {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "%ff%0d%0a", "ce-type": "%F0%9F%94%A5"},
    ]
)


def send(kind: str, body: Any, headers: dict[str, str] | None = None) -> int:
    raw = body if isinstance(body, str) else json.dumps(body)
    try:
        reply = YARD.post(kind, raw, headers=headers)
        assert reply.status in (202, 400, 413), reply
        assert (reply.status == 202) or not YARD.queue
        for message in YARD.queue:
            message.encode("ascii")
            found = read(message, attachment=ATTACHMENT, now=YARD.desk.clock())
            if isinstance(found, Observation):
                inert(found.build(YARD.desk.clock()))
    finally:
        YARD.queue.clear()
    return reply.status


def inert(signal: Signal) -> None:
    for shown in (signal.title, signal.reason, signal.dedup_key, *signal.tags, *signal.tags.values()):
        assert shown.isprintable() or not set(shown) & set("\r\n\t\x00\x1b\x7f")
        shown.encode()
    assert signal.dedup_key.startswith("integration/")


@settings(max_examples=300)
@given(data=st.data())
def test_no_document_breaks_the_door(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(BODIES)))
    send(kind, data.draw(BODIES[kind] | anything | st.lists(BODIES[kind], max_size=3)), data.draw(HEADERS))


@settings(max_examples=200)
@given(raw=st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")), headers=HEADERS)
def test_no_bytes_break_the_door(raw: str, headers: dict[str, str]) -> None:
    for kind in BODIES:
        send(kind, raw, headers)


@settings(max_examples=100)
@given(headers=st.dictionaries(st.sampled_from(["Authorization", "X-Api-Key", "webhook-id"]) | text, text), query=text)
def test_no_header_or_query_opens_or_breaks_the_door(headers: dict[str, str], query: str) -> None:
    for kind in BODIES:
        assert YARD.post(kind, "{}", headers=headers, query={"key": query}, key=None).status in (400, 401)


def test_a_megabyte_and_deep_documents_are_cut_to_size_or_refused() -> None:
    large, deep = "x" * 1_000_000, json.loads("[" * 500 + "]" * 500)
    assert (
        send(
            "alertmanager",
            notified(annotations={"summary": large, "description": large}),
        )
        == 202
    )
    assert send("alertmanager", notified(labels={"alertname": deep, "x": {"y": deep}})) == 202
    assert send("pagerduty", {**EVENT, "payload": {**EVENT["payload"], "custom_details": {"a": deep}}}) == 202
    assert send("pagerduty", {**EVENT, "payload": {**EVENT["payload"], "summary": large}}) == 413
    assert send("signals", {**signal("firing", YARD.desk.at(0)), "reason": large}) == 400
    for name in HOSTILE:
        labels = {"alertname": name, name: name, "service": name, "severity": name}
        assert send("alertmanager", notified(labels=labels, fingerprint=name)) == 202
