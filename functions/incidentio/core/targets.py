"""What a playbook acts on, named so that a signal, a lock and a run agree: `type|account|region|name`.

What exists once in an account has the region `global`: an alarm of any Region means the same one.
"""

from collections.abc import Callable, Mapping

from incidentio.core.errors import InvalidInput
from incidentio.core.signal import Subject


def _function(d: Mapping[str, str]) -> str | None:
    return d.get("FunctionName")


def _ecs_service(d: Mapping[str, str]) -> str | None:
    return f"{d['ClusterName']}/{d['ServiceName']}" if "ClusterName" in d and "ServiceName" in d else None


def _instance(d: Mapping[str, str]) -> str | None:
    return d.get("InstanceId")


def _access_key(d: Mapping[str, str]) -> str | None:
    return f"{d['UserName']}/{d['AccessKeyId']}" if "UserName" in d and "AccessKeyId" in d else None


def _role(d: Mapping[str, str]) -> str | None:
    return d.get("RoleName")


def _distribution(d: Mapping[str, str]) -> str | None:
    return d.get("DistributionId")


def _auto_scaling_group(d: Mapping[str, str]) -> str | None:
    return d.get("AutoScalingGroupName")


def _api_stage(d: Mapping[str, str]) -> str | None:
    return f"{d['ApiName']}/{d['Stage']}" if "ApiName" in d and "Stage" in d else None


def _table(d: Mapping[str, str]) -> str | None:
    return d.get("TableName")


def _database(d: Mapping[str, str]) -> str | None:
    return d.get("DBInstanceIdentifier")


def _web_acl(d: Mapping[str, str]) -> str | None:
    """CloudFront's metrics have no Region. The dimension is the ACL's metric name, which is mostly its name as well.

    https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html
    """
    if "WebACL" not in d:
        return None
    everywhere = d.get("Region", "").lower() in ("", "cloudfront", "global")
    return f"{'CLOUDFRONT' if everywhere else 'REGIONAL'}/{d['WebACL']}"


def _eks_cluster(d: Mapping[str, str]) -> str | None:
    return d.get("ClusterName") if "ServiceName" not in d else None


def _node(d: Mapping[str, str]) -> str | None:
    return f"{d['ClusterName']}/{d['NodeName']}" if "ClusterName" in d and "NodeName" in d else None


_FROM_DIMENSIONS: dict[str, Callable[[Mapping[str, str]], str | None]] = {
    "AWS::ApiGateway::Stage": _api_stage,
    "AWS::AutoScaling::AutoScalingGroup": _auto_scaling_group,
    "AWS::CloudFront::Distribution": _distribution,
    "AWS::DynamoDB::Table": _table,
    "AWS::EC2::Instance": _instance,
    "AWS::ECS::Service": _ecs_service,
    "AWS::EKS::Cluster": _eks_cluster,
    "AWS::IAM::AccessKey": _access_key,
    "AWS::IAM::Role": _role,
    "AWS::Lambda::Function": _function,
    "AWS::RDS::DBInstance": _database,
    "AWS::WAFv2::WebACL": _web_acl,
    "Custom::KubernetesNode": _node,
}
NAMED = frozenset(_FROM_DIMENSIONS)
"""The types that a metric's dimensions may name."""

GLOBAL = "global"
_EVERYWHERE = frozenset(
    {"AWS::CloudFront::Distribution", "AWS::IAM::AccessKey", "AWS::IAM::Role", "AWS::Route53::RecordSet"}
)
"""Types that know no Region."""


_CALLED = {
    "AWS::ApiGateway::Stage": "API/STAGE, such as shop/prod",
    "AWS::AppConfig::Environment": "APPLICATION/ENVIRONMENT, such as shop/prod",
    "AWS::CodeDeploy::DeploymentGroup": "APPLICATION/GROUP, such as shop/web",
    "AWS::EC2::Instance": "INSTANCE, such as i-0123456789abcdef0",
    "AWS::ECS::Service": "CLUSTER/SERVICE, such as shop/web",
    "AWS::EKS::Nodegroup": "CLUSTER/NODEGROUP, such as shop/workers",
    "AWS::IAM::AccessKey": "USER/KEY, such as deployer/AKIA…",
    "AWS::Lambda::Function": "FUNCTION, such as checkout-worker",
    "AWS::WAFv2::WebACL": "REGIONAL/NAME, such as REGIONAL/shop (or CLOUDFRONT/NAME)",
    "Custom::KubernetesNode": "CLUSTER/NODE, such as shop/ip-10-0-0-1.ec2.internal",
    "Custom::TaggedInstances": "KEY=VALUE, such as service=shop",
}


def called(type: str) -> str:
    """How people pass a target of `type`: `--target CLUSTER/SERVICE, such as shop/web`."""
    return f"--target {_CALLED.get(type, f'NAME, the name of the {type}')}"


def with_article(type: str) -> str:
    """`an AWS::Lambda::Function`, `a Custom::TaggedInstances`."""
    return f"{'an' if type.startswith('AWS') else 'a'} {type}"


def region_of(type: str, region: str) -> str:
    """`region`, or `global` for a type that knows none."""
    return GLOBAL if type in _EVERYWHERE else region


def target_id(type: str, *, account: str, region: str, name: str) -> str:
    return f"{type}|{account}|{region_of(type, region)}|{name}"


def target_name(target: str) -> str:
    """The name part of a target id: a function name, or `cluster/service`."""
    return target.split("|", 3)[3]


def targets_of(subject: Subject) -> dict[str, str]:
    """CloudFormation type → target id, for everything the metric's dimensions name."""
    found = {}
    for type, named in _FROM_DIMENSIONS.items():
        if name := named(subject.dimensions):
            found[type] = target_id(type, account=subject.account, region=subject.region, name=name)
    return found


def target_for(type: str, subject: Subject, given: str | None, *, account: str, region: str) -> str:
    """The target of one run: the name the caller gave, else the one the signal is about.

    `account` and `region` are ours, for an incident no alarm opened.

    Raises:
        InvalidInput: neither names one of this type.
    """
    if given:
        return target_id(type, account=subject.account or account, region=subject.region or region, name=given)
    found = targets_of(subject)
    if type not in found:
        raise InvalidInput(
            f"the incident names no {type}: pass {called(type)}",
            type=type,
            named=sorted(found),
        )
    return found[type]


def partition_of(region: str) -> str:
    """The second part of the ARNs of that Region."""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws")
