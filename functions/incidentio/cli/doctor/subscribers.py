"""Is anybody told? Topics with nobody behind them are the quietest way to miss an incident."""

from collections.abc import Iterator, Mapping
from typing import Any

from incidentio.cli.doctor.finding import Finding, Verdict

# Name in the report, stack output, and how bad it is when nobody listens.
_TOPICS: tuple[tuple[str, str, Verdict], ...] = (
    ("pages", "PageTopicArn", "fail"),
    ("watchdog", "WatchdogTopicArn", "fail"),
    ("tickets", "TicketTopicArn", "warn"),
)


def check_topics(sns: Any, outputs: Mapping[str, str]) -> Iterator[Finding]:
    """Every topic people must hear has at least one confirmed subscriber.

    An unconfirmed one has the word PendingConfirmation for an ARN, or an attribute that says so:
    https://docs.aws.amazon.com/sns/latest/api/API_GetSubscriptionAttributes.html
    """
    for name, output, verdict in _TOPICS:
        if arn := outputs.get(output):
            subscriptions = list(_subscriptions(sns, arn))
            confirmed = [s for s in subscriptions if _is_confirmed(sns, s["SubscriptionArn"])]
            yield _topic(name, arn, confirmed, len(subscriptions) - len(confirmed), verdict)


def _topic(name: str, arn: str, confirmed: list[dict[str, Any]], pending: int, verdict: Verdict) -> Finding:
    unconfirmed = f", {pending} not confirmed yet" if pending else ""
    if confirmed:
        protocols = ", ".join(sorted({s["Protocol"] for s in confirmed}))
        return Finding(name, "ok", f"{len(confirmed)} subscribed ({protocols}){unconfirmed}")
    remedy = (
        "open the confirmation link in the mail that AWS sent"
        if pending
        else f"aws sns subscribe --topic-arn {arn} --protocol email --notification-endpoint YOU@EXAMPLE.COM"
    )
    return Finding(name, verdict, f"nobody is subscribed{unconfirmed}", remedy)


def _is_confirmed(sns: Any, subscription: str) -> bool:
    if not subscription.startswith("arn:"):
        return False
    attributes = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    return str(attributes.get("PendingConfirmation", "false")) == "false"


def _subscriptions(sns: Any, arn: str) -> Iterator[dict[str, Any]]:
    for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn):
        yield from page["Subscriptions"]
