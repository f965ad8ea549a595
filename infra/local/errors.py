"""What can go wrong with the local target."""


class LocalTargetError(Exception):
    """The local target cannot do what was asked; the message is one clear line that says what to do."""
