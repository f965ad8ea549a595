"""Catalogue and playbooks: every mistake of every file at once, each with file, line, place and what is valid."""

from pathlib import Path

import pytest

from incidentio.core.catalog import Catalog
from incidentio.core.errors import InvalidInput
from infra.documents import load_bundle, load_catalog, load_playbooks

ROOT = Path(__file__).resolve().parents[3]

PLAYBOOK = """\
name: scale
version: 1.2.0
owner: platform
risk: safe
when: ['metric="CPUUtilization"']
parameters: {add: {type: integer, minimum: 1, default: 2}}
targets: {type: "AWS::ECS::Service"}
steps:
  - {action: set-desired-count, with: {add: "${add}", max: 10}, timeout: 30s}
verify: {alarm: OK, within: 10m}
revert: {on: resolved, at_latest: 4h}
"""


class Folders:
    """A catalogue and a playbook folder that a test writes into, and what loading them says."""

    def __init__(self, root: Path) -> None:
        self.catalog, self.playbooks = root / "catalog", root / "playbooks"
        self.catalog.mkdir()
        self.playbooks.mkdir()
        self._root = root

    def playbook(self, text: str, *, folder: str = "scale") -> None:
        (self.playbooks / folder).mkdir()
        (self.playbooks / folder / "playbook.yaml").write_text(text)

    def told(self) -> list[str]:
        with pytest.raises(InvalidInput) as refused:
            load_bundle(self.catalog, self.playbooks)
        assert refused.value.details["problems"] == refused.value.message.splitlines()
        return refused.value.message.splitlines()


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    monkeypatch.chdir(tmp_path)
    return Folders(tmp_path)


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "services:\n"])
def test_an_empty_catalogue_is_the_default_one(folders: Folders, text: str | None) -> None:
    if text is not None:
        (folders.catalog / "services.yaml").write_text(text.replace("services:\n", "services: {}\n"))
        (folders.catalog / "routing.yaml").write_text("" if text else text)
    assert load_catalog(folders.catalog) == Catalog()


def test_the_shipped_files_load_and_their_examples_are_true(folders: Folders) -> None:
    playbooks = load_playbooks(ROOT / "playbooks")
    assert load_catalog(ROOT / "infra" / "catalog", playbooks) == Catalog()
    for name in ("services.yaml", "routing.yaml"):
        lines = (ROOT / "infra" / "catalog" / name).read_text().splitlines()
        example = lines[lines.index("#") + 1 :]
        assert example
        (folders.catalog / name).write_text("\n".join(line.removeprefix("#").removeprefix(" ") for line in example))
    loaded = load_catalog(folders.catalog, playbooks)
    assert loaded.services["checkout"].automation.auto == ("scale-out-service",)
    shown = {name: getattr(loaded.routing, name) for name in ("route", "rules", "inhibit_rules", "maintenance")}
    assert loaded.routing == Catalog().routing.model_copy(update=shown)
    assert [rule.name for rule in loaded.routing.rules] == ["batch-at-night"]
    assert [window.name for window in loaded.routing.maintenance] == ["vacuum"]


def test_a_threshold_without_a_group_is_told(folders: Folders) -> None:
    (folders.catalog / "routing.yaml").write_text("route: {receiver: page, routes: [{receiver: ticket, threshold: 3}]}")
    (told,) = folders.told()
    assert "a threshold counts the signals of one group" in told


def test_values_arrive(folders: Folders) -> None:
    (folders.catalog / "services.yaml").write_text("services: {a: {tier: 1, automation: {auto: [scale]}}}")
    (folders.catalog / "routing.yaml").write_text("recovery: {stable_for: 3s}")
    folders.playbook(PLAYBOOK)
    bundle = load_bundle(folders.catalog, folders.playbooks)
    assert bundle.catalog.services["a"].tier == 1
    assert bundle.catalog.routing.recovery.stable_for.total_seconds() == 3
    assert bundle.playbooks["scale"].version == "1.2.0"


