"""Each sample event becomes exactly the signal its documentation promises."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from incidentio.core.attachment import Attachment
from incidentio.core.catalog import Catalog
from incidentio.core.changes import ChangeRecord
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Mode, Signal, SignalState
from incidentio.ingest.contracts import rds
from incidentio.ingest.message import read
from incidentio.ingest.observation import Changed, Found, Ignored, Observation
from tests.unit.ingest.doors import ACCOUNT, REGION, SAMPLES, arn, notification, sample

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
ATTACHMENT = Attachment(own_prefix="incidentio", catalog=Catalog())
OTHERWISE = (
    "states_",
    "alertmanager_",
    "cloudevents_",
    "grafana_",
    "pagerduty_",
)  # not for ingest, or through the HTTP door
INGESTED = sorted(p.stem for p in SAMPLES.glob("*.json") if not p.stem.startswith(OTHERWISE))


def found_in(name: str, catalog: Catalog | None = None) -> Found:
    return read(sample(name), attachment=Attachment("incidentio", catalog or Catalog()), now=NOW)


def observed(name: str, catalog: Catalog | None = None) -> Observation:
    found = found_in(name, catalog)
    observation = found.signal if isinstance(found, Changed) else found
    assert isinstance(observation, Observation)
    return observation


def change(name: str, catalog: Catalog | None = None) -> ChangeRecord:
    found = found_in(name, catalog)
    assert isinstance(found, Changed)
    return found.record


def signal(name: str, catalog: Catalog | None = None) -> Signal:
    return observed(name, catalog).build(NOW)


@pytest.mark.parametrize("name", INGESTED)
def test_every_sample_is_understood(name: str) -> None:
    found = read(sample(name), attachment=ATTACHMENT, now=NOW)
    assert isinstance(found, Ignored) == name.endswith("_ignored")


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("cloudwatch_metric_alarm", SignalState.FIRING),
        ("cloudwatch_metric_ok", SignalState.OK),
        ("cloudwatch_insufficient_data", SignalState.NOTE),
        ("sns_alarm", SignalState.FIRING),
        ("sns_alarm_ok", SignalState.OK),
        ("sns_insufficient_data", SignalState.NOTE),
    ],
)
def test_states(name: str, state: SignalState) -> None:
    assert observed(name).state is state


def test_both_doors_tell_the_same_story() -> None:
    bus, topic = signal("cloudwatch_metric_alarm"), signal("sns_alarm")
    assert bus.dedup_key == topic.dedup_key == arn("checkout-errors")
    assert bus.changed_at == topic.changed_at == datetime(2026, 3, 4, 9, 13, 41, 210_000, tzinfo=UTC)
    assert bus.impact_started_at == topic.impact_started_at == datetime(2026, 3, 4, 9, 11, tzinfo=UTC)
    assert bus.subject == topic.subject
    assert (bus.subject.account, bus.subject.region) == ("111122223333", "eu-west-1")
    assert (bus.subject.namespace, bus.subject.metric) == ("AWS/Lambda", "Errors")
    assert bus.subject.dimensions == {"FunctionName": "checkout"}
    assert (bus.title, bus.reason) == (topic.title, topic.reason)
    assert (bus.mode, topic.mode) == (Mode.MONITOR, Mode.LIVE)


def test_recovery_has_no_start_of_impact() -> None:
    assert signal("cloudwatch_metric_ok").impact_started_at is None


def test_metric_math_is_about_the_metrics_that_go_in() -> None:
    subject = signal("cloudwatch_metric_math_alarm").subject
    assert (subject.metric, subject.dimensions) == ("Errors", {"FunctionName": "checkout"})


@pytest.mark.parametrize("name", ["cloudwatch_composite_alarm", "sns_composite_alarm"])
def test_a_composite_began_with_the_alarm_that_triggered_it(name: str) -> None:
    found = signal(name)
    assert found.impact_started_at == datetime(2026, 3, 4, 9, 13, 41, 210_000, tzinfo=UTC)
    assert (found.subject.alarm_name, found.subject.metric) == ("checkout-down", "")


@pytest.mark.parametrize("name", ["cloudwatch_alarm_with_tags", "sns_alarm_with_tags"])
def test_tags_say_severity(name: str) -> None:
    found = signal(name)
    assert found.severity is Severity.SEV1
    assert found.tags["service"] == "checkout"
    assert found.mode is Mode.LIVE


@pytest.mark.parametrize(
    ("held", "why"),
    [
        ({"muteDetail": {"mutedByArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm-mute-rule:nights"}}, "nights"),
        ({"state": {"actionsSuppressedBy": "Alarm"}}, "its actions are suppressed (Alarm)"),
    ],
)
def test_a_muted_or_suppressed_alarm_is_only_watched_unless_somebody_sends_it(held: dict[str, Any], why: str) -> None:
    event = json.loads(sample("cloudwatch_alarm_with_tags"))
    event["detail"] = {**event["detail"], **held, "state": {**event["detail"]["state"], **held.get("state", {})}}
    found = read(json.dumps(event), attachment=ATTACHMENT, now=NOW)
    assert isinstance(found, Observation)
    assert found.mode is Mode.MONITOR
    assert why in found.build(NOW).mode_reason
    sent = read(notification(event), attachment=ATTACHMENT, now=NOW)
    assert isinstance(sent, Observation)
    assert sent.mode is Mode.LIVE


def test_another_account_keeps_its_name() -> None:
    found = signal("signals_other_account_alarm")
    assert found.subject.account == "444455556666"
    assert found.dedup_key.startswith("arn:aws:cloudwatch:eu-west-1:444455556666:")


def test_our_own_contract() -> None:
    found = signal("signals_own_signal")
    assert (found.dedup_key, found.severity, found.service) == ("canary/checkout", Severity.SEV2, "checkout")
    assert found.impact_started_at == datetime(2026, 3, 4, 9, 10, tzinfo=UTC)
    assert found.mode is Mode.LIVE


def test_a_test_page_is_a_drill_whatever_it_says() -> None:
    body = json.loads(sample("sns_test_page"))
    message = json.loads(body["Message"])
    del message["kind"]
    found = read(json.dumps({**body, "Message": json.dumps(message)}), attachment=ATTACHMENT, now=NOW)
    assert isinstance(found, Observation)
    assert found.build(NOW).kind is Kind.DRILL
    assert signal("sns_test_page").kind is Kind.DRILL


def test_alertmanager_tells_by_attributes() -> None:
    firing, resolved = signal("sns_alertmanager"), signal("sns_alertmanager_resolved")
    assert firing.dedup_key == resolved.dedup_key == "prometheus/HighErrorRate/checkout"
    assert (firing.state, resolved.state) == (SignalState.FIRING, SignalState.OK)
    assert (firing.severity, firing.service) == (Severity.SEV1, "checkout")
    assert firing.tags == {"alertname": "HighErrorRate"}


def test_a_text_is_told_by_its_subject() -> None:
    found = signal("sns_text")
    assert (found.title, found.state, found.mode) == ("Nightly import failed", SignalState.FIRING, Mode.LIVE)


def test_a_budget_is_read_from_its_text() -> None:
    found = signal("sns_budget")
    assert found.dedup_key == "budget/111122223333/checkout-monthly/ACTUAL/> $800.00"
    assert (found.title, found.severity) == ("Budget checkout-monthly: actual cost over $800.00", Severity.SEV3)
    assert found.reason == "ACTUAL Amount $812.34, budgeted $1,000.00"


def test_a_budget_of_utilization_is_told_when_too_little_is_used() -> None:
    found = signal("sns_budget_utilization")
    assert found.dedup_key == "budget/111122223333/checkout-reserved/ACTUAL/< 80%"
    assert found.title == "Budget checkout-reserved: actual RI utilization under 80%"
    assert found.reason == "ACTUAL Amount 62.5%, budgeted 100%"


@pytest.mark.parametrize(
    ("type_", "threshold", "said"),
    [
        ("Savings Plans Coverage", "< 90%", "actual savings plans coverage under 90%"),
        ("Usage", "> 100 GB", "actual usage over 100 GB"),
        ("Cost", "= $800.00", "actual cost at $800.00"),
        ("Cost", "$800.00", "actual cost over $800.00"),
    ],
)
def test_the_threshold_of_a_budget_has_a_side(type_: str, threshold: str, said: str) -> None:
    envelope = json.loads(sample("sns_budget"))
    text = envelope["Message"].replace("Budget Type: Cost", f"Budget Type: {type_}").replace("> $800.00", threshold)
    found = read(json.dumps({**envelope, "Message": text}), attachment=ATTACHMENT, now=NOW)
    assert isinstance(found, Observation)
    assert found.build(NOW).title == f"Budget checkout-monthly: {said}"


def test_an_event_that_somebody_sends_through_the_topic_is_live() -> None:
    through_topic, unasked = signal("sns_forwarded_event"), signal("cloudwatch_metric_alarm")
    assert through_topic.dedup_key == unasked.dedup_key
    assert (through_topic.mode, unasked.mode) == (Mode.LIVE, Mode.MONITOR)


ARN = "arn:aws:{}:eu-west-1:111122223333:{}".format
HEALTH = (
    "arn:aws:health:eu-west-1::event/LAMBDA/AWS_LAMBDA_OPERATIONAL_ISSUE/AWS_LAMBDA_OPERATIONAL_ISSUE_7f35c8ae"
    "/111122223333"
)
REFRESH = "autoscaling/111122223333/eu-west-1/checkout-workers/refresh"
FIRING, OK, NOTE = SignalState.FIRING, SignalState.OK, SignalState.NOTE
SEV1, SEV2, SEV3 = Severity.SEV1, Severity.SEV2, Severity.SEV3


@pytest.mark.parametrize(
    ("name", "state", "severity", "key", "title"),
    [
        ("autoscaling_launch_failed", FIRING, SEV3, "autoscaling/111122223333/eu-west-1/checkout-workers/launch",
         "Auto Scaling group checkout-workers cannot launch instances"),
        ("autoscaling_launch_succeeded", OK, SEV3, "autoscaling/111122223333/eu-west-1/checkout-workers/launch",
         "Auto Scaling group checkout-workers can launch instances"),
        ("autoscaling_refresh_failed", FIRING, SEV3, REFRESH,
         "Auto Scaling checkout-workers deployment failed"),
        ("autoscaling_refresh_rollback_failed", FIRING, SEV3, REFRESH,
         "Auto Scaling checkout-workers deployment failed"),
        ("autoscaling_refresh_rolled_back", FIRING, SEV3, REFRESH,
         "Auto Scaling checkout-workers deployment failed"),
        ("autoscaling_refresh_succeeded", OK, SEV3, REFRESH, "Auto Scaling checkout-workers deployed"),
        ("autoscaling_terminate_failed", FIRING, SEV3, "autoscaling/111122223333/eu-west-1/checkout-workers/terminate",
         "Auto Scaling group checkout-workers cannot terminate instances"),
        ("autoscaling_terminate_succeeded", OK, SEV3,
         "autoscaling/111122223333/eu-west-1/checkout-workers/terminate",
         "Auto Scaling group checkout-workers can terminate instances"),
        ("cloudformation_completed", OK, SEV3, ARN("cloudformation", "stack/checkout"),
         "CloudFormation checkout deployed"),
        ("cloudformation_rolled_back", FIRING, SEV3, ARN("cloudformation", "stack/checkout"),
         "CloudFormation checkout deployment failed"),
        ("cloudwatch_anomaly_detection_alarm", FIRING, None, arn("checkout-latency-anomaly"),
         "checkout-latency-anomaly"),
        ("cloudwatch_contributor_alarm", FIRING, None, arn("tables-throttled"), "tables-throttled"),
        ("cloudwatch_contributor_ok", NOTE, None, arn("tables-throttled"), "tables-throttled"),
        ("sns_contributor_alarm", FIRING, None, arn("tables-throttled"), "tables-throttled"),
        ("sns_contributor_ok", NOTE, None, arn("tables-throttled"), "tables-throttled"),
        ("codedeploy_failure", FIRING, SEV3, "codedeploy/111122223333/eu-west-1/checkout/production",
         "CodeDeploy checkout/production deployment failed"),
        ("codedeploy_success", OK, SEV3, "codedeploy/111122223333/eu-west-1/checkout/production",
         "CodeDeploy checkout/production deployed"),
        ("codepipeline_failed", FIRING, SEV3, ARN("codepipeline", "checkout-release"),
         "CodePipeline checkout-release deployment failed"),
        ("codepipeline_succeeded", OK, SEV3, ARN("codepipeline", "checkout-release"),
         "CodePipeline checkout-release deployed"),
        ("cost_anomaly", FIRING, SEV3, "cost-anomaly/111122223333/12345678-abcd-ef12-3456-987654321a12",
         "Unusual spend on AWS Lambda"),
        ("ec2_fleet_error", FIRING, SEV3, ARN("ec2", "fleet/fleet-598fb973#launchSpecUnusable"),
         "fleet-598fb973: launchSpecUnusable failed"),
        ("ec2_image_failed", FIRING, SEV3, "arn:aws:ec2:eu-west-1::image/ami-0abcdef1#image",
         "ami-0abcdef1: image failed"),
        ("ec2_snapshot_failed", FIRING, SEV3, "arn:aws:ec2::eu-west-1:snapshot/snap-01234567#copySnapshot",
         "snap-01234567: copySnapshot failed"),
        ("ec2_snapshots_failed", FIRING, SEV3, "arn:aws:ec2::eu-west-1:snapshot/snap-0123456a#createSnapshots",
         "snap-0123456a: createSnapshots failed"),
        ("ec2_spot_fleet_error", FIRING, SEV3,
         ARN("ec2", "spot-fleet-request/sfr-77f4a0e1-0f0a-4b7f#spotFleetRequestConfigurationInvalid"),
         "sfr-77f4a0e1-0f0a-4b7f: spotFleetRequestConfigurationInvalid failed"),
        ("ec2_volume_attach_failed", FIRING, SEV3, ARN("ec2", "volume/vol-01234567#attachVolume"),
         "vol-01234567: attachVolume failed"),
        ("ecs_deployment_completed", OK, SEV3, ARN("ecs", "service/shop/checkout#deployment"),
         "ECS shop/checkout deployed"),
        ("ecs_deployment_failed", FIRING, SEV3, ARN("ecs", "service/shop/checkout#deployment"),
         "ECS shop/checkout deployment failed"),
        ("ecs_service_steady", OK, SEV3, ARN("ecs", "service/shop/checkout#tasks"), "ECS shop/checkout: steady state"),
        ("ecs_tasks_not_placed", FIRING, SEV3, ARN("ecs", "service/shop/checkout#tasks"),
         "ECS shop/checkout: task placement failure"),
        ("guardduty_finding_high", FIRING, SEV2,
         ARN("guardduty", "detector/123456789012/finding/16afba5c5c43e07c9e3e5e2e544e95df"),
         "The EC2 instance i-0b22a22eec53b9321 is communicating with a cryptocurrency-related domain."),
        ("guardduty_finding_medium", FIRING, SEV3,
         ARN("guardduty", "detector/123456789012/finding/2aafba5c5c43e07c9e3e5e2e544e9500"),
         "The EC2 instance i-0b22a22eec53b9321 uses an unusual port."),
        ("health_issue", FIRING, SEV2,
         HEALTH, "AWS LAMBDA in eu-west-1: lambda operational issue"),
        ("health_issue_closed", OK, SEV2,
         HEALTH, "AWS LAMBDA in eu-west-1: lambda operational issue"),
        ("invocation_alarm", FIRING, None, arn("checkout-errors"), "checkout-errors"),
        ("invocation_failed_destination", FIRING, None, arn("checkout-errors"), "checkout-errors"),
        ("rds_cluster_failover_failed", FIRING, SEV3, ARN("rds", "cluster:carts#failover"), "RDS carts: failover"),
        ("rds_failover_completed", OK, SEV3, ARN("rds", "db:orders#failover"), "RDS orders: failover"),
        ("rds_failover_started", FIRING, SEV3, ARN("rds", "db:orders#failover"), "RDS orders: failover"),
        ("rds_failure", FIRING, SEV2, ARN("rds", "db:orders#failure"), "RDS orders: failure"),
        ("rds_storage_full", FIRING, SEV2, ARN("rds", "db:orders#low-storage"), "RDS orders: low storage"),
        ("rds_activation_completed", OK, SEV3, ARN("rds", "db:orders#failover"), "RDS orders: failover"),
        ("rds_blue_green_canceled", FIRING, SEV3, ARN("rds", "deployment:bgd-0f0a0001#failure"),
         "RDS bgd-0f0a0001: failure"),
        ("rds_blue_green_completed", OK, SEV3, ARN("rds", "deployment:bgd-0f0a0001#failure"),
         "RDS bgd-0f0a0001: failure"),
        ("rds_global_failover_failed", FIRING, SEV2, ARN("rds", "cluster:carts#global-failover-failed"),
         "RDS carts: global failover failed"),
        ("rds_key_accessible", OK, SEV2, ARN("rds", "db:orders#encryption-key-inaccessible"),
         "RDS orders: encryption key inaccessible"),
        ("rds_key_inaccessible", FIRING, SEV2, ARN("rds", "db:orders#encryption-key-inaccessible"),
         "RDS orders: encryption key inaccessible"),
        ("rds_log_volume_disabled", OK, SEV2, ARN("rds", "db:orders#low-log-volume"), "RDS orders: low log volume"),
        ("rds_log_volume_low", FIRING, SEV2, ARN("rds", "db:orders#low-log-volume"), "RDS orders: low log volume"),
        ("rds_proxy_throttled", FIRING, SEV3, ARN("rds", "db-proxy:carts#failure"), "RDS carts: failure"),
        ("rds_replication_resumed", OK, SEV3, ARN("rds", "db:orders#replication-stopped"),
         "RDS orders: replication stopped"),
        ("rds_replication_stopped", FIRING, SEV3, ARN("rds", "db:orders#replication-stopped"),
         "RDS orders: replication stopped"),
        ("rds_restart_failed", FIRING, SEV2, ARN("rds", "db:orders#restart-failed"), "RDS orders: restart failed"),
        ("rds_restarted", OK, SEV2, ARN("rds", "db:orders#restart-failed"), "RDS orders: restart failed"),
        ("rds_shut_down", FIRING, SEV2, ARN("rds", "db:orders#low-storage"), "RDS orders: low storage"),
        ("rds_storage_allocated", OK, SEV2, ARN("rds", "db:orders#low-storage"), "RDS orders: low storage"),
        ("securityhub_finding", FIRING, SEV2,
         ARN("securityhub", "security-control/S3.2/finding/5a2f0001-9b1e-4c35-8b5e-0d1f5d7c0001"),
         "S3 general purpose buckets should block public read access"),
        ("securityhub_finding_resolved", OK, Severity.SEV5,
         ARN("securityhub", "security-control/S3.2/finding/5a2f0001-9b1e-4c35-8b5e-0d1f5d7c0001"),
         "S3 general purpose buckets should block public read access"),
        ("securityhub_v2_finding", FIRING, SEV1,
         ARN("guardduty", "detector/123456789012/finding/3bafba5c5c43e07c9e3e5e2e544e9501"),
         "Credentials of an EC2 instance were used from outside AWS"),
        ("securityhub_v2_finding_resolved", OK, SEV1,
         ARN("guardduty", "detector/123456789012/finding/3bafba5c5c43e07c9e3e5e2e544e9501"),
         "Credentials of an EC2 instance were used from outside AWS"),
        ("sns_autoscaling_launch_failed", FIRING, SEV3, "autoscaling/111122223333/eu-west-1/checkout-workers/launch",
         "Auto Scaling group checkout-workers cannot launch instances"),
        ("sns_autoscaling_launched", OK, SEV3, "autoscaling/111122223333/eu-west-1/checkout-workers/launch",
         "Auto Scaling group checkout-workers can launch instances"),
        ("sns_cost_anomaly", FIRING, SEV3, "cost-anomaly/111122223333/12345678-abcd-ef12-3456-987654321a12",
         "Unusual spend on AWS Lambda"),
        ("stepfunctions_execution_failed", FIRING, SEV3, ARN("states", "stateMachine:nightly-report"),
         "State machine nightly-report: execution failed"),
        ("stepfunctions_execution_succeeded", OK, SEV3, ARN("states", "stateMachine:nightly-report"),
         "State machine nightly-report: execution succeeded"),
        ("stepfunctions_execution_timed_out", FIRING, SEV3, ARN("states", "stateMachine:nightly-report"),
         "State machine nightly-report: execution timed out"),
    ],
)  # fmt: skip
def test_signals_of_aws(name: str, state: SignalState, severity: Severity | None, key: str, title: str) -> None:
    found = signal(name)
    assert (found.state, found.severity, found.dedup_key, found.title) == (state, severity, key, title)
    assert found.reason
    assert found.changed_at.date().isoformat() == "2026-03-04"
    assert (found.impact_started_at is not None) is (state is FIRING)


@pytest.mark.parametrize(
    ("name", "status", "what", "actor"),
    [
        ("autoscaling_refresh_started", "started", "Auto Scaling checkout-workers started", ""),
        ("autoscaling_refresh_rolled_back", "failed",
         "Auto Scaling checkout-workers failed: instance refresh c613620e-07e2-4ed2: rollback succeeded", ""),
        ("cloudformation_started", "started", "CloudFormation checkout started", ""),
        ("cloudtrail_appconfig", "succeeded", "StartDeployment def5678 version 7", "111122223333:sso/alice"),
        ("cloudtrail_function_code", "succeeded", "UpdateFunctionCode checkout", "111122223333:sso/alice"),
        ("cloudtrail_function_deleted", "succeeded", "DeleteFunction checkout", "111122223333:sso/alice"),
        ("cloudtrail_function_mapping", "succeeded", "UpdateEventSourceMapping checkout", "111122223333:sso/alice"),
        ("cloudtrail_function_provisioned", "succeeded", "PutProvisionedConcurrencyConfig checkout",
         "111122223333:sso/alice"),
        ("cloudtrail_function_version", "succeeded", "PublishVersion checkout", "111122223333:sso/alice"),
        ("cloudtrail_route_table_associated", "succeeded", "AssociateRouteTable rtb-0f0a0001",
         "111122223333:sso/alice"),
        ("cloudtrail_route_table_replaced", "succeeded",
         "ReplaceRouteTableAssociation rtb-0f0a0002 rtbassoc-0f0a0001", "111122223333:sso/alice"),
        ("cloudtrail_security_group_deleted", "succeeded", "DeleteSecurityGroup sg-0f0a0001", "111122223333:sso/alice"),
        ("cloudtrail_route", "succeeded", "ReplaceRoute rtb-0f0a0001 10.1.0.0/16", "111122223333:sso/alice"),
        ("cloudtrail_security_group", "succeeded", "AuthorizeSecurityGroupIngress sg-0f0a0001 tcp 22 0.0.0.0/0",
         "111122223333:sso/alice"),
        ("codedeploy_failure", "failed", "CodeDeploy checkout/production failed: deployment d-123456789: FAILURE", ""),
        ("codedeploy_start", "started", "CodeDeploy checkout/production started", ""),
        ("codepipeline_started", "started", "CodePipeline checkout-release started", "111122223333:sso/alice"),
        ("ecs_deployment_started", "started", "ECS shop/checkout started", ""),
    ],
)  # fmt: skip
def test_changes(name: str, status: str, what: str, actor: str) -> None:
    found = change(name)
    assert (found.status, found.what, found.actor) == (status, what, actor)
    assert found.resources
    assert found.service is None


@pytest.mark.parametrize(
    "source", ["autoscaling_refresh", "codedeploy", "codepipeline", "cloudformation", "ecs_deployment"]
)
def test_what_is_told_of_one_deployment_has_one_id(source: str) -> None:
    told = {change(path.stem).id for path in SAMPLES.glob(f"{source}_*.json") if not path.stem.endswith("_ignored")}
    assert len(told) == 1


@pytest.mark.parametrize("name", ["cloudformation_started", "codedeploy_start", "cloudtrail_route"])
def test_a_change_that_did_not_fail_is_no_signal(name: str) -> None:
    found = found_in(name)
    assert isinstance(found, Changed)
    assert found.signal is None


UNASKED = [
    name
    for name in INGESTED
    if not name.startswith(("cloudtrail", "cloudwatch", "invocation", "signals", "sns"))
    and not name.endswith(("_ignored", "_start", "_started"))
] + ["rds_failover_started"]


@pytest.mark.parametrize("name", UNASKED)
def test_what_aws_tells_unasked_is_watched_unless_it_is_urgent_security(name: str) -> None:
    found = signal(name)
    urgent = found.source in ("guardduty", "securityhub") and found.severity in (SEV1, SEV2)
    assert (found.mode is Mode.LIVE) is urgent, found.mode_reason


RESOURCES = ["*:function:checkout", "checkout*", "*i-0b22a22eec53b9321", "nightly-*", "orders", "carts", "services",
             "sfr-*", "*:volume/*", "*:snapshot/*", "*:fleet/*", "*:image/*", "bgd-*"]  # fmt: skip
OWNED = Catalog.model_validate(
    {"services": {"shop": {"environment": "staging", "match": {"resources": RESOURCES, "tags": {"app": "checkout"}}}}}
)


@pytest.mark.parametrize("name", UNASKED)
def test_what_is_of_a_service_in_the_catalogue_is_live(name: str) -> None:
    found = signal(name, OWNED)
    assert (found.mode, found.service) == (Mode.LIVE, "shop")
    assert "service shop: " in found.mode_reason


@pytest.mark.parametrize("name", ["codedeploy_start", "cloudtrail_function_code"])
def test_a_change_is_of_the_service_its_resources_are_of(name: str) -> None:
    found = change(name, OWNED)
    assert (found.service, found.environment) == ("shop", "staging")


def test_an_anomaly_band_has_a_threshold_for_each_datapoint() -> None:
    found = signal("cloudwatch_anomaly_detection_alarm")
    assert found.impact_started_at == datetime(2026, 3, 4, 9, 12, tzinfo=UTC)
    assert (found.subject.metric, found.subject.dimensions) == ("Duration", {"FunctionName": "checkout"})


@pytest.mark.parametrize("door", ["cloudwatch", "sns"])
def test_a_contributor_is_named(door: str) -> None:
    found = signal(f"{door}_contributor_alarm")
    assert found.reason.startswith("TableName=orders: ")
    assert found.subject.dimensions == {"TableName": "orders"}


def test_another_account_and_region_is_another_deployment() -> None:
    here, there = signal("codedeploy_failure"), signal("signals_other_account_deployment")
    assert there.dedup_key == "codedeploy/444455556666/us-east-1/checkout/production"
    assert here.dedup_key != there.dedup_key
    assert change("codedeploy_failure").id != change("signals_other_account_deployment").id


def test_a_set_of_snapshots_is_about_the_volumes_it_was_taken_of() -> None:
    volumes = [f"arn:aws:ec2::eu-west-1:volume/vol-0123456{end}" for end in "ab"]
    assert {*volumes} < {*signal("ec2_snapshots_failed").subject.resources}


def test_both_doors_of_an_anomaly_meet() -> None:
    event, message = signal("cost_anomaly"), signal("sns_cost_anomaly")
    assert event.dedup_key == message.dedup_key
    assert (event.mode, message.mode) == (Mode.MONITOR, Mode.LIVE)
    assert "1001 USD more than expected" in event.reason


def test_both_doors_of_auto_scaling_meet() -> None:
    event, message = signal("autoscaling_launch_failed"), signal("sns_autoscaling_launch_failed")
    assert (event.dedup_key, event.changed_at, event.reason) == (message.dedup_key, message.changed_at, message.reason)
    assert (event.mode, message.mode) == (Mode.MONITOR, Mode.LIVE)
    assert (message.subject.account, message.subject.region) == ("111122223333", "eu-west-1")


@pytest.mark.parametrize(
    ("told", "state", "what"),
    [
        ("EC2_INSTANCE_LAUNCH", OK, "launch"),
        ("EC2_INSTANCE_LAUNCH_ERROR", FIRING, "launch"),
        ("EC2_INSTANCE_TERMINATE", OK, "terminate"),
        ("EC2_INSTANCE_TERMINATE_ERROR", FIRING, "terminate"),
    ],
)
def test_each_notification_of_auto_scaling(told: str, state: SignalState, what: str) -> None:
    envelope = json.loads(sample("sns_autoscaling_launch_failed"))
    message = {**json.loads(envelope["Message"]), "Event": f"autoscaling:{told}"}
    found = read(json.dumps({**envelope, "Message": json.dumps(message)}), attachment=ATTACHMENT, now=NOW)
    assert isinstance(found, Observation)
    assert (found.state, found.dedup_key.rpartition("/")[2]) == (state, what)


@pytest.mark.parametrize("name", ["securityhub_finding", "securityhub_v2_finding"])
def test_a_finding_id_that_is_no_arn_is_of_one_account_and_region(name: str) -> None:
    document = json.loads(sample(name))
    (finding,) = document["detail"]["findings"]

    def key(account: str, region: str) -> str:
        if "finding_info" in finding:
            finding["finding_info"]["uid"] = "check-1"
            finding["cloud"] = {"account": {"uid": account}, "region": region}
        else:
            finding.update({"Id": "check-1", "AwsAccountId": account, "Region": region})
        found = read(json.dumps(document), attachment=ATTACHMENT, now=NOW)
        assert isinstance(found, Observation)
        return found.dedup_key

    assert key("111122223333", "eu-west-1") == "securityhub/111122223333/eu-west-1/check-1"
    assert len({key(a, r) for a in ("111122223333", "444455556666") for r in ("eu-west-1", "us-east-1")}) == 4


def test_an_association_is_of_a_route_table_and_a_subnet_where_the_call_names_them() -> None:
    subnet = "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-0f0a0001"
    assert subnet in change("cloudtrail_route_table_associated").resources
    ended = change("cloudtrail_route_table_disassociated")
    assert (ended.what, ended.resources) == ("DisassociateRouteTable rtbassoc-0f0a0001", ())


def test_a_rule_that_is_edited_in_the_console_names_its_security_group() -> None:
    record = change("cloudtrail_security_group_rule")
    assert record.resources == ("arn:aws:ec2:eu-west-1:111122223333:security-group/sg-0f0a0001",)
    assert record.what == "ModifySecurityGroupRules sg-0f0a0001 tcp 22 0.0.0.0/0"


@pytest.mark.parametrize("number", rds.HARMLESS)
def test_rds_tells_of_what_needs_nobody_in_the_category_of_failures(number: str) -> None:
    document = json.loads(sample("rds_failure"))
    document["detail"]["EventID"] = number
    assert isinstance(read(json.dumps(document), attachment=ATTACHMENT, now=NOW), Ignored)


@pytest.mark.parametrize(("number", "problem"), [*rds.FIRING.items(), ("RDS-EVENT-0031", rds.Problem.FAILURE)])
def test_each_problem_of_a_database_has_its_own_key_and_keeps_it(number: str, problem: rds.Problem) -> None:
    document = json.loads(sample("rds_failure"))
    document["detail"]["EventID"] = number
    found = read(json.dumps(document), attachment=ATTACHMENT, now=NOW)
    assert isinstance(found, Observation)
    assert (found.state, found.dedup_key.partition("#")[2]) == (FIRING, problem.replace(" ", "-"))
    assert problem in rds.OVER.values(), "nothing ends it"
