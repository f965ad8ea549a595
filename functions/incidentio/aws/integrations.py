"""Integrations as the HTTP door sees them: two kinds of row, and nothing else of the table."""

from typing import Any

from incidentio.aws.attributes import from_item, to_item
from incidentio.aws.errors import translated
from incidentio.core.integration import PARTITION, USED, Integration


class IntegrationRows:
    """Implements `core.integration.Integrations`; reads are consistent, so that what is revoked is revoked."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def find(self, name: str) -> Integration | None:
        key = to_item({"pk": PARTITION, "sk": name})
        with translated("reading an integration"):
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return Integration.model_validate(from_item(answer["Item"])) if "Item" in answer else None

    def used(self, name: str, day: str) -> None:
        item = to_item({"pk": USED, "sk": name, "used_on": day})
        with translated("writing the day of use"):
            self._client.put_item(TableName=self._table, Item=item)
