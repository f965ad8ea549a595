"""Which estate the cases of a playbook are tried on."""

from collections.abc import Mapping
from importlib import import_module

from incidentio.core.playbook import Playbook
from infra.cases.estate import Estate

_OF_TYPE: Mapping[str, str] = {
    "AWS::ApiGateway::Stage": "api_stage.ApiStage",
    "AWS::AppConfig::Environment": "flags.FlagEnvironment",
    "AWS::AutoScaling::AutoScalingGroup": "auto_scaling_group.AutoScalingGroup",
    "AWS::Batch::JobQueue": "job_queue.JobQueue",
    "AWS::CloudFront::Distribution": "distribution.Distribution",
    "AWS::CodeDeploy::DeploymentGroup": "deployment_group.DeploymentGroup",
    "AWS::DynamoDB::Table": "table.Table",
    "AWS::EC2::Instance": "instance.Instance",
    "AWS::EC2::RouteTable": "route_table.RouteTable",
    "AWS::EC2::SecurityGroup": "security_group.SecurityGroup",
    "AWS::ECS::Service": "ecs_service.EcsService",
    "AWS::EKS::Cluster": "eks.EksCluster",
    "AWS::EKS::Nodegroup": "eks.Nodegroup",
    "AWS::IAM::AccessKey": "access_key.AccessKey",
    "AWS::IAM::Role": "role.Role",
    "AWS::Lambda::Function": "function.Function",
    "AWS::RDS::DBInstance": "database.Database",
    "AWS::Route53::RecordSet": "record_set.RecordSet",
    "AWS::SSM::Document": "runbook.Runbook",
    "AWS::WAFv2::WebACL": "web_acl.WebAcl",
    "Custom::KubernetesNode": "kubernetes_node.KubernetesNode",
    "Custom::TaggedInstances": "tagged_instances.TaggedInstances",
    "Custom::Webhook": "webhook.Webhook",
}
"""CloudFormation type of the target → its estate."""


def estate_of(playbook: Playbook) -> type[Estate]:
    """Raises LookupError: cases for its type of target cannot be tried yet."""
    where = _OF_TYPE.get(playbook.targets.type)
    if where is None:
        raise LookupError(
            f"there is no estate for {playbook.targets.type}: there are some for {', '.join(sorted(_OF_TYPE))}"
        )
    module, _, class_name = where.partition(".")
    found: type[Estate] = getattr(import_module(f"infra.cases.estates.{module}"), class_name)
    return found
