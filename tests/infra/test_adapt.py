import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from infra.local.adapt import DIFFERENT, DROPPED, METRIC_MATH, adapt, synthesizer
from infra.local.emulator import PYTHON
from infra.local.rights import widened


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    app = App(context={"adaptations": str(tmp_path / "adaptations.json")})
    stack = Stack(app, "sample", synthesizer=synthesizer())
    alarm = cloudwatch.Alarm(
        stack,
        "alarm",
        metric=cloudwatch.Metric(namespace="n", metric_name="m"),
        threshold=1,
        evaluation_periods=1,
    )
    composite = cloudwatch.CompositeAlarm(
        stack, "composite", alarm_rule=cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM)
    )
    topic = sns.Topic(stack, "topic")
    topic.node.add_dependency(composite)
    topic.node.add_dependency(alarm)
    explicit = sns.CfnTopic(stack, "explicit")
    explicit.add_dependency(composite.node.default_child)  # type: ignore[arg-type]
    CfnOutput(stack, "CompositeArn", value=f"arn: {composite.alarm_arn}")
    CfnOutput(stack, "TopicArn", value=topic.topic_arn)
    return stack


def template(stack: Stack) -> dict[str, Any]:
    return dict(Template.from_stack(stack).to_json())


def test_the_sample_needs_adapting(stack: Stack) -> None:
    assert "AWS::CloudWatch::CompositeAlarm" in json.dumps(template(stack))


def test_dropped_resources_take_their_dependencies_and_outputs_along(stack: Stack) -> None:
    adapt(stack)
    adapted = template(stack)
    assert "omposite" not in json.dumps(adapted)
    assert set(adapted["Outputs"]) == {"TopicArn"}
    types = {resource["Type"]: resource for resource in adapted["Resources"].values()}
    assert set(types) == {"AWS::CloudWatch::Alarm", "AWS::SNS::Topic"}


def test_other_dependencies_stay(stack: Stack) -> None:
    adapt(stack)
    dependencies = [
        name for resource in template(stack)["Resources"].values() for name in resource.get("DependsOn", [])
    ]
    assert len(dependencies) == 1
    assert dependencies[0].startswith("alarm")


def test_alarms_on_metric_math_are_left_out(stack: Stack) -> None:
    metric = cloudwatch.Metric(namespace="n", metric_name="m")
    expression = cloudwatch.MathExpression(expression="m * 2", using_metrics={"m": metric})
    cloudwatch.Alarm(stack, "math", metric=expression, threshold=1, evaluation_periods=1)
    assert f"left out AWS::CloudWatch::Alarm ({METRIC_MATH}): sample/math" in adapt(stack)


def test_plain_http_is_allowed(stack: Stack) -> None:
    queue = sqs.Queue(stack, "fed", enforce_ssl=True)
    sns.Topic(stack, "source").add_subscription(subscriptions.SqsSubscription(queue))
    sqs.Queue(stack, "unfed", enforce_ssl=True)
    adapt(stack)
    (policy,) = Template.from_stack(stack).find_resources("AWS::SQS::QueuePolicy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}


def test_a_topic_stays_closed_to_those_without_a_right(stack: Stack) -> None:
    sns.Topic(stack, "closed", enforce_ssl=True)
    adapt(stack)
    (policy,) = Template.from_stack(stack).find_resources("AWS::SNS::TopicPolicy").values()
    assert policy["Properties"]["PolicyDocument"]["Statement"] == []


def test_every_difference_is_told_with_its_reason(stack: Stack, tmp_path: Path) -> None:
    lines = adapt(stack)
    kind = "AWS::CloudWatch::CompositeAlarm"
    assert lines[0] == f"left out {kind} ({DROPPED[kind]}): sample/composite"
    assert lines[1:] == list(DIFFERENT)
    assert json.loads((tmp_path / "adaptations.json").read_text()) == lines


def test_nothing_is_dropped_that_the_emulator_knows() -> None:
    program = (
        "import json; from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS as known;"
        "print(json.dumps([*known]))"
    )
    known = subprocess.run([PYTHON, "-c", program], check=True, capture_output=True, text=True).stdout
    assert not set(DROPPED) & set(json.loads(known.splitlines()[-1]))


def test_rights_the_emulator_checks_elsewhere_hold_for_every_resource_and_others_stay() -> None:
    deny = {"Effect": "Deny", "Action": "ecs:UpdateService", "Resource": "arn:one"}
    mixed = {
        "Sid": "Own",
        "Effect": "Allow",
        "Action": ["lambda:ListTags", "ecs:UpdateService"],
        "Resource": "arn:one",
        "Condition": {"StringEquals": {"a": "b"}},
    }
    only = {"Effect": "Allow", "Action": "events:DisableRule", "Resource": ["arn:one"]}
    assert widened([deny, mixed, only]) == [
        deny,
        {**mixed, "Action": ["lambda:ListTags"]},
        {"Effect": "Allow", "Action": ["ecs:UpdateService"], "Resource": "*", "Condition": mixed["Condition"]},
        {"Effect": "Allow", "Action": ["events:DisableRule"], "Resource": "*"},
    ]


def test_the_right_to_send_a_message_holds_for_a_batch_of_them_on_the_same_queue() -> None:
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:x:1:q"}
    deny = {**send, "Effect": "Deny"}
    assert widened([send, deny]) == [{**send, "Action": ["sqs:SendMessage", "sqs:SendMessageBatch"]}, deny]


def test_a_function_s_policy_is_widened_in_the_template(stack: Stack) -> None:
    role = iam.Role(stack, "role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(iam.PolicyStatement(actions=["events:DisableRule"], resources=["arn:aws:events:x:1:rule/a"]))
    role.add_to_policy(iam.PolicyStatement(actions=["lambda:ListTags"], resources=["arn:aws:lambda:x:1:function:a"]))
    adapt(stack)
    (policy,) = Template.from_stack(stack).find_resources("AWS::IAM::Policy").values()
    resources = {s["Action"]: s["Resource"] for s in _flat(policy["Properties"]["PolicyDocument"]["Statement"])}
    assert resources == {"events:DisableRule": "*", "lambda:ListTags": "arn:aws:lambda:x:1:function:a"}


def _flat(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**s, "Action": s["Action"] if isinstance(s["Action"], str) else s["Action"][0]} for s in statements]
