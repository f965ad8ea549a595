"""The templates as a whole: limits, cdk-nag, cfn-lint, outputs and the asset."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from incidentio.core.bundle import Bundle
from incidentio.core.catalog import Catalog
from infra import asset
from infra.app import build_app
from infra.constructs.playbooks import SHELVES
from infra.options import ROOT, Options
from tests.infra.conftest import Assembly, acknowledging_modules, cdk_context
from tests.load.money import idle, resources

OUTPUTS = {
    "ApiUrl", "ArchiveBucketName", "CommunicateDlqUrl", "CommunicateQueueUrl", "EventBusName", "IngestDlqUrl",
    "IngestQueueUrl", "KillSwitchParameterName", "LaneDlqUrl", "OutboxDlqUrl", "PageTopicArn", "RetentionDays",
    "RetentionMode", "SignalFunctionArn", "SignalTopicArn", "SignalsBusArn", "SignalsBusName", "SigningSecretPrefix",
    "SweepRuleName", "TableName", "TestTopicArn", "TicketTopicArn", "WatchdogTopicArn", "WebhookUrl",
}  # fmt: skip


def test_templates_stay_well_under_the_limits(assembly: Assembly) -> None:
    shelves = [path for path in assembly.files if "Shelf" in path.name]
    assert 1 <= len(shelves) == len(assembly.files) - 1 <= SHELVES
    for path in assembly.files:
        assert len(json.loads(path.read_text())["Resources"]) < 400
        assert path.stat().st_size < 800_000


def test_role_policies_stay_under_the_limit(assembly: Assembly) -> None:
    for name, policy in assembly.resources("AWS::IAM::Policy").items():
        assert len(json.dumps(policy["Properties"]["PolicyDocument"])) < 10_240, name


def test_the_outputs_are_those_scripts_rely_on(assembly: Assembly) -> None:
    assert set(assembly.main["Outputs"]) == OUTPUTS


def test_only_machines_alarms_and_their_log_group_have_names(assembly: Assembly) -> None:
    named = {
        resource["Type"]
        for template in assembly.templates.values()
        for resource in template["Resources"].values()
        for key in resource.get("Properties", {})
        if key in {"AlarmName", "BucketName", "FunctionName", "LogGroupName", "QueueName", "RoleName",
                   "StateMachineName", "TableName", "TopicName"}
        and isinstance(resource["Properties"][key], str)
    }  # fmt: skip
    assert named == {"AWS::CloudWatch::Alarm", "AWS::Logs::LogGroup", "AWS::StepFunctions::StateMachine"}


def test_the_templates_fit_every_partition_and_region(assembly: Assembly) -> None:
    for path in assembly.files:
        written = re.findall(r"arn:aws[a-z-]*:|amazonaws\.com\.cn|\b[a-z]{2}-(?:gov-)?[a-z]+-[1-9]\b", path.read_text())
        assert written == [], path.name


def test_nothing_is_found_by_cdk_nag(assembly: Assembly) -> None:
    assert [v["ruleName"] for report in assembly.report["pluginReports"] for v in report["violations"]] == []


def test_every_acknowledgement_answers_a_finding(assembly: Assembly, tmp_path: Path) -> None:
    """Without any, cdk-nag finds just what is acknowledged; a reason for nothing would hide the next mistake."""
    with pytest.MonkeyPatch.context() as patch:
        for module in acknowledging_modules():
            patch.setattr(module, "acknowledge", lambda _construct, _findings: None)
        app = build_app(cdk_context(), outdir=str(tmp_path))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    found = [
        (where["constructPath"], violation["ruleName"])
        for report in Assembly(tmp_path, []).report["pluginReports"]
        for violation in report["violations"]
        for where in violation["violatingConstructs"]
    ]
    assert [
        (path, rule)
        for path, rule in assembly.accepted
        if not any(rule == other and where.startswith(f"{path}/") for where, other in found)
    ] == []


def test_cfn_lint_finds_nothing(assembly: Assembly) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "cfn-lint", *assembly.files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_asset_has_no_command_line_and_is_stable(tmp_path: Path) -> None:
    first, second = asset.stage(Bundle(), into=tmp_path / "a"), asset.stage(Bundle(), into=tmp_path / "b")
    names = {path.relative_to(first).as_posix() for path in first.rglob("*") if path.is_file()}
    assert first.name == second.name
    assert {"incidentio/bundle.json", "incidentio/core/incident.py"} <= names
    assert not [name for name in names if "/cli/" in name or name.endswith(".pyc")]
    assert Bundle.of(json.loads((first / "incidentio/bundle.json").read_bytes())) == Bundle()


def test_another_catalogue_is_another_asset(tmp_path: Path) -> None:
    other = Bundle(catalog=Catalog.model_validate({"services": {"checkout": {}}}))
    assert asset.stage(other, into=tmp_path).name != asset.stage(Bundle(), into=tmp_path).name


def test_what_was_staged_days_ago_is_forgotten(tmp_path: Path) -> None:
    old = tmp_path / "0123456789abcdef"
    old.mkdir()
    os.utime(old, (0, 0))
    staged = asset.stage(Bundle(), into=tmp_path)
    assert list(tmp_path.iterdir()) == [staged]


def test_opting_in_brings_the_account_role_reserved_concurrency_and_a_stricter_lock(opted: Assembly) -> None:
    template = opted.templates["second.template.json"]
    assert template["Outputs"]["RetentionMode"]["Value"] == "COMPLIANCE"
    locking = [
        (variables["RETENTION_MODE"], variables["RETENTION_DAYS"])
        for r in template["Resources"].values()
        if r["Type"] == "AWS::Lambda::Function"
        and "RETENTION_MODE" in (variables := r["Properties"]["Environment"]["Variables"])
    ]
    assert locking == [("COMPLIANCE", "3650")] * 2, "the API locks reviews, learn locks anchors"
    kinds = [r["Type"] for r in template["Resources"].values()]
    assert kinds.count("AWS::ApiGateway::Account") == 1
    emails = [
        r
        for r in template["Resources"].values()
        if r["Type"] == "AWS::SNS::Subscription" and r["Properties"]["Protocol"] == "email"
    ]
    assert {r["Properties"]["Endpoint"] for r in emails} == {"oncall@example.com"}
    assert len(emails) == 2
    assert {r["DeletionPolicy"] for r in emails} == {"Retain"}, "a deployment without PAGE_EMAIL must not unsubscribe"
    reserved = {
        name.split("Function")[0]
        for name, r in template["Resources"].items()
        if r["Type"] == "AWS::Lambda::Function" and "ReservedConcurrentExecutions" in r["Properties"]
    }
    assert reserved == {
        "IngestingIngest", "DomainPublisher", "TriagingTriage", "CommunicatingCommunicate", "MitigatingControl",
        "HooksDoor",
    }  # fmt: skip
    assert {
        r["Properties"]["Tags"][0]["Value"]
        for r in template["Resources"].values()
        if r["Type"] == "AWS::Lambda::Function"
    } == {"second"}


def test_the_documented_idle_cost_is_the_counted_one(assembly: Assembly) -> None:
    costs = idle(resources(assembly.folder))
    document = (ROOT / "docs" / "deploy.md").read_text()
    for cause, usd in costs.items():
        assert re.search(rf"^\| {cause} \| [^|]+ \| {usd:.2f} \|$", document, re.MULTILINE), (cause, f"{usd:.2f}")
    assert f"**{sum(costs.values()):.2f}**" in document
    assert sum(costs.values()) < 8


def test_every_choice_is_documented() -> None:
    document = (ROOT / "docs" / "deploy.md").read_text()
    told = set(re.findall(r"^\| `([a-z_]+)` \|", document, re.MULTILINE))
    assert told == set(Options.__dataclass_fields__) - {"local", "pace"}
