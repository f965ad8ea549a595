"""Handlers, environments and rights of the functions."""

import json
import subprocess
import sys
from typing import Any

import pytest

from incidentio.api.handler import ApiSettings
from incidentio.aws.outbox.handler import PublisherSettings
from incidentio.aws.settings import TableSettings, settings
from incidentio.communicate.handler import CommunicateSettings
from incidentio.detect.handler import SweeperSettings
from incidentio.ingest.handler import IngestSettings
from incidentio.ingest.http.handler import WebhookSettings
from incidentio.learn.handler import LearnSettings
from incidentio.mitigate.actions.handler import ActionSettings
from incidentio.mitigate.control.handler import ControlSettings
from incidentio.mitigate.handler import ConductorSettings
from infra.asset import FUNCTIONS
from tests.infra.conftest import Assembly, text

SETTINGS = {
    "incidentio.api.handler.handler": ApiSettings,
    "incidentio.aws.outbox.handler.handler": PublisherSettings,
    "incidentio.communicate.handler.handler": CommunicateSettings,
    "incidentio.detect.handler.handler": SweeperSettings,
    "incidentio.ingest.handler.handler": IngestSettings,
    "incidentio.ingest.http.handler.handler": WebhookSettings,
    "incidentio.learn.handler.handler": LearnSettings,
    "incidentio.mitigate.actions.handler.handler": ActionSettings,
    "incidentio.mitigate.control.handler.handler": ControlSettings,
    "incidentio.mitigate.handler.handler": ConductorSettings,
    "incidentio.triage.handler.handler": TableSettings,
}
TOUCHES_THE_TABLE = set(SETTINGS) - {
    "incidentio.aws.outbox.handler.handler",
    "incidentio.mitigate.actions.handler.handler",
}
PUBLISHES = {
    "incidentio.communicate.handler.handler": {"Page", "Ticket", "Test"},
}


def test_the_functions_are_exactly_those_with_settings(assembly: Assembly) -> None:
    assert {f["Handler"] for f in assembly.functions.values()} == set(SETTINGS)


def test_every_handler_imports_in_its_own_environment_and_brings_nothing_that_does_not_ship(assembly: Assembly) -> None:
    each = {function["Handler"]: function for function in assembly.functions.values()}  # all playbooks share one
    cold_starts = {name: cold_start(function) for name, function in each.items()}
    for name, process in cold_starts.items():
        output, errors = process.communicate(timeout=240)
        assert (process.returncode, output.strip()) == (0, "[]"), f"{name}\n{errors}"


NOT_SHIPPED = ("aws_cdk", "click", "infra", "requests", "rich", "yaml")


