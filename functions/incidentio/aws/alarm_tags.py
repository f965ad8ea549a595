"""CloudWatch's tags of an alarm."""

from typing import Any

from incidentio.aws.errors import translated


class CloudWatchTags:
    """Reads with `cloudwatch:ListTagsForResource`; the client's own retries ride out throttling."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def tags_of(self, alarm_arn: str) -> dict[str, str]:
        """Tag key → value.

        Raises:
            NotFound: the alarm is gone. Forbidden: it may not be read. Unavailable: try again later.
        """
        with translated(f"reading the tags of {alarm_arn}"):
            answer = self._client.list_tags_for_resource(ResourceARN=alarm_arn)
        return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}
