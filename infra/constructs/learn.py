"""The learn lane: remembers how incidents ended, drafts postmortems, and anchors timeline heads every hour."""

from aws_cdk import Duration
from constructs import Construct

from infra.constructs.archive import Archive
from infra.constructs.bus import DomainBus
from infra.constructs.function import Function, Lane, Runtime
from infra.constructs.rule import Rule, Target
from infra.constructs.table import IncidentTable

ANCHOR = {"anchor": True}


class Learn(Construct):
    """Exposes `function`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        runtime: Runtime,
        table: IncidentTable,
        bus: DomainBus,
        archive: Archive,
        retention: dict[str, str],
    ) -> None:
        super().__init__(scope, id)
        self.function = Function(
            self,
            "Learn",
            runtime=runtime,
            lane=Lane(self, "Lane", name="learn"),
            handler="incidentio.learn.handler.handler",
            description="Postmortem drafts and timeline anchors",
            environment={
                "TABLE_NAME": table.table.table_name,
                "ARCHIVE_BUCKET": archive.bucket.bucket_name,
                **retention,
            },
            timeout=Duration.seconds(120),
        )
        table.read_write(self.function)
        archive.kept_by(self.function)
        self.function.consume_async(failures_to=bus.lane_dead_letters.queue_arn)
        target = Target(to=self.function)
        bus.on(
            self,
            "Resolved",
            "IncidentResolved",
            "IncidentCancelled",
            "IncidentMerged",
            "LeaseRestored",
            "ForeignChangeFound",
            to=[target],
            description="Incidents that ended, and what changes their postmortem afterwards",
        )
        Rule(
            self,
            "Anchor",
            description="Anchors timeline heads every hour",
            schedule="rate(1 hour)",
            targets=[Target(to=self.function, input=ANCHOR)],
            dead_letters=bus.lane_dead_letters,
        )
