"""Stands in for EventBridge schedules under a minute, which neither AWS nor the emulator knows.

On AWS the sweeper's rule fires every minute. Locally the catalogue's waits are seconds, so this process does each
second, for every target of the rule, what EventBridge would do. It ends with the emulator.
"""

import argparse
import json
import sys
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from infra.local.environment import ROOT, aws_environment, local_client
from infra.local.errors import LocalTargetError
from infra.local.state import TargetState

RULE_OUTPUT = "SweepRuleName"
INTERVAL_SECONDS = 1.0


def restart(state: TargetState, *, rule: str | None) -> None:
    """Run the ticker of `rule` in the background, in place of a running one; without a rule there is none."""
    ticker = state.ticker
    ticker.stop()
    if rule is None:
        return
    ticker.start(
        [sys.executable, "-m", "infra.local.ticker", "--port", str(state.port), "--rule", rule, ticker.marker],
        environment=aws_environment(state.port, temporary=state.temporary),
        log=state.ticker_log,
        directory=ROOT,
    )


class Ticker:
    """Sends what the rule's targets would get, once a tick."""

    def __init__(self, *, rule: str, events: Any, functions: Any, queues: Any) -> None:
        self._rule = rule
        self._events = events
        self._functions = functions
        self._queues = queues

    def tick(self, now: datetime) -> None:
        """Serve every target of the rule once; nothing while the rule is disabled."""
        rule = self._events.describe_rule(Name=self._rule)
        if rule["State"] != "ENABLED":
            return
        for target in self._events.list_targets_by_rule(Rule=self._rule)["Targets"]:
            self._serve(target, target.get("Input") or scheduled_event(rule["Arn"], now))

    def _serve(self, target: dict[str, Any], content: str) -> None:
        service, region, account, name = _parts(target["Arn"])
        if service == "lambda":
            # Waits for the answer, which EventBridge does not: a busy machine gets fewer ticks, not a backlog of them.
            self._functions.invoke(FunctionName=target["Arn"], Payload=content.encode())
        elif service == "sqs":
            group = target.get("SqsParameters", {})
            url = self._queues.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
            self._queues.send_message(QueueUrl=url, MessageBody=content, **group)
        else:
            raise LocalTargetError(f"the ticker serves Lambda functions and SQS queues, not {service} in {region}")


def scheduled_event(rule_arn: str, now: datetime) -> str:
    """Return the event a schedule sends when its target has no input of its own."""
    account, region = rule_arn.split(":")[4], rule_arn.split(":")[3]
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": account,
            "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": region,
            "resources": [rule_arn],
            "detail": {},
        }
    )


def _parts(arn: str) -> tuple[str, str, str, str]:
    _, _, service, region, account, name = arn.split(":", 5)
    return service, region, account, name


def run(ticker: Ticker) -> None:
    """Tick until the emulator is gone."""
    due = time.monotonic()
    while True:
        try:
            ticker.tick(datetime.now(UTC))
        except EndpointConnectionError:
            return
        except (BotoCoreError, ClientError) as error:
            print(f"tick failed: {error}", flush=True)
        due = max(due + INTERVAL_SECONDS, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


def main() -> None:
    """Run as a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rule", required=True)
    parser.add_argument("marker")
    options = parser.parse_args()
    run(
        Ticker(
            rule=options.rule,
            events=local_client("events", options.port),
            functions=local_client("lambda", options.port),
            queues=local_client("sqs", options.port),
        )
    )


if __name__ == "__main__":
    main()
