"""Why the door refuses a request."""


class Refusal(Exception):
    """`reason` is counted and logged, `problems` are told to the sender and quote no key, secret or body."""

    def __init__(self, status: int, reason: str, *problems: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.problems = problems


def malformed(*problems: str) -> Refusal:
    """400: the sender has to change what it sends."""
    return Refusal(400, "malformed", *problems)
