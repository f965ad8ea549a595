"""How things travel: rules, queues, stream, retries, and where what fails ends up."""

import json
from typing import Any

import pytest

from tests.infra.conftest import Assembly, text

LANE_DLQ, OUTBOX_DLQ = "DomainLaneDeadLetters", "DomainOutboxDeadLetters"
ASYNC = {"Triag", "Conductor", "Learn", "Sweeper"}


def rule(assembly: Assembly, part: str) -> dict[str, Any]:
    return assembly.one("AWS::Events::Rule", part)


@pytest.mark.parametrize(
    ("part", "types"),
    [
        (
            "TriagingUntriaged",
            {
                "ImpactReturned", "IncidentPromoted", "IncidentReopened", "IncidentTriggered", "IncidentUpdated",
                "SignalJoined", "SignalWorsened",
            },
        ),
        (
            "MitigatingConducted",
            {
                "IncidentTriaged", "PlaybookRequested", "PlaybookPlanned", "PlaybookRefused", "ApprovalDecided",
                "IncidentResolved", "IncidentCancelled",
                "IncidentMerged", "QuietEnded",
            },
        ),
        (
            "LearningResolved",
            {"IncidentResolved", "IncidentCancelled", "IncidentMerged", "LeaseRestored", "ForeignChangeFound"},
        ),
        ("IngestingReleased", {"InhibitionEnded"}),
        (
            "CommunicatingNotifying",
            {
                "IncidentTriaged", "TriageOverdue", "IncidentReopened", "ImpactReturned", "SeverityChanged",
                "IncidentMitigated", "IncidentResolved", "IncidentCancelled", "IncidentMerged", "IncidentPromoted",
                "ApprovalRequested", "ApprovalEscalated", "PlaybookSucceeded", "PlaybookRolledBack", "RollbackFailed",
                "ForeignChangeFound", "PlaybookRefused", "IncidentLinked", "StormEnded", "ManualStepRequested",
                "PlaybookHeld", "UndoLeftToPeople",
            },
        ),
    ],
)  # fmt: skip
def test_each_lane_hears_its_events_on_the_domain_bus(assembly: Assembly, part: str, types: set[str]) -> None:
    found = rule(assembly, part)
    assert text(found["EventBusName"]).startswith("<DomainBus")
    assert found["EventPattern"]["source"] == ["incidentio"]
    assert set(found["EventPattern"]["detail-type"]) == types


def test_every_rule_has_a_dead_letter_queue_for_each_target(assembly: Assembly) -> None:
    for name, resource in assembly.resources("AWS::Events::Rule").items():
        for target in resource["Properties"]["Targets"]:
            assert "DeadLetters" in text(target["DeadLetterConfig"]["Arn"]), name


def test_the_sweep_wakes_three_lanes_every_minute(assembly: Assembly) -> None:
    sweep = rule(assembly, "SweepingEveryMinute")
    assert sweep["ScheduleExpression"] == "rate(1 minute)"
    assert {
        (text(t["Arn"]).strip("<>").split("Function")[0].split("Work")[0], t["Input"]) for t in sweep["Targets"]
    } == {
        ("SweepingSweeper", '{"sweep": "detect"}'),
        ("MitigatingConductor", '{"sweep": "mitigate"}'),
        ("Communicating", '{"sweep": "communicate"}'),
    }


def test_anchors_are_taken_every_hour(assembly: Assembly) -> None:
    anchor = rule(assembly, "LearningAnchor")
    assert anchor["ScheduleExpression"] == "rate(1 hour)"
    assert json.loads(anchor["Targets"][0]["Input"]) == {"anchor": True}


def test_the_outbox_publishes_new_timeline_entries_only(assembly: Assembly) -> None:
    (stream,) = [
        m["Properties"]
        for m in assembly.resources("AWS::Lambda::EventSourceMapping").values()
        if "StreamArn" in text(m["Properties"]["EventSourceArn"])
    ]
    (pattern,) = stream["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "TL#"}]}}},
    }
    assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert stream["BisectBatchOnFunctionError"] is True
    assert OUTBOX_DLQ in text(stream["DestinationConfig"]["OnFailure"]["Destination"])


