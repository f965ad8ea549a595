"""Which alarms count as attached to the signal topic, before anything is deployed."""

from collections.abc import Callable

from incidentio.core.alarm import Alarm
from incidentio.core.errors import InvalidInput

Attached = Callable[[Alarm], bool]


def attached_by(choice: str) -> Attached:
    """`actions`: alarms that notify some SNS topic today; `all`; `none`; or an SNS topic's ARN.

    Raises:
        InvalidInput: none of these.
    """
    if choice == "all":
        return lambda _: True
    if choice == "none":
        return lambda _: False
    if choice == "actions":
        return lambda alarm: alarm.actions_enabled and any(":sns:" in action for action in alarm.actions)
    if choice.startswith("arn:") and ":sns:" in choice:
        return lambda alarm: alarm.actions_enabled and choice in alarm.actions
    raise InvalidInput(f"--attached {choice[:80]!r}: use actions, all, none, or the ARN of an SNS topic")
