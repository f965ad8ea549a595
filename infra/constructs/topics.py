"""Topics: where signals come in, and where people are told."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.constructs.function import Function


class Topic(sns.Topic):
    """Encrypted, TLS only. Only this account's identities with sns:Publish may publish, and services let in by name."""

    def __init__(self, scope: Construct, id: str, *, key: kms.IKey, display_name: str) -> None:
        super().__init__(scope, id, master_key=key, enforce_ssl=True, display_name=display_name)

    def accept(self, service: str, *, sources: Mapping[str, Any] | None = None) -> None:
        """Let an AWS service publish on behalf of this account; `sources` narrows it by ARN."""
        conditions: dict[str, Any] = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        self.add_to_resource_policy(
            iam.PolicyStatement(
                sid="From" + service.split(".", maxsplit=1)[0].capitalize(),
                principals=[iam.ServicePrincipal(service)],
                actions=["sns:Publish"],
                resources=[self.topic_arn],
                conditions={**conditions, **(sources or {})},
            )
        )

    def accept_alarms(self) -> None:
        """Let CloudWatch alarms of this account publish, from any Region it may send from."""
        arns = f"arn:{Aws.PARTITION}:cloudwatch:*:{Aws.ACCOUNT_ID}:alarm:*"
        self.accept("cloudwatch.amazonaws.com", sources={"ArnLike": {"aws:SourceArn": arns}})

    def published_by(self, function: Function) -> None:
        """Let `function` publish here."""
        function.allow("sns:Publish", on=[self.topic_arn])


class Telling(Construct):
    """The page, ticket, test and watchdog topics. None of our code serves the watchdog topic.

    A first person, where an address is given, gets pages and watchdog alarms.
    """

    def __init__(self, scope: Construct, id: str, *, key: kms.IKey, page_email: str | None) -> None:
        super().__init__(scope, id)
        self.page = Topic(self, "Page", key=key, display_name="incidentio pages")
        self.ticket = Topic(self, "Ticket", key=key, display_name="incidentio tickets")
        self.test = Topic(self, "Test", key=key, display_name="incidentio drills and tests")
        self.watchdog = Topic(self, "Watchdog", key=key, display_name="incidentio watchdog")
        self.watchdog.accept_alarms()
        if page_email:
            for topic in (self.page, self.watchdog):
                subscription = topic.add_subscription(subscriptions.EmailSubscription(page_email))
                # A later deployment that names nobody must not take away the one who is paged.
                subscription.apply_removal_policy(RemovalPolicy.RETAIN)
