"""Service, severity, environment, blast radius and proposals, and the reason for each."""

import pytest

from incidentio.core.severity import Severity
from incidentio.core.signal import Mode, Subject
from incidentio.triage.classify import classify
from incidentio.triage.evidence import Evidence, Heard
from tests.make import an_incident
from tests.unit.triage.conftest import CATALOG, THROTTLE, bundle_of, subject


def judge(name="checkout-5xx", *, tags=None, bundle=None, said=None, incident=None, also=(), **about):
    about = subject(name, **about)
    opening = Heard(subject=about, tags=tags or {}, severity=said)
    incident = an_incident(**{"subject": about, "mode_reason": "its action is our signal topic", **(incident or {})})
    return classify(incident, Evidence(heard=(opening, *also)), bundle or bundle_of(CATALOG))


@pytest.mark.parametrize(
    ("name", "tags", "service", "why"),
    [
        ("checkout-5xx", {}, "checkout", "alarm name matches checkout-*"),
        ("web-latency", {}, "web", "alarm ARN matches *:alarm:web-*"),
        ("cpu", {"app": "orders"}, "orders-db", "tags match app=orders"),
        ("cpu", {"service": "search"}, "search", "alarm tag service=search (not in the catalogue)"),
        ("checkout-5xx", {"incidentio:service": "web"}, "web", "alarm tag incidentio:service=web"),
        ("cpu", {"service": "two words; rm -rf"}, None, "no service of the catalogue matches, and no tag names one"),
    ],
)
def test_the_service_and_why(name, tags, service, why):
    triage = judge(name, tags=tags)
    assert (triage.service, triage.service_why) == (service, why)


def test_of_two_services_that_fit_the_first_is_taken_and_the_other_named():
    triage = judge("checkout-5xx", tags={"app": "orders"})
    assert triage.service == "orders-db"
    assert "also fits checkout" in triage.service_why


def test_what_the_incident_says_stands():
    assert judge(incident={"service": "payments"}).service == "payments"


@pytest.mark.parametrize(
    ("tags", "said", "incident", "severity", "why"),
    [
        ({"severity": "critical"}, None, {}, Severity.SEV1, "alarm tag severity=critical"),
        ({"severity": "4"}, None, {}, Severity.SEV4, "alarm tag severity=4"),
        ({"incidentio:severity": "sev3", "severity": "1"}, None, {}, Severity.SEV3, "incidentio:severity=sev3"),
        ({}, Severity.SEV5, {}, Severity.SEV5, "the signal says so"),
        ({}, None, {}, Severity.SEV1, "checkout is tier 1"),
        ({"severity": "loud"}, None, {}, Severity.SEV1, "checkout is tier 1"),
        ({"severity": "1"}, None, {"severity_set": True}, Severity.SEV2, "set by a person"),
    ],
)
def test_the_severity_and_why(tags, said, incident, severity, why):
    triage = judge(tags=tags, said=said, incident=incident)
    assert triage.severity is severity
    assert why in triage.severity_why


def test_what_is_no_cloudwatch_alarm_has_labels():
    labels = {"severity": "warning", "service": "search", "environment": "staging"}
    triage = classify(an_incident(), Evidence(heard=(Heard(subject=Subject(), tags=labels),)), bundle_of())
    assert triage.severity_why == "label severity=warning"
    assert triage.service_why == "label service=search (not in the catalogue)"
    assert triage.environment_why == "label environment=staging"


@pytest.mark.parametrize(("mode", "severity"), [(Mode.LIVE, Severity.SEV2), (Mode.MONITOR, Severity.SEV3)])
def test_with_nothing_known_an_attached_alarm_is_sev2_and_any_other_sev3(mode, severity):
    assert judge("cpu", incident={"mode": mode}).severity is severity


def test_an_incident_opened_by_hand_without_a_severity_is_sev3():
    triage = classify(an_incident(), Evidence(heard=(Heard(subject=an_incident().subject),)), bundle_of())
    assert triage.severity is Severity.SEV3


