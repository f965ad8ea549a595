"""The catalogue and playbooks that `--direct` judges by: those of this checkout, as they would be deployed."""

from incidentio.cli.deployment import Deployment
from incidentio.core.catalog import Bundle, load_bundle


def bundle_of(deployment: Deployment) -> Bundle:
    """Configuration for `deployment`."""
    del deployment
    return load_bundle()
