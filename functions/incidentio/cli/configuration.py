"""The catalogue and playbooks that `--direct` judges by."""

from incidentio.cli.deployment import Deployment
from incidentio.core.bundle import Bundle, load_bundle
from infra.documents import load_bundle as read_yaml
from infra.local.environment import ROOT


def bundle_of(deployment: Deployment) -> Bundle:
    """What a local target was deployed with; for a deployment on AWS, the YAML of this checkout.

    Raises:
        InvalidInput: the YAML is wrong, each mistake with file and line.
    """
    if deployment.bundle is not None:
        return load_bundle(deployment.bundle)
    return read_yaml(ROOT / "infra" / "catalog", ROOT / "playbooks")
