"""The SNS and CloudWatch adapters against botocore's own models."""

import pytest
from botocore.stub import Stubber

from incidentio.aws.alarm_tags import CloudWatchTags
from incidentio.aws.topics import SnsTopics
from incidentio.core.errors import Forbidden, NotFound, Unavailable
from tests.offline import offline_client

PAGE = "arn:aws:sns:eu-west-1:111122223333:page"
ALARM = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:checkout-5xx"


@pytest.fixture
def stubbed():
    def make(service):
        client = offline_client(service)
        stub = Stubber(client)
        stub.activate()
        return client, stub

    return make


def publish(topics):
    return topics.publish("page", subject="SEV2 x", body="text", attributes={"severity": "SEV2", "service": ""})


def test_it_publishes_to_the_named_topic_and_leaves_out_empty_attributes(stubbed):
    client, stub = stubbed("sns")
    stub.add_response(
        "publish",
        {"MessageId": "m-1"},
        {
            "TopicArn": PAGE,
            "Subject": "SEV2 x",
            "Message": "text",
            "MessageAttributes": {"severity": {"DataType": "String", "StringValue": "SEV2"}},
        },
    )
    assert publish(SnsTopics(client, {"page": PAGE})) == "m-1"


@pytest.mark.parametrize(
    ("code", "error"), [("AuthorizationError", Forbidden), ("NotFound", NotFound), ("InternalError", Unavailable)]
)
def test_what_sns_refuses_becomes_one_of_our_errors(stubbed, code, error):
    client, stub = stubbed("sns")
    stub.add_client_error("publish", code)
    with pytest.raises(error):
        publish(SnsTopics(client, {"page": PAGE}))


def test_tags_of_an_alarm(stubbed):
    client, stub = stubbed("cloudwatch")
    answer = {"Tags": [{"Key": "severity", "Value": "SEV1"}]}
    stub.add_response("list_tags_for_resource", answer, {"ResourceARN": ALARM})
    assert CloudWatchTags(client).tags_of(ALARM) == {"severity": "SEV1"}


@pytest.mark.parametrize(
    ("code", "error"),
    [("ResourceNotFoundException", NotFound), ("AccessDenied", Forbidden), ("Throttling", Unavailable)],
)
def test_tags_that_cannot_be_read(stubbed, code, error):
    client, stub = stubbed("cloudwatch")
    stub.add_client_error("list_tags_for_resource", code)
    with pytest.raises(error):
        CloudWatchTags(client).tags_of(ALARM)