def test_a_mistake_in_a_maintenance_window_is_told_at_its_line(folders: Folders) -> None:
    said = "    matchers: ['service=\"a\"']\n    author: a\n    reason: b\n"
    (folders.catalog / "routing.yaml").write_text(
        f"maintenance:\n  - name: weekly\n{said}    duration: 1h\n    rrule: FREQ=WEEKLY;BYDAY=SONNTAG\n"
        f"  - name: never\n{said}    starts_at: 2026-03-01T22:00:00Z\n"
        "  - name: everything\n    author: a\n    reason: b\n    rrule: FREQ=DAILY\n    duration: 1h\n"
    )
    rule, half, every = folders.told()
    assert rule.startswith(
        "catalog/routing.yaml:7: maintenance[0].rrule: 'FREQ=WEEKLY;BYDAY=SONNTAG' is not a recurrence"
    )
    assert half == "catalog/routing.yaml:8: maintenance[1]: give starts_at and ends_at, or rrule and duration"
    assert every.startswith("catalog/routing.yaml:13: maintenance[2]: no matchers match every incident: name what")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "    rrule: FREQ=WEEKLY;INTERVAL=-1",
            "rrule: 'FREQ=WEEKLY;INTERVAL=-1' is not a recurrence rule: no INT",
        ),
        ("    rrule: FREQ=DAILY;INTERVAL=00", "rrule: 'FREQ=DAILY;INTERVAL=00' is not a recurrence rule: no INT"),
        ("    rrule: FREQ=YEARLY;COUNT=1001", "rrule: 'FREQ=YEARLY;COUNT=1001' is not a recurrence rule: no COUNT is"),
        ("    ends_at: 9999-12-31T23:59:59Z", "ends_at: is out of range: the years are 2000 to 2200"),
        ("    timezone: Mars/Olympus", "rrule: there is no time zone 'Mars/Olympus'"),
    ],
)
def test_a_window_that_could_not_be_evaluated_later_is_not_deployed(folders: Folders, line: str, said: str) -> None:
    rule = "" if "rrule" in line else "    rrule: FREQ=DAILY\n"
    (folders.catalog / "routing.yaml").write_text(
        f"maintenance:\n  - name: weekly\n    matchers: ['service=\"a\"']\n{line}\n{rule}"
        "    author: a\n    reason: b\n    duration: 1h\n    starts_at: 2026-03-01T22:00:00Z\n"
    )
    (told,) = folders.told()
    number = 5 if "timezone" in line else 4
    assert told.startswith(f"catalog/routing.yaml:{number}: maintenance[0].{said}")


def test_a_window_of_another_age_is_told_at_its_line(folders: Folders) -> None:
    (folders.catalog / "routing.yaml").write_text(
        "maintenance:\n  - name: weekly\n    matchers: ['service=\"a\"']\n    starts_at: 0001-01-01T00:00:00Z\n"
        "    timezone: America/New_York\n    rrule: FREQ=WEEKLY\n    author: a\n    reason: b\n    duration: 1h\n"
    )
    assert folders.told() == [
        "catalog/routing.yaml:4: maintenance[0].starts_at: is out of range: the years are 2000 to 2200"
    ]


def test_a_mistake_in_a_rule_is_told_at_its_line(folders: Folders) -> None:
    (folders.catalog / "routing.yaml").write_text(
        "rules:\n"
        "  - name: nights\n"
        "    matchers: ['severity=SEV1', 'service is x']\n"
        "    during: {from: 22:00, to: 6am}\n"
        "    set: {reciever: page}\n"
    )
    matcher, during, sets = folders.told()
    assert matcher.startswith("catalog/routing.yaml:3: rules[0].matchers[1]: 'service is x' is not a matcher: write it")
    assert during.startswith("catalog/routing.yaml:4: rules[0].during.to: '6am' is not a time of day: write it like")
    assert sets.startswith("catalog/routing.yaml:5: rules[0].set.reciever: unknown key: valid are environment, labels")


