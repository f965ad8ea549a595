"""Which module reads which event, by its source and detail type; a module is imported when its first event comes in."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, cast

from incidentio.core.attachment import Attachment
from incidentio.ingest.observation import Found

Reader = Callable[[Mapping[str, Any], Attachment], Found]

_TRAIL = "AWS API Call via CloudTrail"

MODULES: Mapping[tuple[str, str], str] = {
    ("aws.cloudwatch", "CloudWatch Alarm Contributor State Change"): "alarm_contributor",
    ("aws.health", "AWS Health Event"): "health",
    ("aws.guardduty", "GuardDuty Finding"): "guardduty",
    ("aws.securityhub", "Security Hub Findings - Imported"): "security_hub",
    ("aws.securityhub", "Findings Imported V2"): "security_hub_v2",
    ("aws.ce", "Anomaly Detected"): "cost_anomaly",
    ("aws.codedeploy", "CodeDeploy Deployment State-change Notification"): "codedeploy",
    ("aws.codepipeline", "CodePipeline Pipeline Execution State Change"): "codepipeline",
    ("aws.ecs", "ECS Deployment State Change"): "ecs",
    ("aws.ecs", "ECS Service Action"): "ecs",
    ("aws.cloudformation", "CloudFormation Stack Status Change"): "cloudformation",
    ("aws.autoscaling", "EC2 Instance Launch Successful"): "autoscaling",
    ("aws.autoscaling", "EC2 Instance Launch Unsuccessful"): "autoscaling",
    ("aws.autoscaling", "EC2 Instance Terminate Successful"): "autoscaling",
    ("aws.autoscaling", "EC2 Instance Terminate Unsuccessful"): "autoscaling",
    ("aws.autoscaling", "EC2 Auto Scaling Instance Refresh Started"): "autoscaling",
    ("aws.autoscaling", "EC2 Auto Scaling Instance Refresh Succeeded"): "autoscaling",
    ("aws.autoscaling", "EC2 Auto Scaling Instance Refresh Failed"): "autoscaling",
    ("aws.autoscaling", "EC2 Auto Scaling Instance Refresh Rollback Succeeded"): "autoscaling",
    ("aws.autoscaling", "EC2 Auto Scaling Instance Refresh Rollback Failed"): "autoscaling",
    ("aws.ec2", "EBS Volume Notification"): "ec2",
    ("aws.ec2", "EBS Snapshot Notification"): "ec2",
    ("aws.ec2", "EBS Multi-Volume Snapshots Completion Status"): "ec2",
    ("aws.ec2", "EC2 AMI State Change"): "ec2",
    ("aws.ec2fleet", "EC2 Fleet Error"): "ec2",
    ("aws.ec2spotfleet", "EC2 Spot Fleet Error"): "ec2",
    ("aws.states", "Step Functions Execution Status Change"): "step_functions",
    ("aws.rds", "RDS DB Instance Event"): "rds",
    ("aws.rds", "RDS DB Cluster Event"): "rds",
    ("aws.rds", "RDS DB Proxy Event"): "rds",
    ("aws.rds", "RDS Blue Green Deployment Event"): "rds",
    ("aws.lambda", _TRAIL): "cloudtrail",
    ("aws.ec2", _TRAIL): "cloudtrail",
    ("aws.appconfig", _TRAIL): "cloudtrail",
}


def reader_of(source: Any, detail_type: Any) -> Reader | None:
    """What reads such an event; None when nothing of ours does."""
    module = MODULES.get((source, detail_type)) if isinstance(source, str) and isinstance(detail_type, str) else None
    return _reader(module) if module else None


@cache
def _reader(module: str) -> Reader:
    return cast("Reader", import_module(f"incidentio.ingest.contracts.{module}").read)
