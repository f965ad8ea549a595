"""Least privilege, proved: what a playbook declares is what it uses, and without any one of it nothing is half done."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from incidentio.core.playbook import Playbook
from incidentio.mitigate.actions import Place, Statement
from infra.cases.model import ROOT, Case, load_cases, playbooks
from infra.documents import load_playbooks
from infra.local.environment import ACCOUNT, REGION
from tests.integration.playbooks.iam_names import is_real, knows_no_resource
from tests.integration.playbooks.rehearsal import Rehearsal, declared, rehearsed

LIBRARY = load_playbooks(ROOT / "playbooks")
PLACE = Place(partition="aws", account=ACCOUNT, region=REGION)

every_playbook = pytest.mark.parametrize("playbook", [pytest.param(LIBRARY[n], id=n) for n in playbooks()])


def rights_of(playbook: Playbook) -> list[str]:
    return sorted({action.lower() for statement in declared(playbook, PLACE) for action in statement.actions})


@cache
def used_in(playbook: str, port: str) -> tuple[tuple[Case, frozenset[str]], ...]:
    """Each case of the playbook, and the rights it used."""
    target = {"endpoint_url": port, "account": ACCOUNT, "region": REGION}
    found = []
    for case in load_cases(playbook):
        with rehearsed(target, LIBRARY[playbook], case) as rehearsal:
            _play(rehearsal)
            found.append((case, frozenset(rehearsal.call.used)))
    return tuple(found)


def _play(rehearsal: Rehearsal) -> str:
    outcome = rehearsal.play().outcome
    if rehearsal.case.when.then == "resolve":
        rehearsal.resolve()
    return outcome


@every_playbook
def test_aws_knows_every_right_it_declares(playbook: Playbook) -> None:
    unknown = [right for right in rights_of(playbook) if not is_real(right)]
    assert not unknown, f"{playbook.name} declares rights IAM does not know: {', '.join(unknown)}"


@every_playbook
def test_a_right_on_everything_is_one_that_cannot_be_narrowed(playbook: Playbook) -> None:
    wide = {a for s in declared(playbook, PLACE) if "*" in s.resources for a in s.actions if not knows_no_resource(a)}
    assert not wide, f"{playbook.name} declares on every resource what IAM can narrow: {', '.join(sorted(wide))}"


@every_playbook
def test_it_declares_what_its_cases_use_and_nothing_else(emulator: dict[str, Any], playbook: Playbook) -> None:
    used = set().union(*(rights for _, rights in used_in(playbook.name, emulator["endpoint_url"])))
    declares = set(rights_of(playbook))
    assert not used - declares, f"{playbook.name} uses and does not declare {', '.join(sorted(used - declares))}"
    assert not declares - used, f"{playbook.name} declares and never uses {', '.join(sorted(declares - used))}"


@every_playbook
def test_without_any_one_of_them_nothing_is_half_done(emulator: dict[str, Any], playbook: Playbook) -> None:
    """The run is refused or rolled back, and AWS is as before.

    Where giving back alone needs the right, the change is made and the loan stays open: people get the commands.
    """
    cases, wrong = used_in(playbook.name, emulator["endpoint_url"]), []
    for right in rights_of(playbook):
        case = _most_telling(cases, right)
        rights = _without(declared(playbook, PLACE), right)
        with rehearsed(emulator, playbook, case, rights=rights) as rehearsal:
            before = rehearsal.state()
            outcome = _play(rehearsal)
            types = rehearsal.stage.types
            clean = outcome in ("refused", "rolled_back") and rehearsal.state() == before
            if not clean and not _owed(rehearsal, outcome):
                wrong.append(f"{right}: {outcome}, {before} → {rehearsal.state()}: {', '.join(types)}")
    assert not wrong, "\n".join(wrong)


def _owed(rehearsal: Rehearsal, outcome: str) -> bool:
    """What could not be given back is known: by the run or its loan, and to people with the commands."""
    known = outcome == "rollback_failed" or (outcome == "succeeded" and rehearsal.stage.incident.open_leases > 0)
    types = rehearsal.stage.types
    return known and "RollbackFailed" in types and bool(rehearsal.stage.data("RollbackFailed")["commands"])


def _without(rights: Iterable[Statement], right: str) -> list[Statement]:
    left = [replace(s, actions=tuple(a for a in s.actions if a.lower() != right)) for s in rights]
    return [statement for statement in left if statement.actions]


def _most_telling(cases: Iterable[tuple[Case, frozenset[str]]], right: str) -> Case:
    """A case that needs the right: best one that acts and gives back."""
    needing = [case for case, used in cases if right in used] or [case for case, _ in cases]
    acting = [case for case in needing if case.expect.outcome == "succeeded"]
    return max(acting or needing, key=lambda case: (case.when.then is not None, len(case.given)))
