"""Waiting for others: a plain write that meets a transaction, and reads that DynamoDB puts off.

DynamoDB refuses both at once, and the SDK does not try again. Left to the queue, a page would wait for the
visibility timeout because two doors brought the same alarm at the same moment.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
"""

import random
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from incidentio.aws.errors import error_code

TRIES = 6
Pause = Callable[[float], None]


def patiently(pause: Pause, call: Callable[..., dict[str, Any]], arguments: dict[str, Any]) -> dict[str, Any]:
    """`call(**arguments)`, again while a transaction holds the item: 0.4 s in all on average.

    Raises:
        ClientError: whatever else it is; and the conflict when it lasts.
    """
    for wait in waits():
        try:
            return call(**arguments)
        except ClientError as error:
            if error_code(error) != "TransactionConflictException":
                raise
            pause(wait)
    return call(**arguments)


def waits() -> Iterator[float]:
    """Seconds before each further try, jittered."""
    for attempt in range(1, TRIES):
        yield random.uniform(0, 0.025 * 2**attempt)  # noqa: S311 - jitter, not a secret
