from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentio.core import lifecycle
from incidentio.core.errors import Conflict, IllegalTransition, IncidentioError, InvalidInput
from incidentio.core.incident import Incident, Status
from incidentio.core.person import SYSTEM
from incidentio.core.severity import Severity
from incidentio.core.timeline import first_broken_link
from tests.make import ALICE, NOW, an_incident, opened

WINDOW = timedelta(minutes=15)
OTHER = an_incident(id="INC-000000")

COMMANDS = {
    "acknowledge": lambda i, at: lifecycle.acknowledge(i, actor=ALICE, at=at),
    "mitigate": lambda i, at: lifecycle.mitigate(i, actor=ALICE, at=at),
    "resolve": lambda i, at: lifecycle.resolve(i, actor=ALICE, at=at),
    "close": lambda i, at: lifecycle.close(i, actor=ALICE, at=at),
    "cancel": lambda i, at: lifecycle.cancel(i, actor=ALICE, at=at, reason="false_positive"),
    "merge": lambda i, at: lifecycle.merge(i, into=OTHER, actor=ALICE, at=at),
    "reopen": lambda i, at: lifecycle.reopen(i, actor=ALICE, at=at, window=WINDOW),
    "impact_returned": lambda i, at: lifecycle.impact_returned(i, actor=ALICE, at=at, text="again"),
}
TARGETS = {
    "acknowledge": Status.ACKNOWLEDGED,
    "mitigate": Status.MITIGATED,
    "resolve": Status.RESOLVED,
    "close": Status.CLOSED,
    "cancel": Status.CANCELLED,
    "merge": Status.MERGED,
    "reopen": Status.TRIGGERED,
    "impact_returned": Status.ACKNOWLEDGED,
}


@given(
    steps=st.lists(st.tuples(st.sampled_from(sorted(COMMANDS)), st.integers(0, 1200)), max_size=12),
    severity=st.sampled_from(list(Severity)),
)
def test_any_sequence_of_commands_moves_only_along_legal_edges_and_keeps_the_chain(steps, severity):
    change = opened(severity=severity)
    incident, entries, at = change.incident, list(change.entries), NOW
    for name, seconds in steps:
        at += timedelta(seconds=seconds)
        try:
            change = COMMANDS[name](incident, at)
        except IncidentioError:
            continue
        assert TARGETS[name] in lifecycle.legal_next(incident.status)
        assert change.incident.status is TARGETS[name]
        assert change.incident.version == incident.version + 1
        assert change.expected_seq == incident.timeline_seq
        incident, entries = change.incident, [*entries, *change.entries]
    assert first_broken_link(entries, seq=incident.timeline_seq, head_hash=incident.head_hash) is None


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"impact_returned"}))
def test_an_illegal_command_names_status_version_and_what_is_legal(name, status):
    incident = opened(status=status, version=4, postmortem="waived", resolved_at=NOW).incident
    if TARGETS[name] in lifecycle.legal_next(status):
        assert COMMANDS[name](incident, NOW).incident.status is TARGETS[name]
        return
    with pytest.raises(IllegalTransition) as error:
        COMMANDS[name](incident, NOW)
    assert error.value.details == {
        "status": status.value,
        "version": 4,
        "legal": [s.value for s in lifecycle.legal_next(status)],
    }


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.MITIGATED}))
def test_impact_returns_only_to_what_was_mitigated(status):
    with pytest.raises(IllegalTransition, match=f"is {status.value}"):
        COMMANDS["impact_returned"](opened(status=status, acknowledged_at=NOW).incident, NOW)


@pytest.mark.parametrize(
    ("taken", "mitigator", "back"),
    [
        (True, SYSTEM, Status.ACKNOWLEDGED),
        (False, ALICE, Status.ACKNOWLEDGED),
        (False, SYSTEM, Status.TRIGGERED),
    ],
)
def test_impact_that_returns_calls_until_somebody_takes_it_unless_somebody_has(taken, mitigator, back):
    incident = opened().incident
    if taken:
        incident = lifecycle.acknowledge(incident, actor=ALICE, at=NOW).incident
    incident = lifecycle.mitigate(incident, actor=mitigator, at=NOW).incident
    change = COMMANDS["impact_returned"](incident, NOW)
    assert (change.incident.status, change.incident.mitigated_at) == (back, None)
    assert change.incident.episode == change.incident.version
    assert change.entries[0].data == {"from": "mitigated", "to": back.value}


def resolved(**fields) -> Incident:
    return lifecycle.resolve(opened(**fields).incident, actor=ALICE, at=NOW).incident


@pytest.mark.parametrize("severity", [Severity.SEV1, Severity.SEV2])
@pytest.mark.parametrize(
    ("postmortem", "closes"), [("none", False), ("draft", False), ("reviewed", True), ("waived", True)]
)
def test_a_severe_incident_closes_only_after_its_postmortem(severity, postmortem, closes):
    incident = resolved(severity=severity, postmortem=postmortem)
    if closes:
        assert lifecycle.close(incident, actor=ALICE, at=NOW).incident.closed_at == NOW
    else:
        with pytest.raises(Conflict, match="postmortem"):
            lifecycle.close(incident, actor=ALICE, at=NOW)


def test_a_minor_incident_closes_without_a_postmortem():
    assert lifecycle.close(resolved(severity=Severity.SEV3), actor=ALICE, at=NOW).incident.status is Status.CLOSED


def test_a_borrowed_change_blocks_close():
    with pytest.raises(Conflict, match="1 borrowed change"):
        lifecycle.close(resolved(severity=Severity.SEV4, open_leases=1), actor=ALICE, at=NOW)


@pytest.mark.parametrize(("after", "reopens"), [(WINDOW, True), (WINDOW + timedelta(seconds=1), False)])
def test_reopening_ends_with_the_window(after, reopens):
    incident = resolved()
    if reopens:
        again = lifecycle.reopen(incident, actor=ALICE, at=NOW + after, window=WINDOW).incident
        assert (again.status, again.resolved_at, again.acknowledged_at) == (Status.TRIGGERED, None, None)
    else:
        with pytest.raises(Conflict, match="open a new incident"):
            lifecycle.reopen(incident, actor=ALICE, at=NOW + after, window=WINDOW)


def test_cancel_wants_a_known_reason():
    with pytest.raises(InvalidInput, match="false_positive"):
        lifecycle.cancel(opened().incident, actor=ALICE, at=NOW, reason="dunno")


def test_merge_refuses_itself_and_closed_targets():
    incident = opened().incident
    with pytest.raises(InvalidInput):
        lifecycle.merge(incident, into=incident, actor=ALICE, at=NOW)
    with pytest.raises(Conflict, match="resolved"):
        lifecycle.merge(incident, into=resolved(id="INC-000001"), actor=ALICE, at=NOW)


def test_severity_change_moves_the_version_and_no_change_moves_nothing():
    incident = opened().incident
    assert lifecycle.change_severity(incident, Severity.SEV2, actor=ALICE, at=NOW, why="same") is None
    change = lifecycle.change_severity(incident, Severity.SEV1, actor=ALICE, at=NOW, why="all regions")
    assert change is not None
    assert (change.incident.severity, change.incident.version) == (Severity.SEV1, 2)
    assert change.entries[0].data == {"from": "SEV2", "to": "SEV1", "why": "all regions"}
