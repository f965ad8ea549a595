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
from tests.unit.cli.backtest.oracle import Row, count


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
"""The independent count knows nothing of flapping and storms."""


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


def test_every_alarm_and_every_total_is_what_counting_by_hand_gives(run: Run, told: dict[str, Any], plain: str) -> None:
    found = json.loads(run("--catalog", plain, "--json").stdout)["backtest"]
    expected = count(told["history"])
    assert len(told["alarms"]) == 300
    mine = {a["alarm"]: a for a in found["alarms"] if not a["alarm"].startswith("TargetTracking")}
    fired = {name: row for name, row in expected.items() if row.fired}
    assert mine.keys() == fired.keys()
    for name, row in fired.items():
        assert told_of(mine[name]) == counted(row), name
    totals = found["totals"]
    assert totals["incidents"] == sum(row.incidents for row in fired.values()) > 500
    assert totals["pages"] == sum(len(row.calls) for row in fired.values() if row.pages) > 300
    assert totals["tickets"] == sum(len(row.calls) for row in fired.values() if not row.pages) > 300
    assert totals["pages_at_night"] == sum(row.at_night() for row in fired.values()) > 50
    assert found["given_up"] == []


def told_of(alarm: dict[str, Any]) -> tuple[Any, ...]:
    names = ("fired", "incidents", "pages", "tickets", "pages_at_night", "service", "joined")
    return tuple(alarm[name] for name in names)


def counted(row: Row) -> tuple[Any, ...]:
    calls = len(row.calls)
    service = row.service if row.incidents else "(unknown)"
    return row.fired, row.incidents, calls * row.pages, calls * (not row.pages), row.at_night(), service, 0


def test_the_printed_lines_are_the_counted_ones(run_few: Run, few: dict[str, Any], plain: str) -> None:
    printed = run_few("--catalog", plain, "--limit", "0").stdout
    expected = count(few["history"])
    section = printed.split("by service\n")[1].split("\n\n")[0].splitlines()[1:]
    lines = {line.split()[0]: [int(n) for n in line.split()[1:]] for line in section}
    assert lines.keys() == {row.service for row in expected.values() if row.fired} >= {"checkout", "orders", "mail"}
    for service, told_numbers in lines.items():
        own = [row for row in expected.values() if row.service == service and row.fired]
        calls = sum(len(row.calls) for row in own)
        pages = own[0].pages
        night = sum(row.at_night() for row in own)
        wanted = [len(own), sum(row.incidents for row in own), calls * pages, night, calls * (not pages)]
        assert told_numbers == wanted, service
    tracking = sum(i["AlarmName"].startswith("TargetTracking") for i in few["history"])
    assert re.search(rf"^0 +{tracking} +target tracking: autoscaling works with it$", printed, re.MULTILINE)


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
    rows = count(few["history"])
    unpaged = sum(row.incidents for row in rows.values() if row.service == "orders")
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
    assert len(hidden) == sum(r.incidents for n, r in count(few["history"]).items() if n.startswith("mail-"))
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
    counted = Counter(d["change"] for d in found["differences"])
    assert {change: counted[change] for change in changes} == changes
    assert says in answer.stdout


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