def test_every_mistake_of_every_file_is_told_at_once(folders: Folders) -> None:
    (folders.catalog / "services.yaml").write_text(
        "services:\n"
        "  checkout:\n"
        "    tier: 9\n"
        "    depends_on: [ordrs]\n"
        "    onwer: me\n"
        "    automation:\n"
        "      auto: [scale, throttle, nope]\n"
        "  bad name: {}\n"
    )
    (folders.catalog / "routing.yaml").write_text(
        "route:\n  receiver: pager\n  routes:\n    - {matchers: [nonsense], receiver: page}\n"
        "recovery: {stable_for: 5x}\n"
    )
    (folders.catalog / "slos.yaml").write_text("")
    folders.playbook(PLAYBOOK)
    folders.playbook(PLAYBOOK.replace("name: scale", "name: throttle").replace("safe", "disruptive"), folder="throttle")
    assert folders.told() == [
        "catalog/routing.yaml:2: route.receiver: unknown value 'pager': valid are page, ticket",
        (
            "catalog/routing.yaml:4: route.routes[0].matchers[0]: 'nonsense' is not a matcher: "
            'write it like service="checkout" or severity=~"SEV[12]"'
        ),
        "catalog/routing.yaml:5: recovery.stable_for: '5x' is not a duration: write it like 30s, 5m, 1h30m or 2d",
        "catalog/services.yaml:3: services.checkout.tier: must be at most 5, not 9",
        (
            "catalog/services.yaml:4: services.checkout.depends_on[0]: ordrs is not a service here: "
            "known are bad name, checkout"
        ),
        (
            "catalog/services.yaml:5: services.checkout.onwer: unknown key: valid are automation, depends_on, "
            "environment, impact, match, owner, runbook, tier"
        ),
        (
            "catalog/services.yaml:7: services.checkout.automation.auto[1]: throttle is disruptive and needs a person: "
            "those that may start by themselves are scale"
        ),
        (
            "catalog/services.yaml:7: services.checkout.automation.auto[2]: there is no playbook nope: "
            "those that may start by themselves are scale"
        ),
        "catalog/services.yaml:8: services.bad name: 'bad name' does not match ^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        "catalog/slos.yaml:1: unknown file: known are routing.yaml, services.yaml",
    ]


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("name: scale", "name: scales", ":1: name: the folder is called scale, so must the playbook be"),
        (
            "version: 1.2.0",
            "version: 1.2",
            ":2: version: 1.2 is not a version: write it as major.minor.patch, such as 1.0.0",
        ),
        ("owner: platform\n", "", ":1: owner: this key is required"),
        (
            "risk: safe",
            "risk: huge",
            ":4: risk: unknown value 'huge': valid are read_only, safe, disruptive, destructive",
        ),
        ("risk: safe", "risk: read_only", ":4: risk: set-desired-count changes things: read_only is for"),
        ("metric=", "metirc=", ":5: when[0]: unknown label metirc: valid are alertname, environment, kind, metric, "),
        ("default: 2", "default: 0", ":6: parameters.add: parameter default must be at least 1, not 0"),
        ("integer, minimum", "integer, pattern: '(', minimum", ":6: parameters.add: pattern '(' is not a regular"),
        ("AWS::ECS::Service", "AWS::Lambda::Function", ":9: steps[0].action: set-desired-count acts on AWS::ECS::"),
        ("set-desired-count", "set-count", ":9: steps[0].action: unknown action 'set-count': valid are "),
        ("${add}", "${ad}", ":9: steps[0].with.add: unknown parameter ${ad}: valid are add"),
        ("max: 10", "max: 10, mix: 1", ":9: steps[0].with.mix: unknown parameter mix: set-desired-count takes add, "),
        (", max: 10", "", ":9: steps[0].with.max: parameter max is required: set-desired-count takes add, max, "),
        ("max: 10", "max: [10]", ":9: steps[0].with.max: expected a whole number or a text"),
        ("30s", "30", ":9: steps[0].timeout: 30 is not a duration: write it like 30s"),
        ("30s", "30s, retries: 9", ":9: steps[0].retries: must be at most 8, not 9"),
        ("AWS::ECS::Service", "AWS::ECS::Srv", ":7: targets.type: unknown type 'AWS::ECS::Srv': valid are AWS::Api"),
        ("owner: platform", "owner: 7", ":3: owner: expected a text (in quotes, if it looks like a number), not 7"),
        ("{alarm: OK, within: 10m}", "soon", ":10: verify: expected keys and values, not 'soon'"),
        ("30s", "2h", ":9: steps[0].timeout: 2h: use 1s to 15m"),
        ("steps:\n", "steps:\n  - {wait: 3h}\n", ":9: steps[0].wait: 3h: use 1s to 1h"),
        ("steps:\n", "steps:\n  - {manual: x, timeout: 2d}\n", ":9: steps[0].timeout: 2d: use 1s to 1d"),
        (
            "risk: safe",
            "risk: disruptive\napproval: {timeout: 8d}",
            ":5: approval.timeout: 8d: use 1s to 7d",
        ),
        ("10m}", "10h, poll: 1s}", ":10: verify: a run could take "),
        ("within", "inside", ":10: verify.inside: unknown key: valid are alarm, poll, within"),
        ("alarm: OK", "alarm: FINE", ":10: verify.alarm: unknown value 'FINE': valid is OK"),
        ("at_latest", "at_last", ":11: revert.at_last: unknown key: valid are at_latest, on"),
        (
            "risk: safe",
            "error_budget: {above: 10}\nrisk: safe",
            ":4: error_budget: there are no SLOs to compare it with",
        ),
        ("steps:\n", "steps:\n  - {wait: 1m, while: x}\n", ":9: steps[0].while: unknown key: valid are id, if, wait"),
        ("steps:\n", "steps:\n  - {wait: soon}\n", ":9: steps[0].wait: 'soon' is not a duration"),
        ("steps:\n", "steps:\n  - {wait: 1m, if: ['so=1']}\n", ":9: steps[0].if[0]: unknown label so: valid are add, "),
        (
            "steps:\n",
            "steps:\n  - {manual: 'do ${it}'}\n",
            ":9: steps[0].manual: unknown parameter ${it}: valid are add",
        ),
        (
            "steps:\n",
            "steps:\n  - {manual: x, commands: ['echo ${add}', \"echo 'to ${add}'\"]}\n",
            ":9: steps[0].commands: write ${add} without quotes around it",
        ),
        (
            "steps:\n",
            "steps:\n  - parallel: [[{manual: x}], [{wait: 1m}]]\n",
            ":9: steps[0].parallel[0][0]: not a step that may stand here: valid are action, wait",
        ),
        (
            "steps:\n",
            "steps:\n  - parallel: [[{wait: 1m, id: one}], [{wait: 1m, if: ['one=done']}]]\n",
            ":9: steps[0].parallel[1][0].if[0]: one is in a branch beside this one, and which comes first is chance",
        ),
        (
            "steps:\n",
            "steps:\n  - {wait: 1m, id: one}\n  - {wait: 2m, id: one}\n",
            ":10: steps[1].id: one is the id of steps[0] already: call this step something else",
        ),
        (
            "steps:\n",
            "steps:\n  - foreach: [1, 2]\n    steps: [{wait: 1m, id: one},\n      {wait: 2m, id: one}]\n",
            ":11: steps[0].steps[1].id: one is the id of steps[0].steps[0] already: call this step something else",
        ),
        ("risk: safe", "risk: safe\napproval: {timeout: 1h}", ":5: approval: a safe playbook waits for nobody"),
        (
            "integer, minimum",
            "integer, pattern: x, minimum",
            ":6: parameters.add.pattern: does nothing for type integer",
        ),
        (
            "{add: {",
            "{tag: {type: string, minimum: 3, default: a}, add: {",
            ":6: parameters.tag.minimum: does nothing for type string: use pattern",
        ),
        (
            "steps:\n",
            "steps:\n  - {foreach: [a], steps: [{action: disable-rul, with: {rule: '${item}'}}]}\n",
            ":9: steps[0].steps[0].action: unknown action 'disable-rul'",
        ),
    ],
)
def test_a_mistake_in_a_playbook_is_one_line(folders: Folders, was: str, becomes: str, told: str) -> None:
    assert was in PLAYBOOK
    folders.playbook(PLAYBOOK.replace(was, becomes))
    (line,) = folders.told()
    assert line.startswith(f"playbooks/scale/playbook.yaml{told}")


