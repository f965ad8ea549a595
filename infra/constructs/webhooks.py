"""The HTTP door: an API of its own, so that no flood of signals can throttle the people who acknowledge."""

import json

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from incidentio.core.integration import PARTITION, PATHS, USED
from infra.constructs.acknowledged import acknowledge
from infra.constructs.function import Function, Lane, Runtime
from infra.constructs.ingest import Ingest
from infra.constructs.table import IncidentTable

STAGE = "hooks"
_AT_ONCE = 50
# Without headers and query, which may hold a key.
_LOGGED = {
    "requestId": "$context.requestId", "time": "$context.requestTime", "sourceIp": "$context.identity.sourceIp",
    "method": "$context.httpMethod", "path": "$context.path", "status": "$context.status",
    "latencyMs": "$context.responseLatency", "error": "$context.error.message",
}  # fmt: skip
_THROTTLED = {"status": "throttled", "message": "Too many requests: send it again in a few seconds", "errors": []}


def signing_secrets(scope: Construct) -> str:
    """The ARNs of the integrations' signing secrets."""
    stack = Stack.of(scope)
    return stack.format_arn(
        service="secretsmanager",
        resource="secret",
        resource_name=f"{stack.stack_name}/integrations/*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


class Webhooks(Construct):
    """Exposes `function` and `url`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        runtime: Runtime,
        table: IncidentTable,
        ingest: Ingest,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, id)
        queue = ingest.work.queue
        self.function = Function(
            self,
            "Door",
            runtime=runtime,
            lane=Lane(self, "Lane", name="webhooks"),
            handler="incidentio.ingest.http.handler.handler",
            description="Signals over HTTP",
            environment={"TABLE_NAME": table.table.table_name, "INGEST_QUEUE_URL": queue.queue_url},
            timeout=Duration.seconds(29),
            memory_mb=1024,
            reserve=_AT_ONCE,
        )
        rows = {"dynamodb:GetItem": PARTITION, "dynamodb:PutItem": USED}
        for action, partition in rows.items():
            only = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [partition]}}
            self.function.allow(action, on=[table.table.table_arn], when=only)
        self.function.allow("sqs:SendMessage", on=[queue.queue_arn])
        self.function.allow(
            "secretsmanager:GetSecretValue",
            on=[signing_secrets(self)],
            because="Integrations are made at run time; their secrets share a prefix that holds nothing else.",
        )
        self.function.use_key(key)
        self._api = self._rest_api()
        self.url = self._api.url

    def _rest_api(self) -> apigateway.RestApi:
        access_log = logs.LogGroup(
            self, "AccessLog", retention=logs.RetentionDays.ONE_YEAR, removal_policy=RemovalPolicy.DESTROY
        )
        api = apigateway.RestApi(
            self,
            "Rest",
            description="incidentio: signals over HTTP",
            cloud_watch_role=False,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            default_method_options=apigateway.MethodOptions(authorization_type=apigateway.AuthorizationType.NONE),
            default_integration=apigateway.LambdaIntegration(self.function.function, scope_permission_to_method=False),
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_LOGGED)),
                throttling_rate_limit=500,
                throttling_burst_limit=1000,
                # A trace of the stage holds the URL, and some senders can put their key nowhere else.
                tracing_enabled=False,
            ),
        )
        api.node.try_remove_child("Endpoint")  # an output with a generated name, beside our WebhookUrl
        for path in sorted(PATHS.values()):
            api.root.resource_for_path(path).add_method("POST")
        api.add_gateway_response(
            "Throttled",
            type=apigateway.ResponseType.THROTTLED,
            status_code="429",
            templates={"application/json": json.dumps(_THROTTLED)},
        )
        acknowledge(
            api,
            {
                "APIG2": "The function checks every body by its contract and answers with the field that is wrong.",
                "APIG3": "Only three POST routes answer, each request needs an integration's key, and the stage is "
                "throttled; a web firewall would cost more than the whole stack.",
                "APIG4": "Monitoring tools cannot sign with IAM: the function wants an integration's key, compared "
                "with its stored hash, and can do nothing but put what it proved into the ingest queue.",
                "APIG6": "Execution logs hold headers and bodies, and so keys; the access log and the function's own "
                "log tell what was taken and refused.",
                "COG4": "Senders are machines with a key of their own; there is no user pool.",
            },
        )
        return api
