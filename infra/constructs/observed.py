"""Reading the account's alarms."""

from aws_cdk import Aws

from infra.constructs.function import Function

_WHY = "Any alarm of the account may become an incident."


def describe_alarms(function: Function, *, tags: bool = False, mutes: bool = False) -> None:
    """Let `function` read the alarms (and their `tags`, and which are muted) of this account and Region."""
    # AWS authorises DescribeAlarms on * where composite alarms are asked for.
    function.allow("cloudwatch:DescribeAlarms", on=["*"], because=_WHY)
    if mutes:
        function.allow("cloudwatch:ListAlarmMuteRules", on=["*"], because=_WHY)
    if tags:
        alarms = f"arn:{Aws.PARTITION}:cloudwatch:{Aws.REGION}:{Aws.ACCOUNT_ID}:alarm:*"
        function.allow("cloudwatch:ListTagsForResource", on=[alarms], because=_WHY)
