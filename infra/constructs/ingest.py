"""Every door a signal can come through, and the queue behind them all."""

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from incidentio.core.events import RELEASING
from infra.constructs.bus import DomainBus
from infra.constructs.function import Function, Lane, Runtime
from infra.constructs.queues import WorkQueue, accept_rules
from infra.constructs.rule import Rule, Target
from infra.constructs.sources import families
from infra.constructs.table import IncidentTable
from infra.constructs.topics import Topic

_TIMEOUT = Duration.seconds(30)
_AT_ONCE = 20
_PUBLISHERS = ("budgets.amazonaws.com", "costalerts.amazonaws.com")


class Ingest(Construct):
    """Exposes `work` (queue and dead letters), `topic`, `signals_bus` and `function`."""

    def __init__(
        self, scope: Construct, id: str, *, runtime: Runtime, table: IncidentTable, bus: DomainBus, key: kms.IKey
    ) -> None:
        super().__init__(scope, id)
        self.work = WorkQueue(self, "Work", key=key, handling_time=_TIMEOUT)
        self.topic = self._topic(key)
        self.signals_bus = events.EventBus(self, "SignalsBus", description="Signals for incidentio")
        self._rules(bus)
        self._subscribe()
        self.function = self._function(runtime, table)

    def accept_organization(self, organization_id: str) -> None:
        """Let every account of an AWS organization put events on the signals bus, and nobody else."""
        events.CfnEventBusPolicy(
            self,
            "FromOrganization",
            event_bus_name=self.signals_bus.event_bus_name,
            statement_id="FromOrganization",
            statement={
                "Sid": "FromOrganization",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "events:PutEvents",
                "Resource": self.signals_bus.event_bus_arn,
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": organization_id}},
            },
        )

    def _topic(self, key: kms.IKey) -> Topic:
        topic = Topic(self, "Signals", key=key, display_name="incidentio signals")
        topic.accept_alarms()
        for service in _PUBLISHERS:
            topic.accept(service)
        return topic

    def _rules(self, bus: DomainBus) -> None:
        queue, dead_letters = self.work.queue, self.work.dead_letters
        for each in (queue, dead_letters):
            accept_rules(each, buses=("default", self.signals_bus.event_bus_name, bus.bus.event_bus_name))
        bus.on(self, "Released", *RELEASING, to=[Target(to=queue)], description="What is inhibited no more")
        for family, (description, pattern) in families(Stack.of(self).stack_name).items():
            Rule(
                self,
                family,
                description=description,
                pattern=pattern,
                targets=[Target(to=queue)],
                dead_letters=dead_letters,
            )
        Rule(
            self,
            "AllSignals",
            description="Everything sent to the signals bus",
            bus_name=self.signals_bus.event_bus_name,
            pattern={"source": [{"prefix": ""}]},
            targets=[Target(to=queue)],
            dead_letters=dead_letters,
        )

    def _subscribe(self) -> None:
        for queue in (self.work.queue, self.work.dead_letters):
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[queue.queue_arn],
                    conditions={"ArnEquals": {"aws:SourceArn": self.topic.topic_arn}},
                )
            )
        sns.CfnSubscription(
            self,
            "SignalsToQueue",
            topic_arn=self.topic.topic_arn,
            protocol="sqs",
            endpoint=self.work.queue.queue_arn,
            redrive_policy={"deadLetterTargetArn": self.work.dead_letters.queue_arn},
        )

    def _function(self, runtime: Runtime, table: IncidentTable) -> Function:
        function = Function(
            self,
            "Ingest",
            runtime=runtime,
            lane=Lane(self, "Lane", name="ingest"),
            handler="incidentio.ingest.handler.handler",
            description="Signals to incidents",
            environment={
                "TABLE_NAME": table.table.table_name,
                "INGEST_DLQ_URL": self.work.dead_letters.queue_url,
                "SIGNAL_TOPIC_ARN": self.topic.topic_arn,
            },
            timeout=_TIMEOUT,
            memory_mb=1024,
            reserve=_AT_ONCE,
        )
        table.read_write(function)
        # Both what ingest itself gives up, and invocations by alarms that failed to the last.
        function.consume_async(failures_to=self.work.dead_letters.queue_arn)
        lambda_.CfnPermission(
            function,
            "InvokedByAlarms",
            action="lambda:InvokeFunction",
            function_name=function.function.function_arn,
            principal="lambda.alarms.cloudwatch.amazonaws.com",
            source_account=Aws.ACCOUNT_ID,
            source_arn=f"arn:{Aws.PARTITION}:cloudwatch:{Aws.REGION}:{Aws.ACCOUNT_ID}:alarm:*",
        )
        self.work.feed(function, at_once=_AT_ONCE)
        return function
