"""What a person should know of the matchers just written: a misspelt label silences nothing, and nobody notices."""

from collections.abc import Iterable

from incidentio.cli import output
from incidentio.core.labels import EVERYWHERE, usual
from incidentio.core.matchers import parse_matcher


def note_unusual(matchers: Iterable[str]) -> None:
    """Say which labels only a rule or a sender gives an incident."""
    for label in dict.fromkeys(parse_matcher(text).label for text in matchers):
        if not usual(label):
            output.say(
                f"note: {label} is a label only where a rule or a sender sets it; every incident has "
                f"{', '.join(EVERYWHERE)} and dim_<DimensionName>"
            )
