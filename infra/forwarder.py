"""The second stack: what happens in another account or Region, sent on to the signals bus of the central one."""

from aws_cdk import Duration, IStackSynthesizer, Stack, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from incidentio.mitigate.actions.action import SYSTEM_TAG
from infra.constructs.acknowledged import LINT, acknowledge
from infra.constructs.queues import accept_rules
from infra.constructs.sources import families


class ForwarderStack(Stack):
    """A rule for each family of sources, whose target is the signals bus `bus_arn`.

    Events keep their account and Region, so what has the same name here and there stays apart. There is no function,
    no key and no table: it costs nothing while nothing happens but one alarm.
    """

    def __init__(
        self, scope: Construct, *, stack_name: str, bus_arn: str, synthesizer: IStackSynthesizer | None = None
    ) -> None:
        super().__init__(
            scope,
            f"{stack_name}-forwarder",
            description="incidentio: forwards alarms, failures and changes to the central signals bus",
            synthesizer=synthesizer,
        )
        self.template_options.metadata = LINT
        Tags.of(self).add(SYSTEM_TAG, stack_name)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
            description="incidentio: put events on the central signals bus",
        )
        role.add_to_policy(iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus_arn]))
        self.dead_letters = self._dead_letters()
        for family, (description, pattern) in families(stack_name).items():
            rule = events.CfnRule(
                self,
                family,
                description=description,
                event_pattern=pattern,
                targets=[
                    events.CfnRule.TargetProperty(
                        id="SignalsBus",
                        arn=bus_arn,
                        role_arn=role.role_arn,
                        dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self.dead_letters.queue_arn),
                    )
                ],
            )
            # A target whose role may not yet put is refused when the rule is made.
            rule.node.add_dependency(role)

    def _dead_letters(self) -> sqs.Queue:
        """What the central bus does not take within 24 hours."""
        queue = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        accept_rules(queue)
        acknowledge(queue, {"SQS3": "It holds what could not be forwarded; its depth raises an alarm."})
        cloudwatch.Alarm(
            self,
            "NotForwarded",
            # Not under the stack's own name, whose alarms stay here: this one is for the central incidents as well.
            alarm_name=f"not-forwarded-by-{self.stack_name}",
            alarm_description="Events could not be sent to the central signals bus: look at this stack's dead letters.",
            metric=queue.metric_approximate_number_of_messages_visible(statistic="Maximum", period=Duration.minutes(1)),
            threshold=0,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        return queue
