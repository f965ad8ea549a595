"""Identifiers people say aloud: `INC-` and six Crockford base32 characters."""

import re
import secrets
from base64 import b32encode
from datetime import UTC, datetime
from hashlib import sha256

from incidentio.core.errors import InvalidInput

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FROM_RFC4648 = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", _CROCKFORD)
_SPOKEN = str.maketrans({"O": "0", "I": "1", "L": "1"})
_INCIDENT_ID = re.compile(r"INC-[0-9A-HJKMNP-TV-Z]{6}")


def random_base32(length: int) -> str:
    """`length` random Crockford base32 characters (5 bits each) from the system's CSPRNG."""
    return "".join(secrets.choice(_CROCKFORD) for _ in range(length))


def base32_of(seed: str, length: int) -> str:
    """`length` Crockford base32 characters (at most 52) that are the same each time for one `seed`."""
    letters = b32encode(sha256(seed.encode()).digest()).decode()[:length]
    return letters.translate(_FROM_RFC4648)


def new_incident_id() -> str:
    """A candidate id; uniqueness comes from the conditional create, not from luck."""
    return f"INC-{random_base32(6)}"


def parse_incident_id(text: str) -> str:
    """Canonical id from what a person typed: lower case, and O/I/L heard for 0/1/1.

    Raises:
        InvalidInput: the text is not an incident id.
    """
    upper = text.strip().upper()
    if upper.startswith("INC-"):
        candidate = "INC-" + upper[4:].translate(_SPOKEN)
        if _INCIDENT_ID.fullmatch(candidate):
            return candidate
    raise InvalidInput(f"{text[:40]!r} is not an incident id: expected INC- and six characters, such as INC-7K3F9A")


def iso(at: datetime) -> str:
    """UTC ISO 8601 with milliseconds and `Z`: sorts as text in the order of time."""
    return at.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def moment(at: datetime) -> str:
    """As people read it, in UTC and to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
