"""The plain commands of every playbook in a real bash, with an `aws`, `kubectl` and `curl` that only write down."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from incidentio.core.risk import Risk
from incidentio.mitigate.actions import Commands
from infra.cases.model import ROOT, playbooks
from infra.documents import load_playbooks
from infra.pages.__main__ import examples
from infra.pages.commands import example_commands

Run = Callable[..., tuple[list[str], str]]

_STUB = """#!/bin/sh
case "$0 $*" in
  */aws\\ *\\ get-*|*/aws\\ *\\ list-*|*/aws\\ *\\ describe-*|*/aws\\ *\\ update-kubeconfig\\ *|*/kubectl\\ get\\ *) ;;
  */curl\\ *--json*) echo "$*" >> "$LOG" ;;
  */curl\\ *) ;;
  *) echo "$*" >> "$LOG" ;;
esac
[ "$FAILS" ] && echo 'Unable to locate credentials' >&2 && exit 255
[ "$NO_POLICY" ] && echo 'An error occurred (NoSuchEntity) when calling it' >&2 && exit 254
case "$*" in *get-parameter*) ANSWER=${RECORDED:-$ANSWER} ;; esac
printf '%s\\n' "$ANSWER"
"""
_ANSWERS = {
    "limit-at-edge": '{"WebACL": {"Rules": [{"Name": "RULE", "Action": {"Count": {}}}]}}',
    "raise-table-capacity": "PROVISIONED 10 25 None None",
    "restore-network-rule": "",
    "rollback-function": "3\t2",
    "rollback-service": "arn:aws:ecs:eu-west-1:1:task-definition/web:1\tarn:aws:ecs:eu-west-1:1:task-definition/web:2",
    "slow-consumers": "a None None",
    "throttle-ingestion": "a None None",
}
"""What AWS says where a number makes no sense."""
_RECORDED = {
    "restore-network-rule": "False tcp 443 443 10.0.0.0/16",
    "restore-route": "10.20.0.0/16 igw-1",
}
"""What Parameter Store says."""

_BOOKS = load_playbooks(ROOT / "playbooks")
_ACTING = {name for name in playbooks() if _BOOKS[name].risk is not Risk.READ_ONLY}
_NONE_IS_AN_ANSWER = {
    "failover-database",  # it is in no cluster
    "raise-concurrency",  # no cap, no reservation
    "reserve-critical-capacity",
    "restore-network-rule",  # no rule was recorded, so none is missing
    "revoke-role-sessions",  # no policy yet
    "throttle-api",  # no limit of its own
    "throttle-function",
}
acting = pytest.mark.parametrize("name", sorted(_ACTING))


def plain(name: str) -> Commands:
    return example_commands(_BOOKS[name], examples(name))[2]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    for command in ("aws", "kubectl", "curl"):
        stub = tmp_path / command
        stub.write_text(_STUB)
        stub.chmod(0o755)

    def run(*lines: Sequence[str], answer: str = "5", **more: str) -> tuple[list[str], str]:
        log = tmp_path / "log"
        log.write_text("")
        env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LOG": str(log), "ANSWER": answer, **more}
        script = "\n".join([*(line for part in lines for line in part), "echo still here"])
        # Read from standard input, as a person pastes it.
        done = subprocess.run(["bash"], input=script, env=env, cwd=tmp_path, check=True, capture_output=True, text=True)
        assert done.stdout.endswith("still here\n"), "the shell it is pasted into goes on"
        return log.read_text().splitlines(), done.stdout + done.stderr

    return run


@acting
@pytest.mark.parametrize("more", [{"FAILS": "yes"}, {"answer": ""}])
def test_nothing_is_done_or_undone_after_a_look_that_failed(name: str, more: dict[str, str], run: Run) -> None:
    told = plain(name)
    written, said = run(told.look, told.do, told.undo, **more)
    if name == "restore-network-rule" and "answer" in more:
        assert written == []  # no rule was recorded, so none is missing
        return
    assert written == []
    assert "nothing was done: a look failed or found nothing" in said
    assert ("nothing was undone" in said) == bool(told.undo)


@pytest.mark.parametrize("name", sorted(_ACTING - _NONE_IS_AN_ANSWER))
@pytest.mark.parametrize("missing", ["None", "null"])
def test_a_value_that_is_not_there_is_nothing_found(name: str, missing: str, run: Run) -> None:
    told = plain(name)
    written, said = run(told.look, told.do, told.undo, answer=missing)
    assert "the look failed or found nothing" in said
    assert written == []


@acting
def test_nothing_is_done_without_a_look(name: str, run: Run) -> None:
    told = plain(name)
    assert run(told.do, told.undo)[0] == []


@acting
@pytest.mark.skipif(shutil.which("jq") is None, reason="some of the commands need jq")
def test_after_a_look_it_is_done(name: str, run: Run) -> None:
    told = plain(name)
    written, said = run(told.look, told.do, answer=_ANSWERS.get(name, "5"), RECORDED=_RECORDED.get(name, ""))
    assert written, said
    assert "BEFORE_1" in said


def test_what_a_look_says_to_keep_can_be_pasted_into_another_shell(run: Run) -> None:
    told = plain("isolate-instance")
    _, said = run(told.look, answer="eni-1\tsg-1 sg-2\neni-2\tsg-3")
    kept = [line for line in said.splitlines() if line.startswith("BEFORE_")]
    written, _ = run(kept, told.undo)
    assert [line.partition("--groups ")[2] for line in written if "--groups" in line] == ["sg-1 sg-2", "sg-3"]


@pytest.mark.parametrize("more", [{"FAILS": "yes"}, {"NO_POLICY": "yes"}])
def test_only_no_such_entity_means_that_there_is_no_policy(more: dict[str, str], run: Run) -> None:
    _, said = run(plain("revoke-role-sessions").look, **more)
    assert ("BEFORE_1=None  # keep this line\n" in said) == ("NO_POLICY" in more)


def test_a_block_list_and_a_node_with_nothing_set_are_an_answer() -> None:
    assert "--output json" in plain("block-at-edge").look[1], "an empty list as text is nothing at all"
    assert "jsonpath=unschedulable={" in plain("cordon-node").look[2]
