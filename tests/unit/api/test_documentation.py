"""Every example in docs/api.md is a real call: the route is there and the body is accepted."""

import re
import shlex
from pathlib import Path

import pytest

from incidentio.api.errors import STATUS
from tests.unit.api.conftest import World

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
EXAMPLES = re.findall(r"^api (.+)$", PAGE, re.MULTILINE)


def test_the_page_has_an_example_of_every_route(world: World) -> None:
    wanted = {
        (method.upper(), path) for path, item in world.alice.get("/openapi.json")["paths"].items() for method in item
    }
    shown = {(method, generic(path.partition("?")[0])) for method, path, *_ in map(words, EXAMPLES)}
    assert shown == wanted


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_is_understood(world: World, example: str) -> None:
    method, path, *options = words(example)
    body = options[options.index("-d") + 1] if "-d" in options else None
    given = [options[i + 1].split(": ", 1) for i, word in enumerate(options) if word == "-H"]
    headers = {name.replace("-", "_"): value for name, value in given}
    answer = world.alice.call(method, path.replace("INC-7K3F9A", world.opened()), raw=body, **headers)
    understood = answer.status < 300 or answer.status in (404, 409)
    assert understood, answer
    if answer.status == 404:
        assert "/openapi.json" not in answer.error["message"]


def test_the_table_of_errors_is_complete() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)}
    assert told == {*STATUS.values(), 500}


def words(example: str) -> list[str]:
    return shlex.split(example, comments=True)


def generic(path: str) -> str:
    path = re.sub(r"^/integrations/[\w-]+", "/integrations/{name}", path)
    path = re.sub(r"INC-\w{6}", "{incident_id}", path, count=1)
    path = re.sub(r"RUN-[\w-]+", "{run_id}", path)
    path = re.sub(r"APR-[\w-]+", "{approval_id}", path)
    path = re.sub(r"SIL-[\w-]+", "{silence_id}", path)
    path = re.sub(r"MNT-[\w-]+", "{window_id}", path)
    return re.sub(r"/playbooks/[\w-]+", "/playbooks/{name}", path)
