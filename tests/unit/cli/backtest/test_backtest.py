"""`incidentio backtest` on 300 alarms and 14 days, compared line by line with an independent count."""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from incidentio.cli.backtest import command
from incidentio.cli.main import main
from tests.estate import ACCOUNT, END, REGION, SERVICES, CloudWatch, document, item_of, part_of
from tests.unit.cli.backtest.oracle import count, gathered
from tests.unit.cli.backtest.report import counted, printed


class Sts:
    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": ACCOUNT}


class Deployment:
    region = REGION
    found = "a fake"
    bundle = None

    def __init__(self, cloudwatch: CloudWatch) -> None:
        self._clients: dict[str, Any] = {"cloudwatch": cloudwatch, "sts": Sts()}

    def client(self, service: str) -> Any:
        return self._clients[service]


class Now(datetime):
    @classmethod
    def now(cls, tz: Any = None) -> "datetime":  # type: ignore[override]
        return END


Run = Callable[..., Result]


def estate_of(monkeypatch: pytest.MonkeyPatch, told: dict[str, Any]) -> Run:
    monkeypatch.setattr(command, "discover", lambda *_a, **_k: Deployment(CloudWatch(told)))
    monkeypatch.setattr(command, "datetime", Now)
    return lambda *arguments: CliRunner().invoke(main, ["backtest", *arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("estate") / "estate.json"
    file.write_text(json.dumps(document()))
    read: dict[str, Any] = json.loads(file.read_text())
    return read


@pytest.fixture
def run(told: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Run:
    """On the whole estate."""
    return estate_of(monkeypatch, told)


@pytest.fixture
def few(told: dict[str, Any]) -> dict[str, Any]:
    return part_of(told, "checkout-", "orders-Errors", "mail-Cpu", "TargetTracking-")


@pytest.fixture
def run_few(few: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Run:
    return estate_of(monkeypatch, few)


CALM = "flapping: null\nstorm: null\n"
"""Without the rules that make the count depend on more than one alarm, or on long stretches of time."""


def catalog(folder: Path, routing: str = "", *, calm: str = CALM) -> str:
    folder.mkdir()
    lines = ["services:"]
    for name, tier in SERVICES.items():
        lines += [f"  {name}:", f"    tier: {tier}", f'    match: {{alarm_names: ["{name}-*"]}}']
        lines += ["    environment: staging"] if name == "staging-api" else []
    (folder / "services.yaml").write_text("\n".join(lines) + "\n")
    (folder / "routing.yaml").write_text(calm + routing)
    return str(folder)


@pytest.fixture
def plain(tmp_path: Path) -> str:
    return catalog(tmp_path / "plain")


def stormy(told: dict[str, Any]) -> dict[str, Any]:
    """The same with a last night in which 67 alarms fire, second after second, and are ok ten minutes later."""
    names = [alarm["AlarmName"] for alarm in told["alarms"]]
    of = {service: [name for name in names if name.startswith(f"{service}-")] for service in SERVICES}
    first = [*of["checkout"], *of["orders"][:20], *of["payments"][:4]]
    then = [*of["orders"][20:], *of["payments"][4:8], *of["search"][:5], *of["mail"][:1], *of["staging-api"][:3]]
    began = END - timedelta(minutes=25)
    fires = [(name, began + timedelta(seconds=n)) for n, name in enumerate([*first, *then])]
    items = [item_of(name, at, "OK", "ALARM") for name, at in fires]
    items += [item_of(name, at + timedelta(minutes=10), "ALARM", "OK") for name, at in fires]
    return {**told, "history": [*told["history"], *items]}


def test_every_printed_line_is_what_counting_by_hand_gives(
    told: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All rules as they are by default, on the whole estate; no line is left over on either side."""
    told = stormy(told)
    run = estate_of(monkeypatch, told)
    found = printed(run("--catalog", catalog(tmp_path / "default", calm=""), "--limit", "0").stdout)
    rows = count(told["history"])
    storm = gathered(rows)
    expected = counted(rows, storm, told)
    assert found.keys() == expected.keys()
    for title, lines in expected.items():
        assert found[title] == lines, title
    calm = count(told["history"], flapping=False)
    assert storm
    assert sum(len(row.incidents) for row in calm.values()) > sum(len(row.incidents) for row in rows.values()) > 700
    assert [row.joined for row in rows.values()].count(1) > 10


def test_without_flapping_and_storms_it_is_what_counting_without_them_gives(
    run_few: Run, few: dict[str, Any], plain: str
) -> None:
    found = printed(run_few("--catalog", plain, "--limit", "0").stdout)
    assert found == counted(count(few["history"], flapping=False), None, few)


def test_the_same_history_gives_the_same_report(run_few: Run, plain: str) -> None:
    told = [run_few("--catalog", plain, "--json").stdout for _ in range(2)]
    assert told[0] == told[1]
    assert json.loads(told[0])["backtest"]["totals"]["incidents"] > 10


def test_another_routing_says_who_would_hear_less_and_fails_a_pull_request(
    run_few: Run, few: dict[str, Any], plain: str, tmp_path: Path
) -> None:
    quiet = catalog(
        tmp_path / "quiet",
        "route:\n  receiver: ticket\n  routes:\n    - {matchers: ['service=\"checkout\"'], receiver: page}\n",
    )
    same = run_few("--catalog", plain, "--against", quiet, "--fail-on", "hidden", "--json")
    assert same.exit_code == 0
    differences = json.loads(same.stdout)["differences"]
    rows = count(few["history"], flapping=False)
    unpaged = sum(len(row.incidents) for row in rows.values() if row.service == "orders")
    assert {d["change"] for d in differences} == {"unpaged"}
    assert len(differences) == unpaged > 3
    failed = run_few("--catalog", plain, "--against", quiet, "--fail-on", "unpaged", "--limit", "3")
    assert failed.exit_code == 1
    assert f"{unpaged} unpaged" in failed.stdout
    assert "would no longer page, only write a ticket" in failed.stdout
    assert f"differences (3 of {unpaged}; --limit 0 shows all)" in failed.stdout


def test_a_service_taken_out_of_the_catalogue_is_hidden_where_nothing_else_makes_it_live(
    run_few: Run, plain: str, few: dict[str, Any], tmp_path: Path
) -> None:
    folder = Path(catalog(tmp_path / "without"))
    services = (folder / "services.yaml").read_text()
    (folder / "services.yaml").write_text(services.replace('["mail-*"]', '["post-*"]'))
    answer = run_few(
        "--catalog", plain, "--against", str(folder), "--attached", "none", "--fail-on", "hidden", "--json"
    )
    assert answer.exit_code == 1
    hidden = [d for d in json.loads(answer.stdout)["differences"] if d["change"] == "hidden"]
    assert len(hidden) == sum(
        len(r.incidents) for n, r in count(few["history"], flapping=False).items() if n.startswith("mail-")
    )
    assert all(d["alarm"].startswith("mail-") and "monitor mode" in d["sentence"] for d in hidden)


def at_once(names: list[str]) -> dict[str, Any]:
    """These alarms fire a second apart, and are ok again half an hour later."""
    told = document()
    alarms = [a for a in told["alarms"] if a["AlarmName"] in names]
    noon = END - timedelta(days=1)
    fires = [item_of(a["AlarmName"], noon + timedelta(seconds=n), "OK", "ALARM") for n, a in enumerate(alarms)]
    oks = [item_of(a["AlarmName"], noon + timedelta(minutes=30), "ALARM", "OK") for a in alarms]
    return {"alarms": alarms, "tags": {}, "history": [*fires, *oks]}


INHIBITING = """
inhibit_rules:
  - source_matchers: ['alertname="orders-Errors-00"']
    target_matchers: ['alertname=~"orders-Latency-.*"']
    equal: [service]
"""
GROUPING = """
route:
  receiver: page
  group_by: [service]
"""


@pytest.mark.parametrize(
    ("routing", "changes", "says"),
    [
        (INHIBITING, {"grouped": 1}, "inhibited: orders-Errors-00 fires"),
        (GROUPING, {"grouped": 2}, "would be part of the incident of orders-"),
        ("storm: {opens: 2, within: 5m}\n", {"hidden": 0, "grouped": 2}, "told as part of 'Storm: "),
    ],
)
def test_rules_of_the_other_catalogue_hold_in_the_replay(
    *,
    monkeypatch: pytest.MonkeyPatch,
    plain: str,
    tmp_path: Path,
    routing: str,
    changes: dict[str, int],
    says: str,
) -> None:
    told = at_once(["orders-Errors-00", "orders-Latency-01", "orders-Throttles-02"])
    run = estate_of(monkeypatch, told)
    ruled = catalog(tmp_path / "ruled", routing, calm="")
    answer = run("--catalog", plain, "--against", ruled, "--days", "2", "--json")
    assert answer.exit_code == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["backtest"]["totals"]["pages"] == 3
    kinds = Counter(d["change"] for d in found["differences"])
    assert {change: kinds[change] for change in changes} == changes
    assert says in answer.stdout


def test_an_alarm_that_only_joined_others_is_of_their_service_and_one_of_none_says_so(
    monkeypatch: pytest.MonkeyPatch, plain: str, tmp_path: Path
) -> None:
    told = at_once(["orders-Errors-00", "orders-Latency-01", "Box 00 disk"])
    run = estate_of(monkeypatch, told)
    ruled = catalog(tmp_path / "ruled", GROUPING + "  routes: [{matchers: ['service=\"\"'], receiver: ticket}]\n")
    found = printed(run("--catalog", ruled, "--attached", "all", "--limit", "0").stdout)
    assert sorted((cells[0], cells[1], cells[4]) for cells in found["by alarm"][1:]) == [
        ("Box 00 disk", "no service", "0"), ("orders-Errors-00", "orders", "0"), ("orders-Latency-01", "orders", "1"),
    ]  # fmt: skip
    watched = catalog(tmp_path / "watched", "route: {receiver: page, mode: monitor}\n")
    then = run("--catalog", ruled, "--attached", "all", "--against", watched)
    (line,) = (line for line in then.stdout.splitlines() if line.startswith("hidden") and "Box" in line)
    assert re.split(r"  +", line)[2:4] == ["no service", "Box 00 disk"]


def test_an_alarm_that_fired_before_the_period_counts_once(plain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    alarm = {**document()["alarms"][0], "StateValue": "ALARM"}
    told = {"alarms": [alarm], "tags": {}, "history": []}
    run = estate_of(monkeypatch, told)
    found = json.loads(run("--catalog", plain, "--days", "1", "--json").stdout)["backtest"]
    (only,) = found["incidents"]
    assert (only["service"], only["pages"], only["ended_at"]) == ("checkout", 1, None)
    assert found["totals"]["fired"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--fail-on", "hidden"], "--fail-on needs --against"),
        (["--timezone", "Mars/Olympus"], "unknown time zone"),
        (["--attached", "some"], "use actions, all, none"),
        (["--ack-after", "soon"], "or never"),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_read(run_few: Run, arguments: list[str], says: str) -> None:
    answer = run_few(*arguments)
    assert answer.exit_code == 1
    assert says in answer.stderr


def test_the_policy_names_what_is_read(run_few: Run) -> None:
    statement = json.loads(run_few("--policy").stdout)["Statement"][0]
    assert statement["Action"] == [
        "cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource",
    ]  # fmt: skip