def test_of_conflicting_severities_the_higher_counts():
    other = Heard(subject=subject("checkout-latency"), tags={"severity": "SEV1"})
    triage = judge(tags={"severity": "SEV4"}, also=(other,))
    assert triage.severity is Severity.SEV1
    assert "the highest of SEV1, SEV4" in triage.severity_why


def test_an_unreadable_severity_is_missing_context():
    assert "unknown severity 'loud'" in judge(tags={"severity": "loud"}).missing[0]


@pytest.mark.parametrize(
    ("name", "tags", "environment"),
    [
        ("web-x", {}, "staging"),
        ("web-x", {"environment": "Prod"}, "production"),
        ("checkout-5xx", {"incidentio:environment": "dev", "environment": "prod"}, "dev"),
        ("cpu", {}, "production"),
        ("cpu", {"environment": "any thing"}, "production"),
    ],
)
def test_the_environment(name, tags, environment):
    assert judge(name, tags=tags).environment == environment


def test_an_unknown_environment_says_that_it_counts_as_production():
    assert judge("cpu").environment_why == "unknown, which counts as production"


def test_the_blast_radius_is_whatever_depends_on_it_directly_or_not():
    assert judge("cpu", tags={"app": "orders"}).blast_radius == ("checkout", "web")


@pytest.mark.parametrize("value", ["", "true", "yes", "page-me"])
def test_the_page_tag_makes_a_watched_alarm_live(value):
    triage = judge("cpu", tags={"incidentio:page": value}, incident={"mode": Mode.MONITOR})
    assert (triage.mode, triage.severity) == (Mode.LIVE, Severity.SEV2)


@pytest.mark.parametrize("value", ["false", "No", "off", "0"])
def test_the_page_tag_can_say_no(value):
    assert judge("cpu", tags={"incidentio:page": value}, incident={"mode": Mode.MONITOR}).mode is Mode.MONITOR


def test_a_playbook_is_proposed_when_its_matchers_hold():
    about = {"metric": "Errors", "dimensions": {"FunctionName": "checkout"}}
    triage = judge(bundle=bundle_of(CATALOG, THROTTLE), **about)
    assert triage.proposed_why == {"throttle-function": 'when metric="Errors", dim_FunctionName=~".+"'}
    assert judge(bundle=bundle_of(CATALOG, THROTTLE), metric="Errors").proposed == ()


def test_a_playbook_without_matchers_is_never_proposed_by_itself():
    assert judge(bundle=bundle_of(CATALOG, {**THROTTLE, "when": []})).proposed == ()


def test_the_service_limits_what_is_proposed():
    catalog = {"services": {"checkout": {"match": {"alarm_names": ["*"]}, "automation": {"propose": ["scale-*"]}}}}
    about = {"metric": "Errors", "dimensions": {"FunctionName": "checkout"}}
    assert judge(bundle=bundle_of(catalog, THROTTLE), **about).proposed == ()


def test_matchers_see_what_triage_has_just_decided():
    careful = {**THROTTLE, "when": ['severity="SEV1"', 'environment="production"', 'service="checkout"']}
    assert judge(bundle=bundle_of(CATALOG, careful)).proposed == ("throttle-function",)


def test_production_that_a_signal_names_goes_before_what_the_catalogue_says() -> None:
    incident = an_incident(subject=subject("web-latency"))
    heard = Heard(subject=incident.subject, environment="production")
    triage = classify(incident, Evidence(heard=(heard,)), bundle_of(CATALOG))
    assert (triage.service, triage.environment, triage.environment_why) == ("web", "production", "named by the signal")


def test_a_severity_tag_nobody_understands_leaves_what_the_signal_says() -> None:
    triage = judge(tags={"severity": "page"}, said=Severity.SEV1, name="unheard-of")
    assert (triage.severity, triage.severity_why) == (Severity.SEV1, "the signal says so")
    assert any("severity" in missing for missing in triage.missing)
