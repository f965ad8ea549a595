import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from infra.local.adapt import DIFFERENT, DROPPED, METRIC_MATH, adapt, synthesizer
from infra.local.emulator import PYTHON


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
