"""The one stack: which parts there are and what each is given."""

import math
from pathlib import Path

from aws_cdk import CfnOutput, Duration, IStackSynthesizer, RemovalPolicy, Stack, Tags
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from incidentio.core.bundle import Bundle
from incidentio.core.routing import Routing
from incidentio.mitigate.actions.action import SYSTEM_TAG
from infra.constructs.acknowledged import LINT
from infra.constructs.api import Api
from infra.constructs.archive import Archive
from infra.constructs.bus import DomainBus
from infra.constructs.communicate import Communicate
from infra.constructs.function import Runtime
from infra.constructs.ingest import Ingest
from infra.constructs.key import DataKey
from infra.constructs.learn import Learn
from infra.constructs.mitigate import Mitigate
from infra.constructs.playbooks import PlaybookLibrary
from infra.constructs.sweep import Sweep
from infra.constructs.table import IncidentTable
from infra.constructs.topics import Telling
from infra.constructs.triage import Triage
from infra.constructs.watch import Watch
from infra.constructs.webhooks import Webhooks
from infra.options import Options


class IncidentioStack(Stack):
    """Everything incidentio needs in one account and Region."""

    def __init__(
        self,
        scope: Construct,
        *,
        options: Options,
        bundle: Bundle,
        code: Path,
        layer: Path,
        synthesizer: IStackSynthesizer | None = None,
    ) -> None:
        super().__init__(
            scope,
            options.stack_name,
            description="incidentio: from alarm to archived postmortem",
            synthesizer=synthesizer,
        )
        self.template_options.metadata = LINT
        Tags.of(self).add(SYSTEM_TAG, options.stack_name)
        removal = RemovalPolicy.DESTROY if options.destroy_data else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        self._retention = {"RETENTION_MODE": options.retention_mode, "RETENTION_DAYS": str(options.retention_days)}
        runtime = Runtime(
            code=code,
            layer=lambda_.LayerVersion(
                self,
                "Layer",
                code=lambda_.Code.from_asset(str(layer)),
                description="pydantic and Powertools",
                compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
                compatible_architectures=[lambda_.Architecture.ARM_64],
            ),
            stack_prefix=options.stack_name,
            reserve=options.reserved_concurrency,
        )

        self.key = DataKey(self, "Key", removal=removal)
        self.table = table = IncidentTable(self, "Incidents", key=self.key, removal=removal)
        self.archive = Archive(self, "Archive", key=self.key, removal=removal)
        self.telling = Telling(self, "Telling", key=self.key, page_email=options.page_email)
        self.bus = DomainBus(self, "Domain", runtime=runtime, table=table, key=self.key)
        self.ingest = Ingest(self, "Ingesting", runtime=runtime, table=table, bus=self.bus, key=self.key)
        self.webhooks = Webhooks(self, "Hooks", runtime=runtime, table=table, ingest=self.ingest, key=self.key)
        if options.organization_id:
            self.ingest.accept_organization(options.organization_id)
        self.api = Api(
            self,
            "Http",
            runtime=runtime,
            table=table,
            archive=self.archive,
            retention=self._retention,
            account_role=options.account_cloudwatch_role,
        )
        self.triage = Triage(self, "Triaging", runtime=runtime, table=table, bus=self.bus)
        self.mitigate = Mitigate(self, "Mitigating", runtime=runtime, table=table, bus=self.bus)
        self.communicate = Communicate(
            self,
            "Communicating",
            runtime=runtime,
            table=table,
            bus=self.bus,
            telling=self.telling,
            key=self.key,
            api_url=self.api.url,
        )
        self.learn = Learn(
            self,
            "Learning",
            runtime=runtime,
            table=table,
            bus=self.bus,
            archive=self.archive,
            retention=self._retention,
        )
        self.sweep = Sweep(
            self,
            "Sweeping",
            runtime=runtime,
            table=table,
            bus=self.bus,
            ingest=self.ingest,
            mitigate=self.mitigate,
            communicate=self.communicate,
        )
        if bundle.playbooks:
            PlaybookLibrary(
                self,
                "Playbooks",
                runtime=runtime,
                lane=self.mitigate.lane,
                control=self.mitigate.control.function,
                playbooks=bundle.playbooks,
                table_arn=self.table.table.table_arn,
                pace=options.pace,
                outbound=options.outbound,
            )
        self._watch(bundle.catalog.routing)
        self._outputs()

    def _watch(self, routing: Routing) -> None:
        watch = Watch(self, "Watch", topic=self.telling.watchdog)
        ingest, communicate = self.ingest.work, self.communicate.work
        watch.dead_letters(
            {
                "ingest": ingest.dead_letters,
                "outbox": self.bus.outbox_dead_letters,
                "lanes": self.bus.lane_dead_letters,
                "communicate": communicate.dead_letters,
            }
        )
        watch.oldest(
            {"ingest": (ingest.queue, Duration.minutes(1)), "communicate": (communicate.queue, Duration.minutes(2))}
        )
        asynchronous = {
            "triage": self.triage.function,
            "conductor": self.mitigate.conductor,
            "learn": self.learn.function,
            "sweeper": self.sweep.sweeper,
        }
        watch.functions(
            {
                "ingest": self.ingest.function,
                "publisher": self.bus.publisher,
                "control": self.mitigate.control,
                "communicate": self.communicate.function,
                "api": self.api.function,
                "webhooks": self.webhooks.function,
                **asynchronous,
            }
        )
        watch.dropped(asynchronous)
        watch.stream(self.bus.publisher)
        watch.executions(self.mitigate.recovery)
        watch.heartbeat(self.sweep.sweeper)
        watch.delivery(
            self.communicate.function, every=Duration.minutes(math.ceil(routing.heartbeat.total_seconds() / 60))
        )

    def _outputs(self) -> None:
        ingest, communicate, telling = self.ingest.work, self.communicate.work, self.telling
        for name, value in {
            "ApiUrl": self.api.url,
            "ArchiveBucketName": self.archive.bucket.bucket_name,
            "CommunicateDlqUrl": communicate.dead_letters.queue_url,
            "CommunicateQueueUrl": communicate.queue.queue_url,
            "EventBusName": self.bus.bus.event_bus_name,
            "IngestDlqUrl": ingest.dead_letters.queue_url,
            "IngestQueueUrl": ingest.queue.queue_url,
            "KillSwitchParameterName": self.mitigate.kill_switch.parameter_name,
            "LaneDlqUrl": self.bus.lane_dead_letters.queue_url,
            "OutboxDlqUrl": self.bus.outbox_dead_letters.queue_url,
            "PageTopicArn": telling.page.topic_arn,
            "RetentionDays": self._retention["RETENTION_DAYS"],
            "RetentionMode": self._retention["RETENTION_MODE"],
            "SignalFunctionArn": self.ingest.function.function.function_arn,
            "SignalTopicArn": self.ingest.topic.topic_arn,
            "SigningSecretPrefix": f"{self.stack_name}/integrations",
            "SignalsBusArn": self.ingest.signals_bus.event_bus_arn,
            "SignalsBusName": self.ingest.signals_bus.event_bus_name,
            "SweepRuleName": self.sweep.rule.name,
            "TableName": self.table.table.table_name,
            "TestTopicArn": telling.test.topic_arn,
            "TicketTopicArn": telling.ticket.topic_arn,
            "WatchdogTopicArn": telling.watchdog.topic_arn,
            "WebhookUrl": self.webhooks.url,
        }.items():
            CfnOutput(self, name, value=value)
