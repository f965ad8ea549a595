"""The triage lane: which service, how bad, who is hit, and which playbooks could help."""

from aws_cdk import Duration
from constructs import Construct

from incidentio.core.events import TRIAGED
from infra.constructs.bus import DomainBus
from infra.constructs.function import Function, Lane, Runtime
from infra.constructs.observed import describe_alarms
from infra.constructs.rule import Target
from infra.constructs.table import IncidentTable


class Triage(Construct):
    """Exposes `function`."""

    def __init__(self, scope: Construct, id: str, *, runtime: Runtime, table: IncidentTable, bus: DomainBus) -> None:
        super().__init__(scope, id)
        self.function = Function(
            self,
            "Triage",
            runtime=runtime,
            lane=Lane(self, "Lane", name="triage"),
            handler="incidentio.triage.handler.handler",
            description="Service, severity and playbooks of an incident",
            environment={"TABLE_NAME": table.table.table_name},
            timeout=Duration.seconds(30),
            memory_mb=1024,
            reserve=10,
        )
        table.read_write(self.function)
        describe_alarms(self.function, tags=True)
        self.function.consume_async(failures_to=bus.lane_dead_letters.queue_arn)
        bus.on(self, "Untriaged", *TRIAGED, to=[Target(to=self.function)], description="Incidents to triage")
