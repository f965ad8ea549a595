"""The commands for the night when incidentio is down: run by a real shell, with an `aws` that only writes down."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from incidentio.core.playbook import Playbook
from incidentio.mitigate.actions import commands_for
from tests.unit.mitigate_actions.estate import PLACE, TARGETS

_AWS = """#!/bin/sh
case "$*" in
  *"keys("*) echo "$ROUTED" ;;
  *list-versions*) echo "$VERSIONS" ;;
  *--query*) echo "$ANSWER" ;;
  *get-schedule*) echo '{"Name": "nightly", "Arn": "a", "CreationDate": "x", "State": "ENABLED"}' ;;
  *) echo "$*" >> "$LOG" ;;
esac
"""


@pytest.fixture
def run(tmp_path: Path) -> Any:
    aws = tmp_path / "aws"
    aws.write_text(_AWS)
    aws.chmod(0o755)

    def run(lines: tuple[str, ...], answer: str, **more: str) -> list[str]:
        log = tmp_path / "log"
        log.write_text("")
        env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ANSWER": answer, "LOG": str(log), **more}
        subprocess.run(["bash", "-euc", "\n".join(lines)], check=True, env=env, cwd=tmp_path)
        return log.read_text().splitlines()

    return run


def commands(name: str, **given: Any) -> Any:
    book = Playbook.model_validate(
        {
            "name": "test-playbook",
            "version": "1.0.0",
            "owner": "tests",
            "risk": "safe",
            "targets": {"type": TARGETS[name].split("|")[0]},
            "steps": [{"action": name, "with": given}],
        }
    )
    return commands_for(book, target=TARGETS[name], values={}, place=PLACE)


LAMBDA = "--function-name checkout --region eu-west-1"
ECS = "ecs update-service --cluster shop --region eu-west-1 --service web --desired-count"


@pytest.mark.parametrize(
    ("answer", "undone"),
    [
        ("None", f"lambda delete-function-concurrency {LAMBDA}"),
        ("50", f"lambda put-function-concurrency {LAMBDA} --reserved-concurrent-executions 50"),
    ],
)
def test_a_cap_is_given_back_as_it_was(run: Any, answer: str, undone: str) -> None:
    told = commands("set-reserved-concurrency", value=0)
    done = run((*told.look, *told.do, *told.undo), answer)
    assert done == [f"lambda put-function-concurrency {LAMBDA} --reserved-concurrent-executions 0", undone]


@pytest.mark.parametrize(
    ("now", "given", "after"),
    [
        (4, {"add": 2, "max": 10}, 6),
        (9, {"add": 2, "max": 10}, 10),
        (12, {"add": 2, "max": 10}, 12),
        (0, {"add": 1, "min": 3, "max": 10}, 3),
        (4, {"add": -3, "min": 2, "max": 10}, 2),
        (1, {"add": -3, "min": 2, "max": 10}, 1),
        (4, {"value": 7, "max": 10}, 7),
    ],
)
def test_the_shell_counts_as_the_action_does(run: Any, now: int, given: dict[str, int], after: int) -> None:
    told = commands("set-desired-count", **given)
    assert run((*told.look, *told.do, *told.undo), str(now)) == [f"{ECS} {after}", f"{ECS} {now}"]


@pytest.mark.parametrize(("answer", "undone"), [("ENABLED", 1), ("DISABLED", 0)])
def test_only_a_rule_that_was_enabled_is_enabled_again(run: Any, answer: str, undone: int) -> None:
    told = commands("disable-rule", rule="loop")
    done = run((*told.look, *told.do, *told.undo), answer)
    assert len(done) == 1 + undone
    assert done[0].startswith("events disable-rule --name loop")


@pytest.mark.skipif(shutil.which("jq") is None, reason="the commands for a schedule need jq")
@pytest.mark.parametrize(("answer", "states"), [("ENABLED", ["DISABLED", "ENABLED"]), ("DISABLED", ["DISABLED"])])
def test_a_schedule_is_written_back_whole_and_enabled_only_if_it_was(run: Any, answer: str, states: list[str]) -> None:
    told = commands("disable-schedule", schedule="nightly")
    done = "\n".join(run((*told.look, *told.do, *told.undo), answer))
    written = [json.loads(part.split("scheduler update-schedule")[0]) for part in done.split("--cli-input-json ")[1:]]
    assert written == [{"Name": "nightly", "State": state} for state in states]


@pytest.mark.parametrize(
    ("now", "routed", "published", "to"),
    [
        ("10", "10", "$LATEST\t1\t2\t9\t10\t11", "9"),
        ("7", "7\t9", "$LATEST\t7\t8\t9", "7"),
        ("9", "9\t7", "$LATEST\t7\t8\t9", "7"),
    ],
)
def test_the_shell_finds_the_version_before_as_the_action_does(
    run: Any, now: str, routed: str, published: str, to: str
) -> None:
    told = commands("set-alias-version", alias="live")
    done = run((*told.look, *told.do, *told.undo), now, ROUTED=routed, VERSIONS=published)
    update = "lambda update-alias --function-name checkout --region eu-west-1 --name live --function-version"
    assert [line.split(" --routing-config")[0] for line in done] == [f"{update} {to}", f"{update} {now}"]


@pytest.mark.parametrize(("now", "raised"), [("40", "60"), ("90", "100"), ("100", None), ("0", None), ("None", None)])
def test_the_shell_raises_a_cap_as_the_action_does(run: Any, now: str, raised: str | None) -> None:
    told = commands("set-reserved-concurrency", add=20, max=100)
    done = run((*told.look, *told.do, *told.undo), now)
    put = f"lambda put-function-concurrency {LAMBDA} --reserved-concurrent-executions"
    assert done == ([f"{put} {raised}", f"{put} {now}"] if raised else [])


@pytest.mark.parametrize(
    ("concurrency", "answer", "done"),
    [
        (5, "a None\nb 50\nc 3", ["a 5", "b 5", "a {}", "b 50", "c 3"]),
        (0, "a b", ["a --no-enabled", "b --no-enabled", "a --enabled", "b --enabled"]),
    ],
)
def test_the_shell_slows_every_mapping_and_lets_go(run: Any, concurrency: int, answer: str, done: list[str]) -> None:
    told = commands("slow-event-sources", concurrency=concurrency)
    update = "lambda update-event-source-mapping --region eu-west-1 --uuid "
    lines = run((*told.look, *told.do, *told.undo), answer)
    assert [
        line.removeprefix(update).replace("--scaling-config ", "").replace("MaximumConcurrency=", "") for line in lines
    ] == done


@pytest.mark.parametrize(("now", "changes"), [("None", True), ("3", False), ("5", False), ("9", True)])
def test_the_shell_lowers_and_never_raises_another_function(run: Any, now: str, changes: bool) -> None:
    told = commands("cap-function", function="reports", value=5)
    assert bool(run((*told.look, *told.do), now)) == changes


@pytest.mark.parametrize(("now", "changes"), [("None", True), ("0", False), ("3", True), ("20", False), ("30", False)])
def test_the_shell_reserves_and_takes_nothing_away(run: Any, now: str, changes: bool) -> None:
    told = commands("reserve-concurrency", value=20)
    assert bool(run((*told.look, *told.do), now)) == changes


def test_the_shell_slows_streams_by_their_own_number(run: Any) -> None:
    told = commands("slow-event-sources", concurrency=5, parallel=2)
    lines = run((*told.look, *told.do, *told.undo), "a 50 None\nb None 10\nc None 1")
    assert [line.partition("--uuid ")[2] for line in lines] == [
        "a --scaling-config MaximumConcurrency=5",
        "b --parallelization-factor 2",
        "a --scaling-config MaximumConcurrency=50",
        "b --parallelization-factor 10",
        "c --parallelization-factor 1",
    ]


@pytest.mark.parametrize(
    ("now", "done"),
    [
        ("None", ["10 20", "remove"]),
        ("1000.0 500", ["10 20", "1000.0 500"]),
        ("0.5 500", ["0.5 20", "0.5 500"]),
        ("1000.0 3", ["10 3", "1000.0 3"]),
        ("-1 -1", ["10 20", "-1 -1"]),
    ],
)
@pytest.mark.parametrize(
    ("action", "given"), [("throttle-stage", {"api_id": "abc"}), ("throttle-usage-plan", {"usage_plan": "abc"})]
)
def test_the_shell_lowers_a_limit_as_the_action_does(
    run: Any, action: str, given: dict[str, Any], now: str, done: list[str]
) -> None:
    told = commands(action, rate=10, burst=20, **given)
    lines = run((*told.look, *told.do, *told.undo), now)
    numbers = [" ".join(re.findall(r"value=(\S+)", line)) or "remove" * ("op=remove" in line) for line in lines]
    assert numbers == done


@pytest.mark.parametrize(
    ("now", "given", "done"),
    [
        ("None 10 25 None None", {}, ["10 25", "20 40"]),
        ("PROVISIONED 10 50 None None", {"what": "write"}, ["10 50", "10 50"]),
        ("PROVISIONED 3 25 None None", {"percent": 50, "index": "by-day"}, ["3 25", "5 38"]),
        ("PAY_PER_REQUEST 0 0 -1 30", {}, ["-1 30", "-1 40"]),
    ],
)
def test_the_shell_raises_capacity_as_the_action_does(
    run: Any, now: str, given: dict[str, Any], done: list[str]
) -> None:
    told = commands("raise-table-capacity", **{"percent": 100, "max": 40, **given})
    lines = run((*told.look, *told.do, *told.undo), now)
    assert [" ".join(re.findall(r"Units=(-?\d+)", line)) for line in lines] == done[::-1]
    assert all(("by-day" in line) == ("index" in given) for line in lines)
