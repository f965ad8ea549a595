"""Parameters every list takes."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

MAX_PAGE = 200

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=4096, description="`next` of the page before, unchanged.")]
NextAlias = Annotated[str | None, Query(max_length=4096, description="Another name for `cursor`.")]


def cursor_of(cursor: str | None, next: str | None) -> str | None:  # noqa: A002
    return cursor or next or None
