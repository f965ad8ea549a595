"""What somebody may have meant who typed a name that is none."""

from collections.abc import Iterable

_SHOWN = 3


def nearest(typed: str, valid: Iterable[str]) -> str:
    """` (did you mean a, b?)`, with at most three names; empty when none of `valid` is like it."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for an error

    valid = sorted(set(valid))
    inside = [name for name in valid if len(typed) > _SHOWN and typed.lower() in name.lower()]
    close = [*get_close_matches(typed.lower()[:80], valid, n=_SHOWN, cutoff=0.5), *inside]
    shown = list(dict.fromkeys(close))[:_SHOWN]
    return f" (did you mean {', '.join(shown)}?)" if shown else ""


def no_playbook(typed: str, valid: Iterable[str], *, where: str = "", listed: str = "incidentio playbooks list") -> str:
    """The whole sentence: what is not there, what is like it, and how to list them all."""
    valid = sorted(set(valid))
    if not valid:
        return f"there is no playbook {typed[:60]!r}{where}: there is none at all"
    return f"there is no playbook {typed[:60]!r}{where}{nearest(typed, valid)}. List them: {listed}"
