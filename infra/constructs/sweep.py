"""The sweep: every minute, look after whatever waits for time to pass."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.bus import DomainBus
from infra.constructs.communicate import Communicate
from infra.constructs.function import Function, Lane, Runtime
from infra.constructs.ingest import Ingest
from infra.constructs.mitigate import Mitigate
from infra.constructs.observed import describe_alarms
from infra.constructs.rule import Rule, Target
from infra.constructs.table import IncidentTable


class Sweep(Construct):
    """Exposes the `sweeper` function (recovery and reconciling of alarms) and the `rule` that wakes three lanes."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        runtime: Runtime,
        table: IncidentTable,
        bus: DomainBus,
        ingest: Ingest,
        mitigate: Mitigate,
        communicate: Communicate,
    ) -> None:
        super().__init__(scope, id)
        queue = ingest.work.queue
        self.sweeper = Function(
            self,
            "Sweeper",
            runtime=runtime,
            lane=Lane(self, "Lane", name="detect"),
            handler="incidentio.detect.handler.handler",
            description="Recovery of incidents, and alarms that were missed",
            environment={
                "TABLE_NAME": table.table.table_name,
                "INGEST_QUEUE_URL": queue.queue_url,
                "SIGNAL_TOPIC_ARN": ingest.topic.topic_arn,
                "SIGNAL_FUNCTION_ARN": ingest.function.function.function_arn,
            },
            timeout=Duration.seconds(60),
        )
        table.read_write(self.sweeper)
        describe_alarms(self.sweeper, tags=True, mutes=True)
        self.sweeper.allow("sqs:SendMessage", on=[queue.queue_arn])
        self.sweeper.consume_async(failures_to=bus.lane_dead_letters.queue_arn)
        self.rule = Rule(
            self,
            "EveryMinute",
            description="Recovery, overdue runs and unacknowledged pages",
            schedule="rate(1 minute)",
            targets=[
                Target(to=self.sweeper, input={"sweep": "detect"}),
                Target(to=mitigate.conductor, input={"sweep": "mitigate"}),
                Target(to=communicate.work.queue, input={"sweep": "communicate"}),
            ],
            dead_letters=bus.lane_dead_letters,
        )
