"""The incident API: REST, signed with the caller's own IAM credentials."""

import json

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.acknowledged import acknowledge
from infra.constructs.archive import Archive
from infra.constructs.function import Function, Lane, Runtime
from infra.constructs.table import IncidentTable
from infra.constructs.webhooks import signing_secrets

STAGE = "v1"
_LOGGED = {
    "requestId": "$context.requestId", "time": "$context.requestTime", "caller": "$context.identity.userArn",
    "sourceIp": "$context.identity.sourceIp", "method": "$context.httpMethod", "path": "$context.path",
    "status": "$context.status", "latencyMs": "$context.responseLatency", "error": "$context.error.message",
}  # fmt: skip


class Api(Construct):
    """Exposes `function` and `url`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        runtime: Runtime,
        table: IncidentTable,
        archive: Archive,
        retention: dict[str, str],
        account_role: bool,
    ) -> None:
        super().__init__(scope, id)
        lane = Lane(self, "Lane", name="api")
        self.function = Function(
            self,
            "Api",
            runtime=runtime,
            lane=lane,
            handler="incidentio.api.handler.handler",
            description="The incident API",
            environment={
                "TABLE_NAME": table.table.table_name,
                "ARCHIVE_BUCKET": archive.bucket.bucket_name,
                **retention,
            },
            timeout=Duration.seconds(29),
            memory_mb=1024,
        )
        table.read_write(self.function)
        archive.kept_by(self.function)
        self.function.allow(
            "secretsmanager:CreateSecret",
            "secretsmanager:DeleteSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            on=[signing_secrets(self)],
            because="Integrations are made at run time; their secrets share a prefix that holds nothing else.",
        )
        self._api = self._rest_api()
        self.url = self._api.url
        if account_role:
            self._account()

    def _rest_api(self) -> apigateway.RestApi:
        access_log = logs.LogGroup(
            self, "AccessLog", retention=logs.RetentionDays.ONE_YEAR, removal_policy=RemovalPolicy.DESTROY
        )
        api = apigateway.RestApi(
            self,
            "Rest",
            description="incidentio: incidents, timelines, playbooks and approvals",
            cloud_watch_role=False,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            default_method_options=apigateway.MethodOptions(authorization_type=apigateway.AuthorizationType.IAM),
            # One permission for all routes, instead of two a method.
            default_integration=apigateway.LambdaIntegration(self.function.function, scope_permission_to_method=False),
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_LOGGED)),
                throttling_rate_limit=100,
                throttling_burst_limit=200,
                tracing_enabled=True,
            ),
        )
        api.node.try_remove_child("Endpoint")  # an output with a generated name, beside our ApiUrl
        api.root.add_method("ANY")
        api.root.add_proxy(any_method=True)
        acknowledge(
            api,
            {
                "APIG2": "The function validates every body with pydantic and answers with the field that is wrong.",
                "APIG3": "Every route wants a SigV4 signature of this account, and the stage is throttled; a web "
                "firewall would cost more than the whole stack.",
                "APIG6": "Execution logs hold request bodies, which may hold secrets before they are redacted; access "
                "logs and the function's own log tell who did what.",
                "COG4": "Callers are IAM identities, which four-eyes approval stands on; there is no user pool.",
            },
        )
        return api

    def _account(self) -> None:
        role = iam.Role(
            self,
            "AccountRole",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonAPIGatewayPushToCloudWatchLogs")
            ],
        )
        role.apply_removal_policy(RemovalPolicy.RETAIN)
        account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        account.apply_removal_policy(RemovalPolicy.RETAIN)
        self._api.deployment_stage.node.add_dependency(account)
        policy = "arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        acknowledge(
            role, {f"IAM4[Policy::{policy}]": "API Gateway checks the account's role for exactly this policy of AWS."}
        )
