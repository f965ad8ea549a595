"""Several writes of the table, all or none: again while they only meet other writers, else which one was refused."""

from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from incidentio.aws.attributes import from_item
from incidentio.aws.contention import Pause, waits
from incidentio.aws.errors import error_code, translated
from incidentio.core.errors import Unavailable

_LIMIT = 100
_CONFLICTS = 3  # tries more, before whoever asked reads again


class Cancelled(Exception):
    """`index` of the first refused operation and its stored item; None when it only met other writers."""

    def __init__(self, index: int | None, item: dict[str, Any] | None) -> None:
        super().__init__(index)
        self.index = index
        self.item = item


def transact(client: Any, operations: list[dict[str, Any]], *, pause: Pause) -> None:
    """Write all of `operations` (as TransactWriteItems takes them) or none.

    Raises:
        Cancelled: one was refused, or others were writing each time.
        Unavailable: DynamoDB was in trouble.
    """
    if len(operations) > _LIMIT:
        raise ValueError(f"{len(operations)} writes in one transaction: at most {_LIMIT}")
    for wait in (*islice(waits(), _CONFLICTS), None):
        try:
            client.transact_write_items(TransactItems=operations)
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, BotoCoreError) or error_code(error) != "TransactionCanceledException":
                with translated("writing a transaction"):
                    raise
            cancelled = _why(error)
            only_met_others = isinstance(cancelled, Cancelled) and cancelled.index is None
            if wait is None or not only_met_others:
                raise cancelled from None
            pause(wait)
        else:
            return


def _why(error: ClientError) -> Exception:
    reasons = error.response.get("CancellationReasons", [])
    for index, reason in enumerate(reasons):
        if reason.get("Code") == "ConditionalCheckFailed":
            return Cancelled(index, from_item(reason["Item"]) if reason.get("Item") else None)
    codes = {reason.get("Code") for reason in reasons} - {"None", None}
    if codes <= {"TransactionConflict"}:
        return Cancelled(None, None)
    return Unavailable(f"writing a transaction: {', '.join(sorted(map(str, codes)))}")
