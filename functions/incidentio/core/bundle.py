"""The catalogue and the playbooks of one deployment, as one document in the asset."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from incidentio.core.catalog import BUNDLE_PATH, Catalog, load_catalog

if TYPE_CHECKING:
    from incidentio.core.playbook import Playbook


@dataclass(frozen=True)
class Bundle:
    """What the functions know of their team."""

    catalog: Catalog = field(default_factory=Catalog)
    playbooks: "Mapping[str, Playbook]" = field(default_factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Bundle":
        """From plain data, as `document` gives it; each playbook is read when somebody asks for it."""
        return cls(Catalog.model_validate(document.get("catalog", {})), _Playbooks(document.get("playbooks", {})))

    def document(self) -> dict[str, Any]:
        """Plain data that can be JSON."""
        return {
            "catalog": self.catalog.model_dump(mode="json", by_alias=True),
            "playbooks": {name: book.model_dump(mode="json", by_alias=True) for name, book in self.playbooks.items()},
        }


class _Playbooks(Mapping[str, "Playbook"]):
    """Reads each when it is asked for: most events are about none or one of them."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        self._documents = documents
        self._read: dict[str, Playbook] = {}

    def __getitem__(self, name: str) -> "Playbook":
        if name not in self._read:
            from incidentio.core.playbook import Playbook  # noqa: PLC0415 - as above

            self._read[name] = Playbook.model_validate(self._documents[name])
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._documents

    def __iter__(self) -> Iterator[str]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)


@cache
def load_bundle(path: Path = BUNDLE_PATH) -> Bundle:
    """The bundle of this deployment, read once per process; the empty defaults where none was built."""
    if not path.exists():
        return Bundle()
    return Bundle(load_catalog(path), _Playbooks(json.loads(path.read_bytes())["playbooks"]))
