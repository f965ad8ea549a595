"""The playbook library: for each playbook a state machine and an action function with the rights it declares."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from aws_cdk import (
    Aws,
    Duration,
    NestedStack,
    RemovalPolicy,
    Stack,
)
from aws_cdk import (
    aws_iam as iam,
)
from aws_cdk import (
    aws_lambda as lambda_,
)
from aws_cdk import (
    aws_logs as logs,
)
from aws_cdk import (
    aws_stepfunctions as stepfunctions,
)
from constructs import Construct

from incidentio.core.playbook import Playbook
from incidentio.mitigate.actions import Statement, permissions_for
from infra.boundary import boundary, denied
from infra.compiler import action_timeout, compile_playbook
from infra.constructs.acknowledged import LINT, accept_wildcards, acknowledge
from infra.constructs.function import Function, Lane, Runtime

SHELVES = 8
"""Nested stacks the playbooks are spread over: a template of CloudFormation holds about thirty of them.

A playbook's name alone says on which it stands: it never moves, since a state machine cannot be in two stacks at once.
"""


class PlaybookLibrary(Construct):
    """All playbooks, in nested stacks: so a hundred of them do not crowd the main template."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        runtime: Runtime,
        lane: Lane,
        control: lambda_.IFunction,
        playbooks: Mapping[str, Playbook],
        table_arn: str,
        pace: float,
        outbound: str = "",
    ) -> None:
        super().__init__(scope, id)
        limits = _boundary(self, playbooks, table_arn)
        log_group = logs.LogGroup(
            self,
            "Executions",
            # Only under this prefix does log delivery not grow the account's resource policy with every machine.
            log_group_name=f"/aws/vendedlogs/states/{runtime.stack_prefix}",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        shelves: dict[int, NestedStack] = {}
        for name, playbook in sorted(playbooks.items()):
            number = _shelf_of(name)
            if number not in shelves:
                shelves[number] = _shelf(self, number)
            PlaybookMachine(
                shelves[number],
                name,
                runtime=runtime,
                lane=lane,
                control=control,
                playbook=playbook,
                pace=pace,
                outbound=outbound,
                log_group=log_group,
                limits=limits,
            )


def _boundary(scope: Construct, playbooks: Mapping[str, Playbook], table_arn: str) -> iam.ManagedPolicy:
    declared = [statement for playbook in playbooks.values() for statement in _declared_by(playbook)]
    policy = iam.ManagedPolicy(
        scope,
        "Boundary",
        description="The most an action function of incidentio can do",
        statements=[iam.PolicyStatement.from_json(each) for each in boundary(declared, table_arn=table_arn)],
    )
    why = "A permissions boundary grants nothing: it is the most that the exact rights of each function can become."
    wide = sorted({f"{action.partition(':')[0]}:*" for each in declared for action in each.actions} - {"iam:*"})
    acknowledge(policy, {f"IAM5[Action::{action}]": why for action in wide})
    accept_wildcards(policy, ["*"], because=why)
    return policy


def _declared_by(playbook: Playbook) -> list[Statement]:
    return permissions_for(playbook, partition=Aws.PARTITION, account=Aws.ACCOUNT_ID, region=Aws.REGION)


def _shelf_of(name: str) -> int:
    return sha256(name.encode()).digest()[0] % SHELVES


def _shelf(scope: Construct, number: int) -> NestedStack:
    shelf = NestedStack(
        scope, f"Shelf{number}", description="incidentio playbooks", removal_policy=RemovalPolicy.DESTROY
    )
    shelf.template_options.metadata = LINT
    return shelf


class PlaybookMachine(Construct):
    """One playbook. Exposes `action` (the function) and `machine`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        runtime: Runtime,
        lane: Lane,
        control: lambda_.IFunction,
        playbook: Playbook,
        pace: float,
        outbound: str = "",
        log_group: logs.ILogGroup,
        limits: iam.IManagedPolicy,
    ) -> None:
        super().__init__(scope, id)
        self.action = Function(
            self,
            "Action",
            runtime=runtime,
            lane=lane,
            handler="incidentio.mitigate.actions.handler.handler",
            description=f"What playbook {playbook.name} does to its targets",
            environment={"PLAYBOOK": playbook.name} | ({"OUTBOUND": outbound} if outbound else {}),
            timeout=Duration.seconds(action_timeout(playbook)),
        )
        iam.PermissionsBoundary.of(self.action.role).apply(limits)
        self._declared(_declared_by(playbook), playbook)
        functions = [control.function_arn, self.action.function.function_arn]
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        role.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=functions))
        definition = compile_playbook(playbook, control_arn=functions[0], action_arn=functions[1], pace=pace)
        self.machine = stepfunctions.StateMachine(
            self,
            "Machine",
            state_machine_name=f"{runtime.stack_prefix}-{playbook.name}",
            definition_body=stepfunctions.DefinitionBody.from_string(
                Stack.of(self).to_json_string(_in_our_partition(definition))
            ),
            role=role,
            tracing_enabled=True,
            logs=stepfunctions.LogOptions(
                destination=log_group,
                level=stepfunctions.LogLevel.ERROR,
                include_execution_data=False,
            ),
        )
        acknowledge(
            self.machine,
            {"SF1": "Only errors are logged: every step is a timeline entry already, and input may hold task tokens."},
        )
        accept_wildcards(role, ["*"], because="X-Ray and log delivery know no resource.")

    def _declared(self, statements: Sequence[Statement], playbook: Playbook) -> None:
        for statement in statements:
            self.action.allow(
                *statement.actions,
                on=statement.resources,
                when=statement.conditions,
                because=f"{playbook.name} takes its target from the incident, its gates decide on it, and what "
                "carries the system tag is denied.",
            )
        for each in denied(statements, only_allowed=playbook.targets.only_allowed):
            self.action.role.add_to_policy(iam.PolicyStatement.from_json(each))


def _in_our_partition(definition: Mapping[str, Any]) -> dict[str, Any]:
    """`definition`, or a branch of it, with the integrations its tasks name in the partition it is deployed to."""
    return {**definition, "States": {name: _moved(state) for name, state in definition["States"].items()}}


def _moved(state: Mapping[str, Any]) -> dict[str, Any]:
    if "Branches" in state:
        return {**state, "Branches": [_in_our_partition(branch) for branch in state["Branches"]]}
    if "Resource" in state:
        return {**state, "Resource": str(state["Resource"]).replace("arn:aws:", f"arn:{Aws.PARTITION}:", 1)}
    return dict(state)
