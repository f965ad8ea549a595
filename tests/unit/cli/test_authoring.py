"""`incidentio playbooks new|lint|render`: on a folder, without a deployment."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from incidentio.cli.main import main
from incidentio.cli.trying import tried
from incidentio.core.errors import NotFound
from infra.cases.model import load_cases


def playbooks_command(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["playbooks", *arguments])


@pytest.mark.parametrize("like", [[], ["--like", "scale-out-service"]])
def test_a_new_one_is_without_mistakes_and_has_cases(tmp_path: Path, like: list[str]) -> None:
    made = playbooks_command("new", "cap-reports", "--owner", "reporting", "--folder", str(tmp_path), *like)
    assert made.exit_code == 0, made.output
    home = tmp_path / "cap-reports"
    assert made.stdout.split() == [str(home / file) for file in ("playbook.yaml", "cases.yaml", "README.md")]
    assert "owner: reporting\n" in (home / "playbook.yaml").read_text()
    assert (home / "README.md").read_text().startswith("# cap-reports\n")
    assert not [text for file in home.iterdir() if "NAME" in (text := file.read_text()) or "scale-out" in text]
    assert {case.expect.outcome for case in load_cases("cap-reports", tmp_path)} >= {"succeeded", "refused", "planned"}
    assert playbooks_command("lint", "--folder", str(tmp_path)).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["Cap!"], "'Cap!' is not a name"),
        (["taken"], "taken is there already"),
        (["cap-reports", "--like", "nope"], "there is no playbook 'nope' to copy. List them: ls playbooks"),
        (["cap-reports", "--like", "_skeleton"], "there is no playbook '_skeleton' to copy"),
    ],
)
def test_what_cannot_be_made_is_told_and_nothing_is(tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "taken").mkdir()
    refused = playbooks_command("new", *arguments, "--folder", str(tmp_path))
    assert refused.exit_code == 1
    assert says in refused.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


def test_lint_tells_each_mistake_with_its_line_and_what_would_be_right(tmp_path: Path) -> None:
    playbooks_command("new", "cap-reports", "--folder", str(tmp_path))
    playbooks_command("new", "cap-others", "--folder", str(tmp_path))
    path = tmp_path / "cap-reports" / "playbook.yaml"
    path.write_text(path.read_text().replace("set-reserved-concurrency", "set-cap"))
    cases = tmp_path / "cap-others" / "cases.yaml"
    cases.write_text(cases.read_text().replace("given: {reserved_concurrency: 2}", "given: {reserve: 2}"))
    told = playbooks_command("lint", "--folder", str(tmp_path))
    assert told.exit_code == 1
    other, own = told.stdout.splitlines()
    assert "cap-others/cases.yaml:18: [3].given.reserve: unknown value: valid are " in other
    assert "cap-reports/playbook.yaml:16: steps[0].action: unknown action 'set-cap': valid are " in own
    assert told.stderr == "2 playbooks, 2 mistakes\n"
    assert playbooks_command("lint", "cap-others", "--folder", str(tmp_path)).stdout == f"{other}\n"
    as_json = CliRunner().invoke(main, ["--json", "playbooks", "lint", "cap-reports", "--folder", str(tmp_path)])
    assert json.loads(as_json.stdout) == {"checked": ["cap-reports"], "mistakes": [own]}


def test_lint_holds_the_parameters_of_cases_against_the_playbook(tmp_path: Path) -> None:
    playbooks_command("new", "cap-reports", "--folder", str(tmp_path))
    cases = tmp_path / "cap-reports" / "cases.yaml"
    text = cases.read_text().replace("limit: 3", "limit: -7", 1)
    cases.write_text(text.replace("when: {dry_run", "when: {parameters: {lmit: 1}, dry_run"))
    few, unknown = playbooks_command("lint", "--folder", str(tmp_path)).stdout.splitlines()
    assert re.search(r"cases.yaml:\d+: \[0\].when.parameters.limit: parameter limit must be at least", few)
    assert re.search(r"cases.yaml:\d+: \[\d\].when.parameters.lmit: unknown parameter: the playbook takes ", unknown)


def test_an_empty_file_and_a_folder_without_one_are_mistakes(tmp_path: Path) -> None:
    for name in ("empty", "none"):
        (tmp_path / name).mkdir()
    (tmp_path / "empty" / "playbook.yaml").write_text("")
    empty, none = playbooks_command("lint", "--folder", str(tmp_path)).stdout.splitlines()
    assert "empty/playbook.yaml:1:" in empty
    assert none.endswith("a playbook's folder holds a playbook.yaml; there is none")


def test_lint_of_what_is_not_there_names_what_is() -> None:
    told = playbooks_command("lint", "nope")
    assert told.exit_code == 1
    assert "there is no playbook 'nope' here. List them: ls " in told.stderr


def test_render_draws_the_way_and_prints_the_rights() -> None:
    drawn = playbooks_command("render", "throttle-function").stdout
    assert drawn.startswith("flowchart TD\n")
    assert "one person approves within 10m" in drawn
    assert "lambda:PutFunctionConcurrency" in drawn
    assert "on arn:aws:lambda:REGION:ACCOUNT:function:*" in drawn
    whole = playbooks_command("render", "throttle-function", "--states").stdout
    assert "start([start]) --> Mode" in whole


def test_trying_wants_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incidentio.cli.trying.ROOT", tmp_path)
    with pytest.raises(NotFound, match="make setup"):
        tried([])


class Item:
    """A test as pytest collects it."""

    def __init__(self, name: str, /, **parameters: Any) -> None:
        self.nodeid = f"{name}[{len(parameters)}]"
        self.originalname = name
        self.callspec = SimpleNamespace(params=parameters)


def report_on(item: Item, message: str | None = None, *, raised: str = "AssertionError") -> SimpleNamespace:
    crash = SimpleNamespace(message=f"{raised}: {message}\nassert 1 == 2")
    return SimpleNamespace(
        nodeid=item.nodeid,
        when="call",
        passed=message is None,
        failed=message is not None,
        longrepr=SimpleNamespace(reprcrash=crash),
    )


@pytest.mark.parametrize(("wrong", "good"), [(None, True), ("expect.finally is 3, and AWS shows 4", False)])
def test_what_was_tried_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, wrong: str | None, good: bool
) -> None:
    throttle, other = SimpleNamespace(name="throttle-function"), SimpleNamespace(name="other")
    case = Item("test_it_does_as_it_promises", playbook=throttle, case=SimpleNamespace(name="caps it"))
    shared = Item("test_a_dry_run_writes_nothing", playbook=throttle)
    items = [case, shared, Item("test_a_dry_run_writes_nothing", playbook=other), Item("test_no_playbook")]

    def run(_arguments: list[str], plugins: list[Any]) -> None:
        (told,) = plugins
        told.pytest_collection_modifyitems(SimpleNamespace(hook=SimpleNamespace(pytest_deselected=dict)), items)
        assert items == [case, shared]
        told.pytest_runtest_logreport(report_on(case, wrong))
        told.pytest_runtest_logreport(report_on(shared))

    monkeypatch.setattr(pytest, "main", run)
    monkeypatch.chdir(".")
    assert tried(["throttle-function"]) is good
    said = capsys.readouterr()
    first = (
        ["failed  throttle-function: caps it", f"        {wrong}"] if wrong else ["ok      throttle-function: caps it"]
    )
    assert said.out.splitlines() == [*first, "ok      throttle-function: a dry run writes nothing"]
    assert said.err == f"{2 - (not good)} of 2 did as they should\n"


def test_where_files_are_wrong_the_rest_is_not_tried_and_no_class_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Item("test_its_page_tells_each_parameter", name="a")
    page.nodeid = f"tests/unit/playbooks/test_library.py::{page.nodeid}"
    own, other = (Item("test_a_dry_run_writes_nothing", playbook=SimpleNamespace(name=name)) for name in ("a", "bb"))
    other.nodeid += "b"

    def run(_arguments: list[str], plugins: list[Any]) -> None:
        (told,) = plugins
        told.pytest_collection_modifyitems(
            SimpleNamespace(hook=SimpleNamespace(pytest_deselected=dict)), [page, own, other]
        )
        assert told.pytest_runtest_protocol(own) is None
        told.pytest_runtest_logreport(report_on(page, "x.yaml:3: no", raised="incidentio.core.errors.InvalidInput"))
        assert told.pytest_runtest_protocol(own) is True
        assert told.pytest_runtest_protocol(other) is None

    monkeypatch.setattr(pytest, "main", run)
    monkeypatch.chdir(".")
    assert tried([]) is False
    assert capsys.readouterr().out.splitlines()[1] == "        x.yaml:3: no"
