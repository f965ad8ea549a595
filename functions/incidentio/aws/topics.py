"""SNS topics, chosen by name."""

from collections.abc import Mapping
from typing import Any

from incidentio.aws.errors import translated


class SnsTopics:
    """`arns`: name of a topic → its ARN."""

    def __init__(self, client: Any, arns: Mapping[str, str]) -> None:
        self._client = client
        self._arns = dict(arns)

    def publish(self, channel: str, *, subject: str, body: str, attributes: Mapping[str, str]) -> str:
        """Publish one message and return SNS's message id.

        Subject (ASCII, one line, at most 100 characters) and size (256 KB with attributes) are SNS's limits:
        https://docs.aws.amazon.com/sns/latest/api/API_Publish.html

        Raises:
            NotFound, Forbidden, InvalidInput: SNS refused it. Unavailable: it may or may not have been accepted.
        """
        with translated(f"publishing to the {channel} topic"):
            answer = self._client.publish(
                TopicArn=self._arns[channel],
                Subject=subject,
                Message=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
                },
            )
        return str(answer["MessageId"])
