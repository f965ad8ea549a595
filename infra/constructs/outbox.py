"""The table's stream as outbox: every new timeline entry reaches the publisher."""

import json

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from infra.constructs.function import Function
from infra.constructs.table import IncidentTable

NEW_TIMELINE_ENTRY = {"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "TL#"}]}}}}
_ATTEMPTS = 100
_Mapping = lambda_.CfnEventSourceMapping


def publish_stream(table: IncidentTable, publisher: Function, *, failures_to: sqs.IQueue, key: kms.IKey) -> None:
    """Feed `publisher` with new timeline entries, in the order of each incident.

    A batch that fails is halved until the poisoned entry is alone; after 100 tries or 6 h its place in the
    stream goes to `failures_to`. The entry itself stays in the table.
    """
    stream = table.table.table_stream_arn or ""
    publisher.allow("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", on=[stream])
    publisher.allow("dynamodb:ListStreams", on=["*"], because="Listing streams knows no resource.")
    publisher.allow("sqs:SendMessage", on=[failures_to.queue_arn])
    publisher.use_key(key)
    _Mapping(
        publisher,
        "Stream",
        function_name=publisher.function.function_name,
        event_source_arn=stream,
        starting_position="TRIM_HORIZON",
        batch_size=100,
        bisect_batch_on_function_error=True,
        function_response_types=["ReportBatchItemFailures"],
        maximum_retry_attempts=_ATTEMPTS,
        maximum_record_age_in_seconds=Duration.hours(6).to_seconds(),
        parallelization_factor=4,
        filter_criteria=_Mapping.FilterCriteriaProperty(
            filters=[_Mapping.FilterProperty(pattern=json.dumps(NEW_TIMELINE_ENTRY))]
        ),
        destination_config=_Mapping.DestinationConfigProperty(
            on_failure=_Mapping.OnFailureProperty(destination=failures_to.queue_arn)
        ),
    )
