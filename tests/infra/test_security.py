"""What must hold whatever else changes: encryption, TLS, who may call what, and nothing lost on deletion."""

import pytest

from tests.infra.conftest import Assembly, as_list, text

DELIVERERS = {
    "cloudwatch.amazonaws.com",
    "events.amazonaws.com",
    "sns.amazonaws.com",
    "budgets.amazonaws.com",
    "costalerts.amazonaws.com",
}


def test_services_that_deliver_to_encrypted_topics_and_queues_may_use_the_key(assembly: Assembly) -> None:
    policy = assembly.one("AWS::KMS::Key", "Key")["KeyPolicy"]["Statement"]
    granted = {s["Principal"]["Service"]: s for s in policy if "Service" in s["Principal"]}
    assert set(granted) == DELIVERERS
    for statement in granted.values():
        assert set(statement["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}


def test_the_key_grant_of_eventbridge_has_no_condition_it_could_not_meet(assembly: Assembly) -> None:
    policy = assembly.one("AWS::KMS::Key", "Key")["KeyPolicy"]["Statement"]
    unconditional = {s["Principal"]["Service"] for s in policy if "Service" in s["Principal"] and "Condition" not in s}
    assert unconditional == {"events.amazonaws.com"}


@pytest.mark.parametrize(
    ("type_", "attribute"),
    [("AWS::SNS::Topic", "KmsMasterKeyId"), ("AWS::SQS::Queue", "KmsMasterKeyId")],
)
def test_topics_and_queues_are_encrypted_with_our_key(assembly: Assembly, type_: str, attribute: str) -> None:
    for name, resource in assembly.resources(type_).items():
        assert text(resource["Properties"][attribute]).startswith("<Key"), name


@pytest.mark.parametrize("kind", ["AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"])
def test_plain_http_is_refused(assembly: Assembly, kind: str) -> None:
    for name, resource in assembly.resources(kind).items():
        statements = resource["Properties"]["PolicyDocument"]["Statement"]
        assert any(
            s["Effect"] == "Deny" and s["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for s in statements
        ), name
    owners = {"AWS::SNS::TopicPolicy": "AWS::SNS::Topic", "AWS::SQS::QueuePolicy": "AWS::SQS::Queue"}
    if kind in owners:
        assert len(assembly.resources(kind)) == len(assembly.resources(owners[kind]))


def test_whoever_publishes_signals_does_so_for_this_account(assembly: Assembly) -> None:
    allowed = [
        s
        for s in assembly.one("AWS::SNS::TopicPolicy", "Signals")["PolicyDocument"]["Statement"]
        if s["Effect"] == "Allow"
    ]
    assert {s["Principal"]["Service"] for s in allowed} == {
        "cloudwatch.amazonaws.com",
        "budgets.amazonaws.com",
        "costalerts.amazonaws.com",
    }
    for statement in allowed:
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_only_our_own_rules_and_topic_reach_a_queue(assembly: Assembly) -> None:
    for name, resource in assembly.resources("AWS::SQS::QueuePolicy").items():
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                (sources,) = [
                    as_list(test["aws:SourceArn"])
                    for test in statement["Condition"].values()
                    if "aws:SourceArn" in test
                ]
                if statement["Principal"] == {"Service": "events.amazonaws.com"}:
                    assert set(statement["Condition"]) == {"ArnLike"}, "EventBridge documents aws:SourceArn only"
                assert all(
                    (":rule/" in text(s) and "/incidentio-*" in text(s)) or text(s).startswith("<") for s in sources
                ), name


def test_eventbridge_invokes_a_function_for_one_rule_only(assembly: Assembly) -> None:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html"""
    permissions = [
        p["Properties"]
        for p in assembly.resources("AWS::Lambda::Permission").values()
        if p["Properties"]["Principal"] == "events.amazonaws.com"
    ]
    assert permissions
    for permission in permissions:
        assert permission["SourceArn"]["Fn::GetAtt"][0] in assembly.resources("AWS::Events::Rule")
        assert "SourceAccount" not in permission, "only aws:SourceArn is documented"


def test_the_archive_is_locked_versioned_private_and_logged(assembly: Assembly) -> None:
    bucket = assembly.one("AWS::S3::Bucket", "ArchiveBucket")
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert text(bucket["LoggingConfiguration"]["DestinationBucketName"]).startswith("<ArchiveAccessLogs")
    for each in assembly.resources("AWS::S3::Bucket").values():
        assert set(each["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}


def test_the_table_is_recoverable_encrypted_and_streams(assembly: Assembly) -> None:
    table = assembly.one("AWS::DynamoDB::Table", "Incidents")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert table["SSESpecification"]["SSEType"] == "KMS"


@pytest.mark.parametrize("type_", ["AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::S3::Bucket"])
def test_data_outlives_the_stack_but_not_a_first_deployment_that_fails(assembly: Assembly, type_: str) -> None:
    for name, resource in assembly.resources(type_).items():
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain"), name


def test_everything_that_takes_tags_carries_the_system_tag(assembly: Assembly) -> None:
    for type_ in ("AWS::Lambda::Function", "AWS::StepFunctions::StateMachine", "AWS::Events::Rule", "AWS::IAM::Role",
                  "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SNS::Topic"):  # fmt: skip
        for name, resource in assembly.resources(type_).items():
            assert {"Key": "incidentio:system", "Value": "incidentio"} in resource["Properties"]["Tags"], name


def test_every_route_wants_iam_but_three_that_want_a_key_and_none_may_be_test_invoked(assembly: Assembly) -> None:
    methods = assembly.resources("AWS::ApiGateway::Method")
    assert methods
    open_to_all = {name for name, m in methods.items() if m["Properties"]["AuthorizationType"] != "AWS_IAM"}
    assert {name.split("POST")[0] for name in open_to_all} == {
        "HooksRestsignals", "HooksRestv2enqueue", "HooksRestwebhooksalertmanager",
    }  # fmt: skip
    assert not [name for name in methods if name.startswith("Hooks") and "POST" not in name]
    permissions = [
        p["Properties"]
        for p in assembly.resources("AWS::Lambda::Permission").values()
        if p["Properties"]["Principal"] == "apigateway.amazonaws.com"
    ]
    assert len(permissions) == 2
    assert not any("test-invoke-stage" in text(p["SourceArn"]) for p in permissions)


def test_the_webhook_door_cannot_throttle_the_api_and_logs_no_key(assembly: Assembly) -> None:
    stages = {name: stage["Properties"] for name, stage in assembly.resources("AWS::ApiGateway::Stage").items()}
    assert len({stage["RestApiId"]["Ref"] for stage in stages.values()}) == 2
    assert all(stage["MethodSettings"][0]["ThrottlingRateLimit"] for stage in stages.values())
    (door,) = [stage for name, stage in stages.items() if name.startswith("Hooks")]
    assert door["TracingEnabled"] is False, "a trace holds the URL, which may hold a key"
    assert not {"header", "query", "requestOverride", "authorizer"} & set(door["AccessLogSetting"]["Format"].split("."))


def test_the_account_wide_logging_role_is_not_touched_unasked(assembly: Assembly) -> None:
    assert not assembly.resources("AWS::ApiGateway::Account")