def test_queues_feed_their_functions_in_batches_that_may_fail_in_part(assembly: Assembly) -> None:
    feeds = [
        m["Properties"]
        for m in assembly.resources("AWS::Lambda::EventSourceMapping").values()
        if "Queue" in text(m["Properties"]["EventSourceArn"])
    ]
    assert len(feeds) == 2
    for feed in feeds:
        assert (feed["BatchSize"], feed["FunctionResponseTypes"]) == (10, ["ReportBatchItemFailures"])


def test_queues_hand_out_no_more_batches_than_their_function_may_run(opted: Assembly) -> None:
    """Throttled batches count as deliveries: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
    feeds = [
        m["Properties"]
        for m in opted.resources("AWS::Lambda::EventSourceMapping").values()
        if "Queue" in text(m["Properties"]["EventSourceArn"])
    ]
    assert len(feeds) == 2
    for feed in feeds:
        function = opted.resources("AWS::Lambda::Function")[feed["FunctionName"]["Ref"]]["Properties"]
        assert feed["ScalingConfig"]["MaximumConcurrency"] == function["ReservedConcurrentExecutions"]


def test_work_queues_wait_as_long_as_a_worker_may_live_and_try_for_a_quarter_of_an_hour(assembly: Assembly) -> None:
    work = [r["Properties"] for name, r in assembly.resources("AWS::SQS::Queue").items() if "WorkQueue" in name]
    assert len(work) == 2
    for queue in work:
        assert queue["RedrivePolicy"]["maxReceiveCount"] == 30
        assert queue["VisibilityTimeout"] == 30 + 5


def test_asynchronous_functions_send_what_fails_to_the_lanes_dead_letters(assembly: Assembly) -> None:
    configs = {
        name: text(resource["Properties"]["DestinationConfig"]["OnFailure"]["Destination"])
        for name, resource in assembly.resources("AWS::Lambda::EventInvokeConfig").items()
    }
    ingest = configs.pop(next(name for name in configs if name.startswith("IngestingIngest")))
    assert "IngestingWorkDeadLetters" in ingest, "what an alarm told us itself is redriven like any other signal"
    assert len(configs) == len(ASYNC)
    for name, destination in configs.items():
        assert any(part in name for part in ASYNC)
        assert LANE_DLQ in destination


def test_an_alarm_of_this_account_may_invoke_ingest(assembly: Assembly) -> None:
    permission = assembly.one("AWS::Lambda::Permission", "InvokedByAlarms")
    assert permission["Principal"] == "lambda.alarms.cloudwatch.amazonaws.com"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert text(permission["SourceArn"]).endswith(":alarm:*")


def test_the_signal_topic_delivers_to_the_ingest_queue_with_dead_letters(assembly: Assembly) -> None:
    subscription = assembly.one("AWS::SNS::Subscription", "SignalsToQueue")
    assert subscription["Protocol"] == "sqs"
    assert "WorkQueue" in text(subscription["Endpoint"])
    assert "DeadLetters" in text(subscription["RedrivePolicy"]["deadLetterTargetArn"])
    assert "RawMessageDelivery" not in subscription, "ingest needs the envelope: it says which topic"


def test_domain_events_are_kept_for_replay(assembly: Assembly) -> None:
    (archive,) = assembly.resources("AWS::Events::Archive").values()
    assert archive["Properties"]["RetentionDays"] == 30


def test_the_index_is_the_one_the_adapter_queries(assembly: Assembly) -> None:
    table = assembly.one("AWS::DynamoDB::Table", "Incidents")
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "listing"
    assert [k["AttributeName"] for k in index["KeySchema"]] == ["gpk", "gsk"]
    assert set(index["Projection"]["NonKeyAttributes"]) == {
        "status", "severity", "service", "environment", "kind", "mode", "title", "version", "due_at",
    }  # fmt: skip
    assert table["TimeToLiveSpecification"]["AttributeName"] == "ttl"


def test_state_machines_log_errors_without_data_and_are_traced(assembly: Assembly) -> None:
    machines = assembly.resources("AWS::StepFunctions::StateMachine")
    assert machines
    for resource in machines.values():
        machine = resource["Properties"]
        assert machine["StateMachineName"].startswith("incidentio-")
        assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
        assert machine["LoggingConfiguration"]["Level"] == "ERROR"
        assert machine["TracingConfiguration"] == {"Enabled": True}


def test_a_state_machine_invokes_control_and_its_own_action_only(assembly: Assembly) -> None:
    for name, resource in assembly.resources("AWS::StepFunctions::StateMachine").items():
        role = resource["Properties"]["RoleArn"]["Fn::GetAtt"][0]
        invoked = [
            text(arn)
            for policy in assembly.resources("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Properties"]["Roles"]
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if "lambda:InvokeFunction" in statement["Action"]
            for arn in statement["Resource"]
        ]
        assert len(invoked) == 2
        assert sum("Control" in arn for arn in invoked) == 1
        assert any(arn.startswith("<" + name.split("Machine")[0] + "Action") for arn in invoked), name


def test_the_library_logs_where_log_delivery_needs_no_policy_per_machine(assembly: Assembly) -> None:
    named = [
        r["Properties"]["LogGroupName"]
        for r in assembly.resources("AWS::Logs::LogGroup").values()
        if "LogGroupName" in r["Properties"]
    ]
    assert named == ["/aws/vendedlogs/states/incidentio"]


def test_an_action_function_is_denied_whatever_its_playbook_does_not_declare(assembly: Assembly) -> None:
    actions = {name: f for name, f in assembly.functions.items() if name.startswith("action:")}
    assert actions
    for name, function in actions.items():
        statements = assembly.statements_of(function)
        undeclared, ours = [s for s in statements if s["Effect"] == "Deny"]
        allowed = {action for s in statements if s["Effect"] == "Allow" for action in s["Action"]}
        assert set(undeclared["NotAction"]) == allowed, name
        assert undeclared["Resource"] == ours["Resource"] == ["*"]
        assert "Condition" not in undeclared
        assert ours["Condition"] == {"Null": {"aws:ResourceTag/incidentio:system": "false"}}


def test_one_boundary_keeps_all_action_functions_from_ourselves(assembly: Assembly) -> None:
    """Denied: what carries our tag, our table, and of IAM all that no playbook names."""
    (policy,) = assembly.resources("AWS::IAM::ManagedPolicy").values()
    for function in (f for name, f in assembly.functions.items() if name.startswith("action:")):
        role = assembly.resources("AWS::IAM::Role")[function["Role"]["Fn::GetAtt"][0]]["Properties"]
        assert "PlaybooksBoundary" in text(role["PermissionsBoundary"])
    document = policy["Properties"]["PolicyDocument"]
    by_sid = {s["Sid"]: s for s in document["Statement"]}
    assert by_sid["NothingElse"]["NotAction"] == by_sid["WhatPlaybooksTouch"]["Action"]
    assert not {"*", "iam:*", "sts:*"} & set(by_sid["WhatPlaybooksTouch"]["Action"])
    ours = by_sid["NeverOurselves"]
    assert ours["Condition"] == {"Null": {"aws:ResourceTag/incidentio:system": "false"}}
    assert {action.split(":")[0] for action in ours["NotAction"]} == {"logs", "xray"}
    table = by_sid["NeverOurTable"]
    assert (table["Effect"], table["Action"]) == ("Deny", "dynamodb:*")
    assert all("IncidentsTable" in text(arn) for arn in table["Resource"])
    assert len(json.dumps(document)) < 6144


def test_no_dead_letter_queue_goes_unwatched(assembly: Assembly) -> None:
    watched = {
        text(d["Value"])
        for r in assembly.resources("AWS::CloudWatch::Alarm").values()
        for d in r["Properties"].get("Dimensions", [])
        if d["Name"] == "QueueName"
    }
    for name in assembly.resources("AWS::SQS::Queue"):
        assert f"<{name}.QueueName>" in watched
