"""Whatever is sent: an answer of the documented shape, and never a 500."""

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.api.conftest import World

WORLD = World()
OPEN, OVER = WORLD.opened(), WORLD.opened()
WORLD.alice.post(f"/incidents/{OVER}/resolve")

DOCUMENT = WORLD.alice.get("/openapi.json")
OPERATIONS = sorted((method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item)
NAMES = sorted({n for s in DOCUMENT["components"]["schemas"].values() for n in s.get("properties", {})})
KNOWN = [
    OPEN, OVER, "INC-000000", "SEV1", "open", "approve", "scribe", "checkout", "all", "throttle-function",
    "2026-03-01T10:00:00Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "false_positive", "",
]  # fmt: skip

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40) | st.sampled_from(KNOWN),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
likely = st.dictionaries(st.sampled_from(NAMES), anything, max_size=6)
segment = st.sampled_from([OPEN, OVER, "throttle-function", "APR-" + OPEN[4:] + "-" + "A" * 21]) | st.text(
    st.characters(blacklist_characters="/?#", blacklist_categories=["Cs"]), min_size=1, max_size=20
)
parameter = st.sampled_from(["status", "limit", "cursor", "next", "severity", "kind"])
header = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=140)


def schema_of(method: str, path: str) -> dict[str, Any]:
    content = DOCUMENT["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    name = str(schema.get("$ref") or (schema.get("allOf") or [{}])[0].get("$ref", "")).rsplit("/", 1)[-1]
    return dict(DOCUMENT["components"]["schemas"].get(name, {}))


@settings(max_examples=400)
@given(data=st.data())
def test_no_request_breaks_the_api(data: st.DataObject) -> None:
    method, template = data.draw(st.sampled_from(OPERATIONS))
    path = template.replace("{incident_id}", data.draw(segment)).replace("{name}", data.draw(segment))
    path = path.replace("{approval_id}", data.draw(segment))
    own = st.fixed_dictionaries({}, optional=dict.fromkeys(schema_of(method, template).get("properties", {}), anything))
    body = data.draw(own | likely | anything)
    headers = data.draw(st.fixed_dictionaries({}, optional={"If_Match": header, "Idempotency_Key": header}))
    answer = WORLD.alice.call(method, path, raw=json.dumps(body), **headers)
    assert WORLD.defects == [], (method, path, body)
    assert answer.status < 500
    if answer.status >= 400:
        assert answer.error["message"]


@settings(max_examples=200)
@given(raw=st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_no_bytes_break_the_api(raw: str) -> None:
    assert WORLD.alice.call("POST", "/incidents", raw=raw).status in (201, 400)


@settings(max_examples=200)
@given(
    query=st.dictionaries(st.sampled_from(["status", "limit", "cursor", "next", "severity", "kind"]) | segment, header)
)
def test_no_query_breaks_the_api(query: dict[str, str]) -> None:
    for path in ("/incidents", f"/incidents/{OPEN}/timeline"):
        assert WORLD.alice.call("GET", f"{path}?{urlencode(query)}").status in (200, 400)
