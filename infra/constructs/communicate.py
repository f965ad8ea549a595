"""The communicate lane: tells people, through a queue so that nothing is dropped."""

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from constructs import Construct

from incidentio.core.events import NOTIFYING
from infra.constructs.bus import DomainBus
from infra.constructs.function import Function, Lane, Runtime
from infra.constructs.queues import WorkQueue, accept_rules
from infra.constructs.rule import Target
from infra.constructs.table import IncidentTable
from infra.constructs.topics import Telling

_TIMEOUT = Duration.seconds(30)
_AT_ONCE = 10


class Communicate(Construct):
    """Exposes `work` (queue and dead letters) and `function`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        runtime: Runtime,
        table: IncidentTable,
        bus: DomainBus,
        telling: Telling,
        key: kms.IKey,
        api_url: str,
    ) -> None:
        super().__init__(scope, id)
        self.work = WorkQueue(self, "Work", key=key, handling_time=_TIMEOUT)
        for queue in (self.work.queue, self.work.dead_letters):
            accept_rules(queue, buses=("default", bus.bus.event_bus_name))
        self.function = Function(
            self,
            "Communicate",
            runtime=runtime,
            lane=Lane(self, "Lane", name="communicate"),
            handler="incidentio.communicate.handler.handler",
            description="Pages and tickets",
            environment={
                "TABLE_NAME": table.table.table_name,
                "PAGE_TOPIC_ARN": telling.page.topic_arn,
                "TICKET_TOPIC_ARN": telling.ticket.topic_arn,
                "TEST_TOPIC_ARN": telling.test.topic_arn,
                "API_URL": api_url,
            },
            timeout=_TIMEOUT,
            reserve=_AT_ONCE,
        )
        table.read_write(self.function)
        for topic in (telling.page, telling.ticket, telling.test):
            topic.published_by(self.function)
        self.work.feed(self.function, at_once=_AT_ONCE)
        bus.on(self, "Notifying", *NOTIFYING, to=[Target(to=self.work.queue)], description="What people are told about")
