"""The mitigate lane: the conductor starts and recovers playbooks, control works inside their envelope."""

from aws_cdk import Aws, Duration
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.constructs.bus import DomainBus
from infra.constructs.function import Function, Lane, Runtime
from infra.constructs.observed import describe_alarms
from infra.constructs.rule import Rule, Target
from infra.constructs.table import IncidentTable

CONDUCTED = (
    "IncidentTriaged", "PlaybookRequested", "PlaybookPlanned", "PlaybookRefused", "ApprovalDecided",
    "IncidentResolved", "IncidentCancelled", "IncidentMerged", "QuietEnded",
)  # fmt: skip

KILL_SWITCH_PATTERN = r"[A-Za-z0-9#._-]{1,100}( ?, ?[A-Za-z0-9#._-]{1,100}){0,50}"
"""`on`, `off`, or names separated by commas."""


class Mitigate(Construct):
    """Exposes `lane`, `conductor`, `control`, `kill_switch` and the `recovery` rule."""

    def __init__(self, scope: Construct, id: str, *, runtime: Runtime, table: IncidentTable, bus: DomainBus) -> None:
        super().__init__(scope, id)
        self._prefix = f"{runtime.stack_prefix}-"
        self.lane = Lane(self, "Lane", name="mitigate")
        self.kill_switch = ssm.StringParameter(
            self,
            "KillSwitch",
            # A name one knows by heart: it is for the night when incidentio is down.
            parameter_name=f"/{runtime.stack_prefix}/kill-switch",
            string_value="off",
            description="off, on, or names of playbooks, services or incidents to stop. Undoing always works.",
        )
        self.conductor = self._conductor(runtime, table, bus)
        self.control = self._control(runtime, table)
        bus.on(
            self,
            "Conducted",
            *CONDUCTED,
            to=[Target(to=self.conductor)],
            description="Playbooks to start or go on with",
        )
        self.recovery = Rule(
            self,
            "Recovery",
            description="Playbook executions that ended without their own ending",
            pattern={
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [{"prefix": self._arn("stateMachine")}],
                },
            },
            targets=[Target(to=self.conductor)],
            dead_letters=bus.lane_dead_letters,
        )

    def _arn(self, kind: str) -> str:
        return f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:{kind}:{self._prefix}"

    def _conductor(self, runtime: Runtime, table: IncidentTable, bus: DomainBus) -> Function:
        function = Function(
            self,
            "Conductor",
            runtime=runtime,
            lane=self.lane,
            handler="incidentio.mitigate.handler.handler",
            description="Starts, continues and recovers playbook runs",
            environment={
                "TABLE_NAME": table.table.table_name,
                "STATE_MACHINE_PREFIX": self._arn("stateMachine"),
            },
            timeout=Duration.seconds(60),
        )
        table.read_write(function)
        why = "The prefix is this stack's own: one state machine a playbook, as many executions as there are runs."
        function.allow(
            "states:StartExecution",
            "states:SendTaskSuccess",
            on=[f"{self._arn('stateMachine')}*"],
            because=why,
        )
        function.allow("states:DescribeExecution", on=[f"{self._arn('execution')}*"], because=why)
        function.consume_async(failures_to=bus.lane_dead_letters.queue_arn)
        return function

    def _control(self, runtime: Runtime, table: IncidentTable) -> Function:
        function = Function(
            self,
            "Control",
            runtime=runtime,
            lane=self.lane,
            handler="incidentio.mitigate.control.handler.handler",
            description="Gates, approvals, locks and records of playbook runs; touches no target",
            environment={
                "TABLE_NAME": table.table.table_name,
                "KILL_SWITCH_PARAMETER": self.kill_switch.parameter_name,
            },
            timeout=Duration.seconds(60),
            reserve=20,
        )
        table.read_write(function)
        function.allow("ssm:GetParameter", on=[self.kill_switch.parameter_arn])
        describe_alarms(function)
        return function
