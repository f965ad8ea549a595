"""Is anybody told? Topics with nobody behind them are the quietest way to miss an incident."""

from collections.abc import Iterator, Mapping
from typing import Any

from incidentio.cli.doctor.finding import Finding, Verdict

_PENDING = "PendingConfirmation"
# Name in the report, stack output, and how bad it is when nobody listens.
_TOPICS: tuple[tuple[str, str, Verdict], ...] = (
    ("pages", "PageTopicArn", "fail"),
    ("watchdog", "WatchdogTopicArn", "fail"),
    ("tickets", "TicketTopicArn", "warn"),
)


def check_topics(sns: Any, outputs: Mapping[str, str]) -> Iterator[Finding]:
    """Every topic people must hear has at least one confirmed subscriber.

    `SubscriptionArn` is the word PendingConfirmation until the subscriber has confirmed:
    https://docs.aws.amazon.com/sns/latest/api/API_Subscription.html
    """
    for name, output, verdict in _TOPICS:
        if arn := outputs.get(output):
            yield _topic(name, arn, list(_subscriptions(sns, arn)), verdict)


def _topic(name: str, arn: str, subscriptions: list[dict[str, Any]], verdict: Verdict) -> Finding:
    confirmed = [s for s in subscriptions if s["SubscriptionArn"].startswith("arn:")]
    pending = sum(s["SubscriptionArn"] == _PENDING for s in subscriptions)
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


def _subscriptions(sns: Any, arn: str) -> Iterator[dict[str, Any]]:
    for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn):
        yield from page["Subscriptions"]
