"""`incidentio adopt`: a catalogue from an estate of 300 alarms, compared with a count by hand, and merged with care."""

import json
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from incidentio.cli.adopt import command
from incidentio.cli.adopt.placing import beginning, service_name
from incidentio.cli.main import main
from incidentio.core.signal import Subject
from infra.documents import load_catalog
from tests.estate import PREFIX, REGION, SERVICES, CloudWatch, document
from tests.unit.cli.adopt.by_hand import lines_of


class Tagging:
    def __init__(self, tags: dict[str, dict[str, str]], *, refused: bool = False) -> None:
        self._tags = tags
        self._refused = refused

    def get_paginator(self, _operation: str) -> "Tagging":
        return self

    def paginate(self, **_asked: Any) -> Iterator[dict[str, Any]]:
        if self._refused:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetResources")
        pairs = {arn: [{"Key": k, "Value": v} for k, v in tags.items()] for arn, tags in self._tags.items()}
        yield {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": tags} for arn, tags in pairs.items()]}


class Deployment:
    region = REGION

    def __init__(self, **clients: Any) -> None:
        self._clients = clients

    def client(self, service: str) -> Any:
        return self._clients[service]


ANY = document()["alarms"][0]


def alarm(name: str, tags: dict[str, str] | None = None, *, topic: str = "ops", **dimensions: str) -> dict[str, Any]:
    made = {**ANY, "AlarmName": name, "AlarmArn": PREFIX + name, "tags": tags or {}}
    made["Dimensions"] = [{"Name": k, "Value": v} for k, v in dimensions.items()]
    made["AlarmActions"] = [f"arn:aws:sns:{REGION}:111122223333:{topic}"]
    return made


def of(*alarms: dict[str, Any]) -> dict[str, Any]:
    return {"alarms": list(alarms), "tags": {a["AlarmArn"]: a["tags"] for a in alarms}, "history": []}


Adopt = Callable[..., Result]


@pytest.fixture
def adopt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Adopt:
    def invoke(told: dict[str, Any], *arguments: str, tagging: Tagging | None = None) -> Result:
        found = Deployment(cloudwatch=CloudWatch(told), resourcegroupstaggingapi=tagging or Tagging({}))
        monkeypatch.setattr(command, "discover", lambda *_a, **_k: found)
        given = ["adopt", "--catalog", str(tmp_path), *arguments]
        return CliRunner().invoke(main, given, catch_exceptions=False)

    return invoke


def services(result: Result) -> dict[str, dict[str, Any]]:
    return {service["name"]: service for service in json.loads(result.stdout)["services"]}


def test_every_alarm_of_a_large_estate_is_placed_where_its_name_says(adopt: Adopt, tmp_path: Path) -> None:
    told = document()
    answer = adopt(told, "--write", "--json")
    assert answer.exit_code == 0, answer.output
    catalog = load_catalog(tmp_path)
    assert catalog.services.keys() == SERVICES.keys()
    assert catalog.services["staging-api"].environment == "staging"
    assert {s.environment for n, s in catalog.services.items() if n != "staging-api"} == {"production"}
    for one in told["alarms"]:
        name, tags = one["AlarmName"], told["tags"].get(one["AlarmArn"], {})
        expected = [service for service in SERVICES if name.startswith(f"{service}-")]
        matched = [
            s for s, entry in catalog.services.items() if entry.match.why(alarm_name=name, alarm_arn="", tags=tags)
        ]
        assert matched == expected, name
    found = json.loads(answer.stdout)
    assert {len(service["alarms"]) for service in found["services"]} == {25}
    assert sorted(u["alarm"] for u in found["unplaced"]) == sorted(
        a["AlarmName"] for a in told["alarms"] if a["AlarmName"].startswith("Box ")
    )
    assert sum(found["ignored"].values()) == 20
    again = adopt(told, "--write", "--json")
    assert (json.loads(again.stdout)["services"], json.loads(again.stdout)["known"]) == ([], 250)


def paged(told: dict[str, Any], *services: str) -> dict[str, Any]:
    """The same estate, in which the alarms of these services notify a pager."""
    pager = [f"arn:aws:sns:{REGION}:111122223333:pager"]
    alarms = [{**a, "AlarmActions": pager} if a["AlarmName"].startswith(services) else a for a in told["alarms"]]
    return {**told, "alarms": alarms}


@pytest.mark.parametrize("told", [document(), paged(document(), "checkout-", "orders-")], ids=["one topic", "two"])
def test_every_printed_line_is_what_working_it_out_by_hand_gives(
    adopt: Adopt, tmp_path: Path, told: dict[str, Any]
) -> None:
    answer = adopt(told)
    assert len(told["alarms"]) == 300
    assert answer.stdout.splitlines() == lines_of(told)
    assert answer.stderr.splitlines() == [f"(reading the alarms of {REGION})", f"--write puts this into {tmp_path}"]
    assert list(tmp_path.iterdir()) == [], "nothing is written unless asked"


def test_what_is_written_is_what_was_printed_and_shown_line_by_line(adopt: Adopt, tmp_path: Path) -> None:
    told = paged(document(), "checkout-", "orders-")
    written = adopt(told, "--write")
    by_hand = lines_of(told)
    start, middle = by_hand.index("# services.yaml"), by_hand.index("# routing.yaml")
    end = next(n for n, line in enumerate(by_hand) if line.startswith("not placed"))
    files = {"services.yaml": by_hand[start + 1 : middle], "routing.yaml": by_hand[middle + 1 : end]}
    assert {path.name: path.read_text().splitlines() for path in tmp_path.iterdir()} == files
    shown = [f"(reading the alarms of {REGION})"]
    for name, lines in files.items():
        path = tmp_path / name
        shown += [f"--- {path}", f"+++ {path}", f"@@ -0,0 +1,{len(lines)} @@", *(f"+{line}" for line in lines)]
        shown += [f"wrote {path}"]
    assert written.stderr.splitlines() == shown


@pytest.mark.parametrize(
    ("alarms", "service", "confidence"),
    [
        ([alarm("a", {"service": "Shop Front"})], "shop-front", "high"),
        ([alarm("a", {"incidentio:service": "x", "app": "y"})], "x", "high"),
        ([alarm(n, {"aws:cloudformation:stack-name": "shop"}) for n in "ab"], "shop", "medium"),
        ([alarm("a", ClusterName="main", ServiceName="orders")], "orders", "medium"),
        ([alarm(f"pay-{n}") for n in range(3)], "pay", "medium"),
        ([alarm(f"prod/pay/{n}") for n in range(3)], "prod-pay", "medium"),
        ([alarm("a", FunctionName="resize")], "resize", "low"),
    ],
)
def test_what_names_a_service(adopt: Adopt, alarms: list[dict[str, Any]], service: str, confidence: str) -> None:
    found = services(adopt(of(*alarms), "--json"))
    assert {name: s["confidence"] for name, s in found.items()} == {service: confidence}


@pytest.mark.parametrize(
    "alarms",
    [[alarm("alone")], [alarm("a", {"Name": "a"})], [alarm("pay-1"), alarm("pay-2")], [alarm("***", {"app": "?"})]],
)
def test_what_names_none_is_said(adopt: Adopt, alarms: list[dict[str, Any]]) -> None:
    found = json.loads(adopt(of(*alarms), "--json").stdout)
    assert found["services"] == []
    assert [u["alarm"] for u in found["unplaced"]] == [a["AlarmName"] for a in alarms]


def test_tags_of_what_an_alarm_watches_help_and_may_be_refused(adopt: Adopt) -> None:
    told = of(alarm("a", FunctionName="resize"), alarm("b", ServiceName="web"))
    tags = {
        f"arn:aws:lambda:{REGION}:1:function:resize": {"app": "images", "env": "dev"},
        f"arn:aws:ecs:{REGION}:1:service/main/web": {"service": "shop", "tier": "1"},
    }
    found = services(adopt(told, "--json", tagging=Tagging(tags)))
    assert (found["images"]["environment"], found["shop"]["tier"]) == ("development", 1)
    refused = adopt(told, "--json", tagging=Tagging({}, refused=True))
    assert services(refused).keys() == {"resize", "web"}
    assert "could not read tags of functions and services" in refused.stderr


def test_two_environments_of_a_service_are_two_entries(adopt: Adopt, tmp_path: Path) -> None:
    told = of(*(alarm(f"pay-{env}-{n}", {"app": "pay"}) for env in ("prod", "stg") for n in range(3)))
    assert adopt(told, "--write").exit_code == 0
    catalog = load_catalog(tmp_path)
    assert {name: s.environment for name, s in catalog.services.items()} == {
        "pay": "production", "pay-staging": "staging",
    }  # fmt: skip
    assert catalog.services["pay"].match.alarm_names == ("pay-prod-*",)
    assert catalog.services["pay-staging"].match.tags == {}


@pytest.mark.parametrize(
    ("told", "environment"),
    [
        ("1", "1"), ("1e3", "1e3"), ("2026-01-01", "2026-01-01"), ("no", "no"), ("null", "null"), ("true", "true"),
        ("***", "production"), ("  ", "production"), ("Eu West", "eu-west"), ("stg", "staging"),
    ],
)  # fmt: skip
def test_an_environment_is_a_text_whatever_yaml_would_read(
    adopt: Adopt, tmp_path: Path, told: str, environment: str
) -> None:
    answer = adopt(of(alarm("a", {"app": "pay", "env": told})), "--write")
    assert answer.exit_code == 0, answer.output
    assert load_catalog(tmp_path).services["pay"].environment == environment


@pytest.mark.parametrize("name", ["2024", "null", "yes", "1e3", "0x10", "y"])
def test_a_name_is_a_text_whatever_yaml_would_read(adopt: Adopt, tmp_path: Path, name: str) -> None:
    assert adopt(of(alarm("a", {"app": name})), "--write").exit_code == 0
    assert load_catalog(tmp_path).services.keys() == {name}


@pytest.mark.parametrize(
    ("placed", "named"),
    [
        (
            [("pay", "prod"), ("pay", "stg"), ("pay-staging", "prod")],
            {"pay": "production", "pay-staging": "production", "pay-staging-2": "staging"},
        ),
        (
            [("pay", "prod"), ("pay", "stg"), ("pay-staging", "prod"), ("pay-staging-2", "prod")],
            {
                "pay": "production",
                "pay-staging": "production",
                "pay-staging-2": "production",
                "pay-staging-3": "staging",
            },
        ),
        ([("pay", "test"), ("pay", "stg")], {"pay-test": "test", "pay-staging": "staging"}),
        ([("p" * 63, "prod"), ("p" * 63, "stg")], {"p" * 63: "production", "p" * 55 + "-staging": "staging"}),
    ],
)
def test_no_two_services_have_one_name(
    adopt: Adopt, tmp_path: Path, placed: list[tuple[str, str]], named: dict[str, str]
) -> None:
    told = of(*(alarm(f"alarm {n}", {"app": app, "env": env}) for n, (app, env) in enumerate(placed)))
    answer = adopt(told, "--write")
    assert answer.exit_code == 0, answer.output
    catalog = load_catalog(tmp_path)
    assert {name: service.environment for name, service in catalog.services.items()} == named
    for one in told["alarms"]:
        places = [
            s
            for s in catalog.services.values()
            if s.match.why(alarm_name=one["AlarmName"], alarm_arn="", tags=one["tags"])
        ]
        assert len(places) == 1, one["AlarmName"]


def test_where_nothing_can_be_placed_nothing_is_written(adopt: Adopt, tmp_path: Path) -> None:
    answer = adopt(of(alarm("alone"), alarm("***", {"app": "?"})), "--write")
    assert answer.exit_code == 0, answer.output
    assert list(tmp_path.iterdir()) == []
    assert "services:" not in answer.stdout


def test_names_that_look_like_patterns_match_only_themselves(adopt: Adopt, tmp_path: Path) -> None:
    assert adopt(of(alarm("cpu [high] *", {"app": "x"})), "--write").exit_code == 0
    (pattern,) = load_catalog(tmp_path).services["x"].match.alarm_names
    assert fnmatchcase("cpu [high] *", pattern)
    assert not fnmatchcase("cpu h everything", pattern)


def test_hostile_tags_stay_comments_and_strings(adopt: Adopt, tmp_path: Path) -> None:
    told = of(alarm('x\nrouting: {}"', {"app": 'evil\n  other: {tier: 1}\n# "'}))
    assert adopt(told, "--write").exit_code == 0
    (service,) = load_catalog(tmp_path).services.values()
    assert service.tier is None


WRITTEN = """# ours
services:
  # the shop
  checkout:
    tier: 1   # never down
    match: {alarm_names: ["checkout-*"]}
"""


def test_only_new_services_go_into_a_file_and_its_text_stays(adopt: Adopt, tmp_path: Path) -> None:
    path = tmp_path / "services.yaml"
    path.write_text(WRITTEN)
    told = of(alarm("checkout-1"), alarm("a", {"app": "mail"}))
    shown = adopt(told, "--write")
    assert shown.exit_code == 0
    assert "+  mail:" in shown.stderr
    kept = [line for line in path.read_text().splitlines() if line in WRITTEN.splitlines()]
    assert kept == WRITTEN.splitlines()
    assert load_catalog(tmp_path).services.keys() == {"checkout", "mail"}


def test_an_entry_that_is_there_is_never_changed_and_that_is_a_failure(adopt: Adopt, tmp_path: Path) -> None:
    path = tmp_path / "services.yaml"
    path.write_text(WRITTEN)
    told = of(alarm("front", {"app": "checkout"}), alarm("a", {"app": "mail"}))
    answer = adopt(told, "--write")
    assert answer.exit_code == 1
    assert "has checkout already" in answer.stderr
    catalog = load_catalog(tmp_path)
    assert catalog.services["checkout"].match.alarm_names == ("checkout-*",)
    assert "mail" in catalog.services


PAYMENTS = """services:
  payments:
    owner: payments
    match: {alarm_names: ["shop-pay-*"]}
    # theirs alone

# written by hand
"""


def owners(catalog: Path, told: dict[str, Any]) -> dict[str, str | None]:
    """Alarm → the service it belongs to."""
    known = load_catalog(catalog)
    subjects = {a["AlarmName"]: Subject(alarm_name=a["AlarmName"], alarm_arn=a["AlarmArn"]) for a in told["alarms"]}
    return {a["AlarmName"]: known.service_of(subjects[a["AlarmName"]], a["tags"]) for a in told["alarms"]}


def test_a_glob_takes_no_alarm_that_the_catalogue_places(adopt: Adopt, tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_text(PAYMENTS)
    told = of(alarm("shop-pay-errors"), *(alarm(f"shop-web-{n}", {"app": "web"}) for n in ("cpu", "errors")))
    assert services(adopt(told, "--json", "--write"))["web"]["alarm_names"] == ["shop-web-*"]
    assert owners(tmp_path, told) == {"shop-pay-errors": "payments", "shop-web-cpu": "web", "shop-web-errors": "web"}


def test_new_services_come_after_those_that_are_there(adopt: Adopt, tmp_path: Path) -> None:
    path = tmp_path / "services.yaml"
    path.write_text(PAYMENTS)
    told = of(alarm("shop-pay-errors", {"app": "web"}), alarm("front", {"app": "web"}), alarm("a", {"app": "mail"}))
    assert adopt(told, "--write").exit_code == 0
    assert list(load_catalog(tmp_path).services) == ["payments", "mail", "web"]
    assert owners(tmp_path, told) == {"shop-pay-errors": "payments", "front": "web", "a": "mail"}
    before, after = PAYMENTS.split("\n# written")
    text = path.read_text()
    assert text.startswith(before)
    assert text.endswith("\n# written" + after)


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n...\n", "\n    # ours\n"])
def test_whatever_a_file_ends_with_new_services_go_below_the_last(adopt: Adopt, tmp_path: Path, end: str) -> None:
    path = tmp_path / "services.yaml"
    written = "services:\n  checkout:\n    tier: 1" + end
    path.write_text(written)
    answer = adopt(of(alarm("a", {"app": "mail"})), "--write")
    assert answer.exit_code == 0, answer.output
    assert list(load_catalog(tmp_path).services) == ["checkout", "mail"]
    kept = [line for line in path.read_text().splitlines() if line in written.splitlines()]
    assert kept == written.splitlines()


@pytest.mark.parametrize("taking", [{"app": "web"}, {"env": "stg"}])
def test_what_would_take_an_alarm_from_a_service_is_left_out_and_said(
    adopt: Adopt, tmp_path: Path, taking: dict[str, str]
) -> None:
    path = tmp_path / "services.yaml"
    path.write_text("services:\n  pay: {tier: 1}\n")  # its alarms are those with the tag that others use too
    told = of(
        alarm("one", {"service": "pay", **taking}),
        alarm("two", {"service": "pay"}),
        alarm("front", {"app": "web"}),
        alarm("a", {"app": "mail"}),
    )
    before = owners(tmp_path, told)
    answer = adopt(told, "--write")
    left = "web" if "app" in taking else "pay-staging"
    assert answer.exit_code == 1
    assert f"{left} would take one from pay" in answer.stdout
    assert f"{left} is left out" in answer.stderr
    assert left not in load_catalog(tmp_path).services
    assert "mail" in load_catalog(tmp_path).services
    assert {name: owners(tmp_path, told)[name] for name in ("one", "two")} == {"one": "pay", "two": "pay"}
    assert before["one"] == "pay"


def test_braces_are_left_to_people(adopt: Adopt, tmp_path: Path) -> None:
    path = tmp_path / "services.yaml"
    path.write_text("services: {checkout: {tier: 1}}\n")
    answer = adopt(of(alarm("a", {"app": "mail"})), "--write")
    assert answer.exit_code == 1
    assert "services.yaml:1: services is written in braces" in answer.stderr
    assert path.read_text() == "services: {checkout: {tier: 1}}\n"


def test_comments_alone_are_an_empty_file(adopt: Adopt, tmp_path: Path) -> None:
    path = tmp_path / "services.yaml"
    path.write_text("# services:\n#   checkout: {}\n")
    assert adopt(of(alarm("a", {"app": "mail"})), "--write").exit_code == 0
    assert path.read_text().startswith("# services:\n#   checkout: {}\n")
    assert load_catalog(tmp_path).services.keys() == {"mail"}


def test_a_service_that_writes_to_a_mailbox_only_gets_tickets_if_others_do_more(adopt: Adopt, tmp_path: Path) -> None:
    told = of(alarm("a", {"app": "mail"}, topic="ops-mail"), alarm("b", {"app": "shop"}, topic="pager"))
    assert adopt(told, "--write").exit_code == 0
    route = load_catalog(tmp_path).routing.route
    page = {"environment": "production", "severity": "SEV1"}
    assert route.find({**page, "service": "mail"}).receiver == "ticket"
    assert route.find({**page, "service": "shop"}).receiver == "page"


def test_routes_that_are_there_stay(adopt: Adopt, tmp_path: Path) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text("repeat_interval: 7m\n")
    told = of(alarm("a", {"app": "mail"}, topic="ops-mail"), alarm("b", {"app": "shop"}, topic="pager"))
    answer = adopt(told, "--write")
    assert "has rules of its own" in answer.stderr
    assert path.read_text() == "repeat_interval: 7m\n"


def test_the_policy_names_what_is_read(adopt: Adopt) -> None:
    statement = json.loads(adopt(of(), "--policy").stdout)["Statement"][0]
    assert statement["Action"] == ["cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource", "tag:GetResources"]


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("checkout-5xx", "checkout"),
        ("a.b.c", "a"),
        ("prod-pay-x", "prod-pay"),
        ("dev-x", "dev"),
        ("one word", ""),
        ("", ""),
    ],
)
def test_where_a_name_begins(name: str, begins: str) -> None:
    assert beginning(name) == begins


def test_a_name_is_as_the_catalogue_writes_it() -> None:
    assert [service_name(text) for text in (" Shop Front ", "-x-", "é", "a" * 80)] == ["shop-front", "x", "", "a" * 63]