def test_steps_that_are_none_are_told_in_words(folders: Folders) -> None:
    above, _, below = PLAYBOOK.partition("steps:\n")
    folders.playbook(above + "steps: []\n" + below.partition("\n")[2])
    assert folders.told() == ["playbooks/scale/playbook.yaml:8: steps: name at least one step"]


@pytest.mark.parametrize(
    "steps",
    [
        "  - parallel: [[{wait: 1m, id: one}, {wait: 1m, if: ['one=done']}], [{wait: 1m}]]\n",
        "  - parallel: [[{wait: 1m, id: one}], [{wait: 1m}]]\n  - {wait: 1m, if: ['one=done']}\n",
        "  - {wait: 1m, id: one}\n  - parallel: [[{wait: 1m}], [{wait: 1m, if: ['one=done']}]]\n",
        "  - foreach: [1, 2]\n    steps: [{wait: 1m, id: one}, {wait: 1m, if: ['one=done']}]\n",
        "  - parallel: [[{wait: 1m, id: a}], [{wait: 1m}]]\n  - parallel: [[{wait: 1m}], [{wait: 1m, if: [a=done]}]]\n",
    ],
)
def test_a_condition_may_name_what_is_over_by_then(folders: Folders, steps: str) -> None:
    folders.playbook(PLAYBOOK.replace("steps:\n", f"steps:\n{steps}"))
    assert list(load_playbooks(folders.playbooks)) == ["scale"]


