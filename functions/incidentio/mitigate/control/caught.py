"""What a state machine tells of a task that failed: the error's name and its cause."""

import json
import re

_MESSAGE = re.compile(r'"errorMessage": ?"((?:[^"\\]|\\.)*)')


def cause_of(told: str) -> str:
    """For people. A Lambda function's cause is JSON, maybe cut: of that its message; any other text is as it was.

    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    found = _MESSAGE.search(told)
    if found is None:
        return told
    name = told[: found.start()].partition(":")[0]
    try:
        message = json.loads('"' + found[1] + '"')
    except ValueError:
        return told
    return f"{name}: {message}"