def cold_start(function: dict[str, Any]) -> subprocess.Popen[str]:
    """Import the handler as Lambda does: with this environment, from the package alone."""
    module, name = function["Handler"].rsplit(".", 1)
    program = (
        f"import sys; from {module} import {name}; assert callable({name}); "
        f"print(sorted(set(m.split('.')[0] for m in sys.modules) & set({NOT_SHIPPED})))"
    )
    environment = {name: text(value) for name, value in function["Environment"]["Variables"].items()}
    return subprocess.Popen(
        [sys.executable, "-P", "-c", program],
        cwd="/",
        env={
            **environment,
            "PYTHONPATH": str(FUNCTIONS),
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_LAMBDA_FUNCTION_NAME": "test",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_environment_satisfies_the_settings(assembly: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    for function in assembly.functions.values():
        variables = function["Environment"]["Variables"]
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, text(value))
            settings(SETTINGS[function["Handler"]])


def test_no_function_gets_a_variable_it_does_not_read(assembly: Assembly) -> None:
    libraries = {"POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME", "PYDANTIC_DISABLE_PLUGINS"}
    common = {"LOG_LEVEL", "STACK_PREFIX", *libraries}
    for name, function in assembly.functions.items():
        read = {field.upper() for field in SETTINGS[function["Handler"]].model_fields}
        assert set(function["Environment"]["Variables"]) - read - common == set(), name
        assert len(json.dumps(function["Environment"])) < 4096


def test_all_functions_run_the_same_code_and_layer(assembly: Assembly) -> None:
    functions = assembly.functions.values()
    assert {f["Code"]["S3Key"] for f in functions} == {next(iter(functions))["Code"]["S3Key"]}
    assert {(f["Runtime"], *f["Architectures"]) for f in functions} == {("python3.13", "arm64")}
    assert {f["TracingConfig"]["Mode"] for f in functions} == {"Active"}


def test_each_function_has_a_role_of_its_own(assembly: Assembly) -> None:
    roles = [text(f["Role"]) for f in assembly.functions.values()]
    assert len(set(roles)) == len(roles)
    for role in assembly.resources("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]


def granted(assembly: Assembly, function: dict[str, Any], service: str) -> set[str]:
    return {
        action
        for statement in assembly.statements_of(function)
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        if action.startswith(f"{service}:")
    }


def test_only_lanes_touch_the_table_and_nobody_scans(assembly: Assembly) -> None:
    for name, function in assembly.functions.items():
        writes = {"dynamodb:PutItem", "dynamodb:UpdateItem"} & granted(assembly, function, "dynamodb")
        assert bool(writes) is (function["Handler"] in TOUCHES_THE_TABLE), name
        assert "dynamodb:Scan" not in granted(assembly, function, "dynamodb"), name


def test_the_webhook_door_reads_integrations_and_sends_and_nothing_else(assembly: Assembly) -> None:
    door = assembly.functions["incidentio.ingest.http.handler.handler"]
    own = [s for s in assembly.statements_of(door) if s["Action"][0].split(":")[0] not in {"kms", "logs", "xray"}]
    may = {action: s for s in own for action in s["Action"]}
    assert set(may) == {
        "dynamodb:GetItem", "dynamodb:PutItem", "secretsmanager:GetSecretValue", "sqs:SendMessage",
    }  # fmt: skip
    for action, partition in {"dynamodb:GetItem": "INTEGRATIONS", "dynamodb:PutItem": "INTEGRATIONS#USED"}.items():
        assert may[action]["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [partition]}}
    assert text(may["secretsmanager:GetSecretValue"]["Resource"][0]).endswith(":secret:incidentio/integrations/*")
    (queue,) = may["sqs:SendMessage"]["Resource"]
    assert text(queue).startswith("<IngestingWorkQueue")


def test_topics_are_published_to_by_those_who_should(assembly: Assembly) -> None:
    for name, function in assembly.functions.items():
        topics = {
            text(resource)
            for statement in assembly.statements_of(function)
            if "sns:Publish" in statement["Action"]
            for resource in statement["Resource"]
        }
        expected = PUBLISHES.get(name, set())
        assert len(topics) == len(expected), name
        for topic in expected:
            assert any(t.startswith(f"<Telling{topic}") for t in topics), (name, topic)
        assert not any(t.startswith("<TellingWatchdog") for t in topics)


def test_nobody_deletes_or_unlocks_what_is_archived(assembly: Assembly) -> None:
    for name, function in assembly.functions.items():
        assert granted(assembly, function, "s3") <= {
            "s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:PutObjectRetention",
        }, name  # fmt: skip


def test_control_reads_one_parameter_and_touches_no_target(assembly: Assembly) -> None:
    control = assembly.functions["incidentio.mitigate.control.handler.handler"]
    services = {action.split(":")[0] for statement in assembly.statements_of(control) for action in statement["Action"]}
    assert services == {"cloudwatch", "dynamodb", "kms", "logs", "ssm", "xray"}
    (parameter,) = [s for s in assembly.statements_of(control) if s["Action"] == ["ssm:GetParameter"]]
    assert ":parameter<MitigatingKillSwitch" in text(parameter["Resource"][0])


def test_no_deployment_sets_the_kill_switch_back(assembly: Assembly) -> None:
    """CloudFormation writes a parameter as a whole when anything of it changes: a new description would let go."""
    assert assembly.one("AWS::SSM::Parameter", "KillSwitch") == {
        "Name": "/incidentio/kill-switch",
        "Type": "String",
        "Value": "off",
        "Description": "off, on, or names of playbooks, services or incidents to stop. Undoing always works.",
        "Tags": {"incidentio:system": "incidentio"},
    }


STAR = {
    "xray:PutTraceSegments", "xray:PutTelemetryRecords", "dynamodb:ListStreams", "cloudwatch:DescribeAlarms",
    "cloudwatch:ListAlarmMuteRules",
}  # fmt: skip


def test_a_bare_star_is_granted_only_where_aws_knows_no_resource(assembly: Assembly) -> None:
    for name, function in assembly.functions.items():
        if name.startswith("action:"):
            continue
        for statement in assembly.statements_of(function):
            assert not any("*" in action for action in statement["Action"]), name
            if "*" in statement["Resource"]:
                assert set(statement["Action"]) <= STAR, name


def test_only_what_acts_knows_where_it_may_call(assembly: Assembly) -> None:
    for name, properties in assembly.functions.items():
        listed = properties["Environment"]["Variables"].get("OUTBOUND")
        assert listed == ("flags.shop.example,*.eks.amazonaws.com" if name.startswith("action:") else None), name
