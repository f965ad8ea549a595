"""The domain bus: what happened to incidents, for our lanes and for anybody else; kept for replay."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from constructs import Construct

from incidentio.core.events import SOURCE
from infra.constructs.acknowledged import acknowledge
from infra.constructs.function import Function, Lane, Runtime
from infra.constructs.outbox import publish_stream
from infra.constructs.queues import DeadLetters, accept_rules
from infra.constructs.rule import Rule, Target
from infra.constructs.table import IncidentTable

_KEPT = Duration.days(30)


class DomainBus(Construct):
    """Exposes `bus`, the `publisher` and its `outbox_dead_letters`, and `lane_dead_letters` of those who listen."""

    def __init__(self, scope: Construct, id: str, *, runtime: Runtime, table: IncidentTable, key: kms.IKey) -> None:
        super().__init__(scope, id)
        self.bus = events.EventBus(self, "Bus", description="What happened to incidents")
        events.Archive(
            self,
            "Archive",
            source_event_bus=self.bus,
            event_pattern=events.EventPattern(source=[SOURCE]),
            retention=_KEPT,
        )
        self.outbox_dead_letters = DeadLetters(self, "OutboxDeadLetters", key=key)
        self.lane_dead_letters = DeadLetters(self, "LaneDeadLetters", key=key)
        for queue in (self.outbox_dead_letters, self.lane_dead_letters):
            acknowledge(queue, {"SQS3": "It holds what functions and rules gave up; its depth raises an alarm."})
        accept_rules(self.lane_dead_letters, buses=("default", self.bus.event_bus_name))
        self.publisher = Function(
            self,
            "Publisher",
            runtime=runtime,
            lane=Lane(self, "Lane", name="outbox"),
            handler="incidentio.aws.outbox.handler.handler",
            description="Timeline entries to domain events",
            environment={"EVENT_BUS_NAME": self.bus.event_bus_name},
            timeout=Duration.seconds(30),
            reserve=10,
        )
        self.publisher.allow("events:PutEvents", on=[self.bus.event_bus_arn])
        publish_stream(table, self.publisher, failures_to=self.outbox_dead_letters, key=key)

    def on(self, scope: Construct, id: str, *types: str, to: Sequence[Target], description: str) -> Rule:
        """A rule in `scope` that sends domain events of these `types` to its targets, but not those of a replay.

        An archive is replayed for whoever missed something. None of us did (stream, queues and sweep see to that), and
        what happened once starts nothing twice.
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
        """
        return Rule(
            scope,
            id,
            description=description,
            bus_name=self.bus.event_bus_name,
            pattern={"source": [SOURCE], "detail-type": list(types), "replay-name": [{"exists": False}]},
            targets=to,
            dead_letters=self.lane_dead_letters,
        )
