"""What people type: ids, severities, durations, matchers, names of people."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentio.core.duration import format_duration, parse_duration
from incidentio.core.errors import InvalidInput
from incidentio.core.ids import new_incident_id, parse_incident_id
from incidentio.core.matchers import all_match, parse_matcher
from incidentio.core.person import person_from_arn
from incidentio.core.severity import Severity, parse_severity, severity_from_tier, worst
from incidentio.core.signal import Subject
from incidentio.core.targets import target_for, targets_of


@given(st.builds(new_incident_id))
def test_an_id_survives_being_typed_sloppily(incident_id):
    assert parse_incident_id(f" {incident_id.lower()} ") == incident_id


def test_letters_that_sound_like_digits_are_heard_as_such():
    assert parse_incident_id("inc-oil123") == "INC-011123"


@pytest.mark.parametrize("text", ["", "INC-", "INC-12345", "INC-1234567", "7K3F9A", "INC-7K3F9U", "INC-7K3F9A\n#"])
def test_what_is_no_id_is_refused(text):
    with pytest.raises(InvalidInput, match=r"INC-7K3F9A"):
        parse_incident_id(text)


@pytest.mark.parametrize(
    ("text", "severity"),
    [("SEV2", "SEV2"), ("sev-3", "SEV3"), ("1", "SEV1"), ("P4", "SEV4"), ("critical", "SEV1"), (" Warning ", "SEV3")],
)
def test_severity_words(text, severity):
    assert parse_severity(text) is Severity(severity)


@pytest.mark.parametrize("text", ["", "0", "6", "SEV", "SEV22", "urgent"])
def test_unknown_severity_lists_the_valid_ones(text):
    with pytest.raises(InvalidInput, match="SEV1 to SEV5"):
        parse_severity(text)


def test_conflicting_evidence_takes_the_worse():
    assert worst([Severity.SEV4, Severity.SEV2, Severity.SEV3]) is Severity.SEV2
    assert severity_from_tier(1) is Severity.SEV1


@given(st.integers(0, 10**7))
def test_durations_read_back(seconds):
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["9999999999d", "9" * 18 + "h"])
def test_a_duration_longer_than_anything_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="longer than anything"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "5", "5 m", "m5", "1m1h", "-5m", None, 5])
def test_what_is_no_duration_says_how_to_write_one(text):
    with pytest.raises(ValueError, match="1h30m"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ('severity=~"SEV[12]"', "SEV2", True),
        ('severity=~"SEV[12]"', "SEV22", False),
        ('severity!~"SEV[12]"', "SEV3", True),
        ('severity="SEV1"', "SEV1", True),
        ("severity=SEV1", "SEV1", True),
        ('severity!="SEV1"', "SEV1", False),
        ('other=""', "SEV1", True),
        (r'severity="a\"b"', 'a"b', True),
    ],
)
def test_matchers(text, value, holds):
    assert all_match([parse_matcher(text)], {"severity": value}) is holds
    assert str(parse_matcher(str(parse_matcher(text)))) == str(parse_matcher(text))


@pytest.mark.parametrize("text", ["severity", '="x"', 'severity=~"["', 'a="b" c="d"', 5])
def test_what_is_no_matcher_says_so(text):
    with pytest.raises(ValueError, match=r"matcher|regular expression"):
        parse_matcher(text)


@pytest.mark.parametrize(
    ("arn", "person"),
    [
        ("arn:aws:iam::111122223333:user/ops/alice", "111122223333:user/ops/alice"),
        ("arn:aws:sts::111122223333:assumed-role/deploy/anything", "111122223333:role/deploy"),
        ("arn:aws:sts::111122223333:assumed-role/deploy/other", "111122223333:role/deploy"),
        ("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Ops_ab12/alice@x", "111122223333:sso/alice@x"),
        ("arn:aws:iam::111122223333:root", "111122223333:root"),
    ],
)
def test_session_names_do_not_make_two_people_of_one_role(arn, person):
    assert person_from_arn(arn).id == person


def test_targets_come_from_dimensions_or_from_the_caller():
    subject = Subject(account="1", region="r", dimensions={"FunctionName": "checkout"})
    assert targets_of(subject) == {"AWS::Lambda::Function": "AWS::Lambda::Function|1|r|checkout"}
    assert target_for("AWS::Lambda::Function", Subject(), "f", account="9", region="z") == "AWS::Lambda::Function|9|z|f"
    with pytest.raises(InvalidInput, match="AWS::ECS::Service"):
        target_for("AWS::ECS::Service", subject, None, account="9", region="z")
