"""Text people send: refused when too long, redacted before it goes anywhere."""

from incidentio.core.errors import InvalidInput, TooLarge
from incidentio.core.redaction import redact

NOTE_LIMIT = 4096
MARKDOWN_LIMIT = 512 * 1024
MAX_TITLE = 200


def note(text: str, *, field: str = "note", limit: int = NOTE_LIMIT) -> str:
    """`text` redacted, line feeds kept.

    Raises:
        TooLarge: more than `limit` bytes of UTF-8.
    """
    refuse_over(text, field=field, limit=limit)
    return redact(text.strip(), limit=2 * limit, multiline=True)


def refuse_over(text: str, *, field: str, limit: int) -> None:
    """Raises: TooLarge."""
    actual = len(text.encode())
    if actual > limit:
        raise TooLarge(f"{field} has {actual} bytes: at most {limit} are kept", field=field, limit=limit, actual=actual)


def required(text: str, *, field: str) -> str:
    """The same, and there must be something to read.

    Raises:
        InvalidInput: nothing but blanks.
    """
    cleaned = note(text, field=field)
    if not cleaned:
        raise InvalidInput(f"{field} must say something: it is what people read later", field=field)
    return cleaned


def title(text: str) -> str:
    cleaned = redact(text, limit=4 * MAX_TITLE)[:MAX_TITLE].strip()
    if not cleaned:
        raise InvalidInput("title must have something to read in it", field="title")
    return cleaned