def test_a_parameter_is_held_against_what_its_action_takes(folders: Folders) -> None:
    folders.playbook(PLAYBOOK.replace("minimum: 1", "maximum: 9000"))
    assert folders.told() == [
        (
            "playbooks/scale/playbook.yaml:9: steps[0].with.add: set-desired-count add: "
            "must be at most 5000, not 9000 (it may be 9000)"
        ),
    ]


ROLLBACK = """\
name: back
version: 1.0.0
owner: platform
risk: disruptive
targets: {type: "AWS::Lambda::Function"}
undoes_change: true
steps:
  - {action: set-alias-version, with: {alias: live}}
"""


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("undoes_change: true\n", "", ":7: steps[0].action: set-alias-version undoes a change that somebody made"),
        ("steps:", "revert: {at_latest: 4h}\nsteps:", ":7: revert: must go where undoes_change is true"),
        ("risk: disruptive", "risk: safe", ":4: risk: a playbook that undoes a change needs a person"),
    ],
)
def test_a_rollback_asks_a_person_stays_and_is_known_as_one(
    folders: Folders, was: str, becomes: str, told: str
) -> None:
    folders.playbook(ROLLBACK.replace(was, becomes), folder="back")
    (line,) = folders.told()
    assert line.startswith(f"playbooks/back/playbook.yaml{told}")


def test_a_folder_without_a_playbook_and_a_name_twice(folders: Folders, tmp_path: Path) -> None:
    (folders.playbooks / "empty").mkdir()
    folders.playbook(PLAYBOOK)
    other = tmp_path / "more" / "scale"
    other.mkdir(parents=True)
    (other / "playbook.yaml").write_text(PLAYBOOK)
    with pytest.raises(InvalidInput) as refused:
        load_playbooks(folders.playbooks, tmp_path / "more")
    assert refused.value.message.splitlines() == [
        "more/scale/playbook.yaml:1: name: scale is already in playbooks/scale/playbook.yaml",
        "playbooks/empty:1: a playbook's folder holds a playbook.yaml; there is none",
    ]


def test_an_empty_playbook_file_is_told(folders: Folders) -> None:
    folders.playbook("# nothing yet\n")
    (line,) = folders.told()
    assert line.startswith("playbooks/scale/playbook.yaml:1: expected keys and values: approval, ")


@pytest.mark.parametrize("text", ["- a\n", "just words\n"])
def test_a_file_of_another_shape_is_told(folders: Folders, text: str) -> None:
    (folders.catalog / "services.yaml").write_text(text)
    assert folders.told() == ["catalog/services.yaml:1: expected keys and values: services"]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nowhere:1: this folder does not exist"):
        load_catalog(tmp_path / "nowhere")
