"""What we take from the event buses of AWS: one family of patterns a source, failures and changes only.

The central stack has a rule for each family, and so has a forwarder in another account or Region.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Aws

_TRAIL = "AWS API Call via CloudTrail"
# Prefixes: CloudTrail writes the version of Lambda's API behind most names, as in UpdateFunctionCode20150331v2.
# DeleteFunction is also that of DeleteFunctionConcurrency and of the other settings of a function.
_FUNCTION_CALLS = (
    "UpdateFunctionCode", "UpdateFunctionConfiguration", "UpdateAlias", "PutFunctionConcurrency", "DeleteFunction",
    "PublishVersion", "UpdateEventSourceMapping", "PutProvisionedConcurrencyConfig",
)  # fmt: skip
_NETWORK_CALLS = (
    "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress",
    "RevokeSecurityGroupEgress", "ModifySecurityGroupRules", "DeleteSecurityGroup", "CreateRoute", "ReplaceRoute",
    "DeleteRoute", "AssociateRouteTable", "DisassociateRouteTable", "ReplaceRouteTableAssociation",
    "CreateNetworkAclEntry", "ReplaceNetworkAclEntry", "DeleteNetworkAclEntry",
)  # fmt: skip

_RDS = ("RDS DB Instance Event", "RDS DB Cluster Event", "RDS DB Proxy Event", "RDS Blue Green Deployment Event")
_RDS_OF_OTHER_CATEGORIES = (
    "0006 0017 0021 0022 0045 0046 0053 0057 0166 0185 0187 0218 0221 0222 0238 0239 0246 0248 0330 0331 0332 0419"
)
"""Failures and their ends in categories that are full of what is neither, such as availability."""


def families(stack_name: str) -> Mapping[str, tuple[str, dict[str, Any]]]:
    """Family → description and event pattern. What is of `stack_name` itself never comes in."""
    own = [f"{stack_name}-"]
    stacks = f"arn:{Aws.PARTITION}:cloudformation:{Aws.REGION}:{Aws.ACCOUNT_ID}:stack/{stack_name}"
    machines = f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:stateMachine:{stack_name}-"
    return {
        "Alarms": (
            "Alarm state changes, except our own alarms and those of target tracking",
            _pattern(
                "cloudwatch",
                "CloudWatch Alarm State Change",
                "CloudWatch Alarm Contributor State Change",
                alarmName=[{"anything-but": {"prefix": [*own, "TargetTracking-"]}}],
            ),
        ),
        "Health": (
            "Issues of AWS itself, open and closed",
            _pattern("health", "AWS Health Event", eventTypeCategory=["issue", "investigation"]),
        ),
        "GuardDuty": (
            "Findings from medium severity on",
            _pattern("guardduty", "GuardDuty Finding", severity=[{"numeric": [">=", 4]}]),
        ),
        "SecurityHub": (
            "Findings of high and critical severity, and those that were resolved",
            {
                "source": ["aws.securityhub"],
                "$or": [
                    _finding("Security Hub Findings - Imported", Severity={"Label": ["HIGH", "CRITICAL"]}),
                    _finding(
                        "Security Hub Findings - Imported",
                        Compliance={"Status": ["PASSED"]},
                        Workflow={"Status": ["RESOLVED"]},
                    ),
                    _finding("Findings Imported V2", severity_id=[{"numeric": [">=", 4]}]),
                ],
            },
        ),
        "CostAnomalies": ("Unusual spend", {"source": ["aws.ce"], "detail-type": ["Anomaly Detected"]}),
        "CodeDeploy": (
            "Deployments",
            _pattern(
                "codedeploy",
                "CodeDeploy Deployment State-change Notification",
                state=["START", "SUCCESS", "FAILURE", "STOP"],
            ),
        ),
        "CodePipeline": (
            "Executions of pipelines",
            _pattern(
                "codepipeline",
                "CodePipeline Pipeline Execution State Change",
                state=["STARTED", "SUCCEEDED", "FAILED"],
            ),
        ),
        "Ecs": (
            "Deployments of services, and services that cannot start their tasks",
            _pattern(
                "ecs",
                "ECS Deployment State Change",
                "ECS Service Action",
                eventName=[
                    "SERVICE_DEPLOYMENT_IN_PROGRESS",
                    "SERVICE_DEPLOYMENT_COMPLETED",
                    "SERVICE_DEPLOYMENT_FAILED",
                    "SERVICE_TASK_START_IMPAIRED",
                    "SERVICE_TASK_PLACEMENT_FAILURE",
                    "SERVICE_TASK_CONFIGURATION_FAILURE",
                    "SERVICE_STEADY_STATE",
                ],
            ),
        ),
        "CloudFormation": (
            "Stacks that change, fail or roll back, except our own",
            _pattern(
                "cloudformation",
                "CloudFormation Stack Status Change",
                **{"stack-id": [{"anything-but": {"prefix": [f"{stacks}/", f"{stacks}-"]}}]},
                **{"status-details": {"status": list(_STACK_STATUSES)}},
            ),
        ),
        "AutoScaling": (
            "Groups that cannot launch or terminate instances, those that can again, and instance refreshes",
            {
                "source": ["aws.autoscaling"],
                "detail-type": [
                    *(
                        f"EC2 Instance {what} {how}"
                        for what in ("Launch", "Terminate")
                        for how in ("Successful", "Unsuccessful")
                    ),
                    *(
                        f"EC2 Auto Scaling Instance Refresh {how}"
                        for how in ("Started", "Succeeded", "Failed", "Rollback Succeeded", "Rollback Failed")
                    ),
                ],
            },
        ),
        "Ec2": (
            "Operations on volumes, snapshots, images and fleets that failed",
            {
                "$or": [
                    _pattern(
                        "ec2",
                        "EBS Volume Notification",
                        "EBS Snapshot Notification",
                        "EBS Multi-Volume Snapshots Completion Status",
                        result=["failed"],
                    ),
                    _pattern("ec2", "EC2 AMI State Change", State=["failed"]),
                    {
                        "source": ["aws.ec2fleet", "aws.ec2spotfleet"],
                        "detail-type": ["EC2 Fleet Error", "EC2 Spot Fleet Error"],
                    },
                ]
            },
        ),
        "StepFunctions": (
            "Executions that failed or succeeded, except those of our own state machines",
            _pattern(
                "states",
                "Step Functions Execution Status Change",
                status=["FAILED", "TIMED_OUT", "SUCCEEDED"],
                stateMachineArn=[{"anything-but": {"prefix": [machines]}}],
            ),
        ),
        "Rds": (
            "Failures and failovers of databases, storage that runs out, and that it is over",
            {
                "$or": [
                    _pattern(
                        "rds",
                        *_RDS,
                        EventCategories=["failure", "failover", "low storage"],
                        EventID=[{"anything-but": _numbers("0034 0219 0220 0237")}],
                    ),
                    _pattern("rds", *_RDS, EventID=_numbers(_RDS_OF_OTHER_CATEGORIES)),
                ]
            },
        ),
        "CloudTrail": (
            "Changes of functions, security groups, routes and AppConfig",
            {
                "detail-type": [_TRAIL],
                "$or": [
                    _calls("lambda", *({"prefix": name} for name in _FUNCTION_CALLS)),
                    _calls("ec2", *_NETWORK_CALLS),
                    _calls("appconfig", "StartDeployment", "StopDeployment"),
                ],
            },
        ),
    }


_STACK_STATUSES = (
    "CREATE_IN_PROGRESS", "CREATE_COMPLETE", "CREATE_FAILED", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_FAILED",
    "DELETE_IN_PROGRESS", "DELETE_COMPLETE", "DELETE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "IMPORT_IN_PROGRESS", "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_FAILED",
)  # fmt: skip


def _pattern(service: str, *detail_types: str, **detail: Any) -> dict[str, Any]:
    return {"source": [f"aws.{service}"], "detail-type": list(detail_types), "detail": detail}


def _numbers(numbers: str) -> list[str]:
    return [f"RDS-EVENT-{number}" for number in numbers.split()]


def _finding(detail_type: str, **fields: Any) -> dict[str, Any]:
    return {"detail-type": [detail_type], "detail": {"findings": fields}}


def _calls(service: str, *names: Any) -> dict[str, Any]:
    return {
        "source": [f"aws.{service}"],
        "detail": {
            "eventSource": [f"{service}.amazonaws.com"],
            "eventName": list(names),
            "errorCode": [{"exists": False}],
        },
    }
