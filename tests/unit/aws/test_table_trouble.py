"""What the network does to a transaction is trouble that may pass, like everything else it does."""

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from incidentio.aws.table import DynamoTable
from incidentio.core.errors import Unavailable
from incidentio.core.ports import Key, Put, Record
from incidentio.core.routing import Routing


class Unreachable:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def transact_write_items(self, **_: Any) -> None:
        raise self._error


@pytest.mark.parametrize("error", [ReadTimeoutError(endpoint_url="x"), ConnectTimeoutError(endpoint_url="x")])
def test_a_transaction_that_does_not_get_through_is_unavailable(error: Exception) -> None:
    table = DynamoTable(Unreachable(error), "table", Routing())
    with pytest.raises(Unavailable, match="TimeoutError"):
        table.write(Put(Record(Key("a", "b"), {})), Put(Record(Key("a", "c"), {})))
