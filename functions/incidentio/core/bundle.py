"""The catalogue and the playbooks of one deployment, as one document in the asset."""

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from incidentio.core.catalog import BUNDLE_PATH, Catalog
from incidentio.core.playbook import Playbook


class Bundle(BaseModel):
    """What the functions know of their team."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    catalog: Catalog = Field(default_factory=Catalog)
    playbooks: dict[str, Playbook] = Field(default_factory=dict)


@cache
def load_bundle(path: Path = BUNDLE_PATH) -> Bundle:
    """The bundle of this deployment, read once per process; the empty defaults where none was built."""
    return Bundle.model_validate_json(path.read_bytes()) if path.exists() else Bundle()
