"""`incidentio doctor`: every check in turn, each as one line with what to do."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime

import click
from botocore.exceptions import BotoCoreError, ClientError

from incidentio.aws.table import DynamoTable
from incidentio.cli import output
from incidentio.cli.doctor.alarms import check_alarms
from incidentio.cli.doctor.finding import Finding, sound
from incidentio.cli.doctor.heartbeat import check_delivery, check_heartbeats
from incidentio.cli.doctor.queues import check_dead_letters
from incidentio.cli.doctor.rehearsals import check_rehearsals
from incidentio.cli.doctor.subscribers import check_topics
from incidentio.cli.doctor.switches import check_switches
from incidentio.cli.shell import Leaf, Shell, pass_shell
from incidentio.core.errors import IncidentioError
from incidentio.core.routing import Routing

OUTPUTS = (
    "ApiUrl", "SignalTopicArn", "IngestQueueUrl", "IngestDlqUrl", "EventBusName", "SignalsBusName", "TableName",
    "ArchiveBucketName", "PageTopicArn", "TicketTopicArn", "TestTopicArn", "WatchdogTopicArn", "SweepRuleName",
    "KillSwitchParameterName", "OutboxDlqUrl", "LaneDlqUrl", "CommunicateQueueUrl", "CommunicateDlqUrl",
    "SignalFunctionArn",
)  # fmt: skip
Check = Callable[[], Iterable[Finding]]


@click.command(cls=Leaf)
@pass_shell
def doctor(shell: Shell) -> None:
    """Check a deployment; exits 1 until it is sound."""
    findings = list(examine(shell))
    if shell.as_json:
        output.emit_json({"sound": sound(findings), "findings": [asdict(finding) for finding in findings]})
    else:
        output.emit_table(
            ["", "check", "found"],
            [(f.verdict, f.check, f.what + (f" → {f.remedy}" if f.remedy else "")) for f in findings],
            empty="nothing to check",
        )
    if not sound(findings):
        raise click.exceptions.Exit(1)


def examine(shell: Shell, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Finding]:
    """Run every check; one that cannot be made is a failure that says why."""
    deployment = shell.deployment
    outputs = deployment.outputs
    missing = [name for name in OUTPUTS if name not in outputs]
    if missing:
        yield Finding("deployment", "fail", f"{deployment.found} lacks {', '.join(missing)}", "deploy this version")
        return
    yield Finding("deployment", "ok", f"{deployment.found}, {len(outputs)} outputs")
    client = deployment.client
    table = DynamoTable(client("dynamodb"), outputs["TableName"], Routing())
    stack = outputs["KillSwitchParameterName"].split("/")[1]
    checks: dict[str, Check] = {
        "api": lambda: _check_api(shell),
        "subscribers": lambda: check_topics(client("sns"), outputs),
        "dead letters": lambda: check_dead_letters(client("sqs"), outputs),
        "sweep": lambda: check_heartbeats(table, now=now(), rule=outputs["SweepRuleName"]),
        "heartbeat": lambda: check_delivery(table, now=now()),
        "alarms": lambda: check_alarms(
            client("cloudwatch"),
            doors=[outputs["SignalTopicArn"], outputs["SignalFunctionArn"]],
            own_prefix=f"{stack}-",
        ),
        "hands-off": lambda: check_switches(shell.api, client("ssm"), parameter=outputs["KillSwitchParameterName"]),
        "rehearsals": lambda: check_rehearsals(shell.api),
    }
    for name, check in checks.items():
        for finding in _made(name, check):
            yield replace(finding, remedy=deployment.pasteable(finding.remedy))


def _check_api(shell: Shell) -> Iterator[Finding]:
    count = len(shell.api.call("GET", "/playbooks")["items"])
    yield Finding("api", "ok", f"answers, {count} playbooks")


def _made(name: str, check: Check) -> list[Finding]:
    try:
        return list(check())
    except ClientError as error:
        said = error.response.get("Error", {})
        what = f"cannot be checked: {error.operation_name}: {said.get('Code')}: {said.get('Message')}"
        return [Finding(name, "fail", what, "use a profile that may read this deployment")]
    except (BotoCoreError, IncidentioError) as error:
        return [Finding(name, "fail", str(error))]
