"""The contract of an alarm whose action is our ingest function: CloudWatch invokes it without a topic in between.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
"""

from collections.abc import Mapping
from typing import Any

from incidentio.core.attachment import INVOKED, Attachment
from incidentio.core.signal import Mode
from incidentio.ingest.contracts.alarm_contributor import read as read_contributor
from incidentio.ingest.contracts.cloudwatch import read_event
from incidentio.ingest.observation import Ignored, Observation, object_field


def read_invocation(document: Mapping[str, Any], attachment: Attachment) -> Observation | Ignored:
    """One state change, which is told in the words of an event.

    Raises:
        Unreadable: a field that every alarm has is missing or wrong.
    """
    data = object_field(document, "alarmData")
    event = {
        "source": document.get("source"),
        "resources": [document.get("alarmArn")],
        "detail": data,
        "incidentio": {"mode": Mode.LIVE, "reason": INVOKED},
    }
    return (read_contributor if "alarmContributor" in data else read_event)(event, attachment)
