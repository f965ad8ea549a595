"""The API names its fields; a person typed options."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from incidentio.cli.errors import CallRefusedError


@contextmanager
def as_typed(options: Mapping[str, str]) -> Iterator[None]:
    """Within this, a refusal speaks of options (`--starts`) where the API speaks of fields (`starts_at`)."""
    try:
        yield
    except CallRefusedError as error:
        words = "|".join(map(re.escape, options))
        message = re.sub(rf"\b({words})\b", lambda found: options[found[1]], error.message)
        raise CallRefusedError(
            message, status=error.status, error_code=error.error_code, details=error.details
        ) from None
