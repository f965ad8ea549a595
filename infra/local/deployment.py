"""Deploys the app to the local target with the CDK CLI, and reads back what it created."""

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.environment import (
    ACCESS_KEY_ID,
    ACCOUNT,
    REGION,
    ROOT,
    SECRET_ACCESS_KEY,
    api_url,
    aws_environment,
    endpoint_url,
    local_client,
)
from infra.local.errors import LocalTargetError
from infra.local.process import wait_until
from infra.local.state import TargetState

CDK = ROOT / "build" / "cdk" / "node_modules" / ".bin" / "cdk"
APP_PYTHON = ROOT / ".venv" / "bin" / "python"
DEFAULT_CATALOG = Path(__file__).parent / "catalog"
ASSET_BUCKET = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
DEFAULT_PACE = 0.1
DEPLOY_SECONDS = 300
_SHOWN_LINES = 8
_AWS_API_URL = re.compile(r"https?://(?P<api>[a-z0-9]+)\.execute-api\.[^/]+/(?P<stage>[^/]+)/?")


class RefusedError(LocalTargetError):
    """CloudFormation could not create or update a resource."""


@dataclass(frozen=True, kw_only=True)
class Deployable:
    """What to deploy: the app, its catalogue folder, further playbook folders, and how long playbooks wait.

    `pace` is a factor on every wait of a playbook: 0.1 makes one that verifies within ten minutes give up after one.
    """

    catalog: Path = DEFAULT_CATALOG
    playbooks: tuple[Path, ...] = ()
    pace: float = DEFAULT_PACE
    app: str = f"{APP_PYTHON} -m infra.app"

    def context(self, state: TargetState) -> list[str]:
        """Return the CDK context options of the app."""
        values = {"local": "true", "catalog": str(self.catalog), "adaptations": str(state.adaptations)}
        values |= {"pace": f"{self.pace:g}", "endpoint": endpoint_url(state.port)}
        if self.playbooks:
            values["playbooks"] = ",".join(str(folder) for folder in self.playbooks)
        return [part for name, value in values.items() for part in ("-c", f"{name}={value}")]


def check_tools() -> None:
    """Raise LocalTargetError when something that a deployment needs is not installed."""
    if shutil.which("node") is None:
        raise LocalTargetError("Node.js is missing: the AWS CDK needs version 20 or newer")
    if not CDK.exists():
        raise LocalTargetError("the AWS CDK CLI is not installed: run `make setup` first")


def deploy(state: TargetState, deployable: Deployable) -> dict[str, Any]:
    """Deploy and return the description of the target (the content of `local.json`)."""
    _create_asset_bucket(state.port)
    _run_cdk(state, deployable)
    return describe(state)


def _create_asset_bucket(port: int) -> None:
    # With the caller's own credentials the CLI needs nothing of the bootstrap stack but this bucket.
    local_client("s3", port).create_bucket(Bucket=ASSET_BUCKET)


def _run_cdk(state: TargetState, deployable: Deployable) -> None:
    state.deploy_log.unlink(missing_ok=True)
    state.stack_outputs.unlink(missing_ok=True)
    deployment = state.deployment
    succeeded = state.folder / "deployed"
    succeeded.unlink(missing_ok=True)
    cdk: list[str] = [
        str(CDK), "deploy", "--all", "--app", deployable.app, "--output", str(state.assembly),
        "--outputs-file", str(state.stack_outputs), "--require-approval", "never", "--method", "direct",
        "--ci", "--no-color", "--progress", "events", "--asset-metadata", "false",
        "--no-notices", "--version-reporting", "false", *deployable.context(state),
    ]  # fmt: skip
    # The shell stays for the exit code; its command line carries the marker.
    command = ["/bin/sh", "-c", '"$@" && : > "$0"', str(succeeded), *cdk, "-c", deployment.marker]
    try:
        deployment.start(
            command,
            environment=aws_environment(state.port, temporary=state.temporary),
            log=state.deploy_log,
            directory=ROOT,
        )
        wait_until(lambda: deployment.pid() is None, seconds=DEPLOY_SECONDS, what="the CDK to deploy")
    finally:
        deployment.stop()
    if not succeeded.exists():
        if state.emulator.pid() is None:
            raise LocalTargetError(f"the emulator ended during the deployment; its log: {state.emulator_log}")
        raise failure(state.deploy_log)


def failure(log: Path) -> LocalTargetError:
    """Return the error that shows why the deployment with this log failed.

    That is what CloudFormation refused, else the last lines, with which a synthesis ends that found a mistake.
    """
    text = log.read_text(errors="replace")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("at ")]
    refused = [line for line in lines if re.search(r"\| (CREATE|UPDATE|DELETE)_FAILED\b", line)]
    cause = "\n".join(refused[:_SHOWN_LINES] or lines[-_SHOWN_LINES:])
    return (RefusedError if refused else LocalTargetError)(f"the deployment failed (its log: {log}):\n{cause}")


def describe(state: TargetState) -> dict[str, Any]:
    """Return what scripts need to know to use the deployed target."""
    stacks: dict[str, dict[str, str]] = json.loads(state.stack_outputs.read_text())
    outputs = {name: value for stack in stacks.values() for name, value in stack.items()}
    for name in ("ApiUrl", "WebhookUrl"):
        if name in outputs:
            outputs[name] = local_api_url(outputs[name], state.port)
    return {
        "endpoint_url": endpoint_url(state.port),
        "region": REGION,
        "account": ACCOUNT,
        "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SECRET_ACCESS_KEY,
        "outputs": outputs,
    }


def local_api_url(url: str, port: int) -> str:
    """Return the loopback address of the API that the template names by its AWS host."""
    found = _AWS_API_URL.fullmatch(url)
    if found is None:
        raise LocalTargetError(f"this stack output is no API Gateway address: {url}")
    return api_url(endpoint_url(port), found["api"], found["stage"])


def applied_adaptations(state: TargetState) -> Sequence[str]:
    """Return what the app left out or changed for this target, one line each."""
    if not state.adaptations.exists():
        return ()
    lines: list[str] = json.loads(state.adaptations.read_text())
    return lines
