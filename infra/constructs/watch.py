"""Alarms on ourselves, to a topic that none of our code serves. Each is paid for, so each says something of its own."""

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.function import METRICS_NAMESPACE, Function
from infra.constructs.rule import Rule

_OVER = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
_UNDER = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_QUIET = cloudwatch.TreatMissingData.NOT_BREACHING
_LATE_SECONDS = 60
_MISSED = cloudwatch.TreatMissingData.BREACHING


class Watch(Construct):
    """Every alarm's name starts with the stack's, which is how ingest knows to leave it alone."""

    def __init__(self, scope: Construct, id: str, *, topic: sns.ITopic) -> None:
        super().__init__(scope, id)
        self._action = actions.SnsAction(topic)

    def dead_letters(self, queues: Mapping[str, sqs.IQueue]) -> None:
        """Something could not be handled and waits for a person."""
        for name, queue in queues.items():
            self._alarm(
                f"{name}-dead-letters",
                _sqs(queue, "ApproximateNumberOfMessagesVisible"),
                "Messages that could not be handled wait here: `incidentio doctor` says how to go on.",
            )

    def oldest(self, queues: Mapping[str, tuple[sqs.IQueue, Duration]]) -> None:
        """Work waits longer than it should."""
        for name, (queue, limit) in queues.items():
            self._alarm(
                f"{name}-queue-age",
                _sqs(queue, "ApproximateAgeOfOldestMessage"),
                f"The oldest message waits longer than {limit.to_seconds()} s.",
                threshold=limit.to_seconds(),
                periods=2,
            )

    def functions(self, functions: Mapping[str, Function]) -> None:
        """A function fails or is throttled."""
        for name, function in functions.items():
            self._alarm(
                f"{name}-failing",
                cloudwatch.MathExpression(
                    # Who is only throttled sends no Errors, not zero of them: a plain sum would have no value.
                    expression="SUM([FILL(errors, 0), FILL(throttles, 0)])",
                    using_metrics={
                        "errors": _lambda(function, "Errors"),
                        "throttles": _lambda(function, "Throttles"),
                    },
                    label="errors and throttles",
                    period=Duration.minutes(1),
                ),
                f"Function {name} failed or was throttled in 3 of 5 minutes.",
                periods=5,
                breaching=3,
            )

    def dropped(self, functions: Mapping[str, Function]) -> None:
        """Lambda gave up on asynchronous events."""
        for name, function in functions.items():
            self._alarm(
                f"{name}-events-dropped",
                _lambda(function, "AsyncEventsDropped"),
                f"Events for {name} were given up after all tries: they are in the lanes' dead letters.",
            )

    def stream(self, publisher: Function) -> None:
        """Domain events are late."""
        self._alarm(
            "publisher-behind",
            _lambda(publisher, "IteratorAge", statistic="Maximum"),
            "Timeline entries wait longer than a minute to be published.",
            threshold=60_000,
            periods=2,
        )

    def executions(self, recovery: Rule) -> None:
        """Playbook executions ended badly: one metric for all, however many playbooks there are."""
        failed = cloudwatch.Metric(
            namespace="AWS/Events",
            metric_name="TriggeredRules",
            dimensions_map={"RuleName": recovery.name},
            statistic="Sum",
            period=Duration.minutes(1),
        )
        self._alarm("playbook-failed", failed, "A playbook execution failed, timed out or was aborted, or rolled back.")

    def heartbeat(self, sweeper: Function) -> None:
        """The sweep stopped: nothing recovers, repeats or times out any more."""
        self._alarm(
            "sweep-stopped",
            _lambda(sweeper, "Invocations"),
            "The sweep has not run for five minutes.",
            threshold=1,
            periods=5,
            comparison=_UNDER,
            missing=_MISSED,
        )

    def delivery(self, function: Function, *, every: Duration) -> None:
        """Heartbeats stopped coming through, whatever it is that broke; or they are late."""
        arriving = cloudwatch.Metric(
            namespace=METRICS_NAMESPACE,
            metric_name="HeartbeatSeconds",
            dimensions_map={"service": function.lane},
            statistic="Maximum",
            period=every,
        )
        self._alarm(
            "heartbeat-missing",
            arriving,
            "Three heartbeats in a row did not come from the ingest queue to the test topic within a minute.",
            threshold=_LATE_SECONDS,
            periods=3,
            missing=_MISSED,
        )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        description: str,
        *,
        threshold: float = 0,
        periods: int = 1,
        breaching: int | None = None,
        comparison: cloudwatch.ComparisonOperator = _OVER,
        missing: cloudwatch.TreatMissingData = _QUIET,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{Stack.of(self).stack_name}-{name}",
            alarm_description=description,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            datapoints_to_alarm=breaching,
            comparison_operator=comparison,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)


def _sqs(queue: sqs.IQueue, name: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/SQS",
        metric_name=name,
        dimensions_map={"QueueName": queue.queue_name},
        statistic="Maximum",
        period=Duration.minutes(1),
    )


def _lambda(function: Function, name: str, *, statistic: str = "Sum") -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name=name,
        dimensions_map={"FunctionName": function.function.function_name},
        statistic=statistic,
        period=Duration.minutes(1),
    )
