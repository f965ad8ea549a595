"""Which deployment a command talks to, and with whose credentials."""

import json
import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from incidentio.cli.errors import NoDeploymentError, NoRegionError
from infra.local.environment import local_client
from infra.local.state import newest_up

STACK = "incidentio"
API_URL_VARIABLE = "INCIDENTIO_API_URL"
LOCAL_FILE = Path(".incidentio") / "local.json"
_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4})
_AWS_COMMAND = re.compile(r"\baws (?=[a-z0-9-]+ [a-z0-9-]+ --)")
_API_HOST = re.compile(r"[a-z0-9]+\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the caller asked for; None where nothing was said."""

    endpoint: str | None = None
    local: Path | None = None
    profile: str | None = None
    region: str | None = None
    stack: str | None = None


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One deployment. `found` says in words how it was found; `remedy` what to do when it does not answer."""

    found: str
    remedy: str
    region: str
    client: Callable[[str], Any]
    credentials: Callable[[], Credentials]
    read_outputs: Callable[[], Mapping[str, str]]
    aws: str = "aws"
    """How the AWS command line is started to talk to it."""
    endpoint: str | None = None
    is_local: bool = False
    bundle: Path | None = None
    """The configuration it was deployed with, where this machine has it."""

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The stack outputs. Raises NoDeploymentError."""
        return self.read_outputs()

    @property
    def api_url(self) -> str:
        """The address of the API, without a slash at its end. Raises NoDeploymentError."""
        return (self.endpoint or self.output("ApiUrl")).rstrip("/")

    @property
    def account(self) -> str | None:
        """The AWS account, as the ARNs of the stack name it; None where no stack is looked at. Raises as `outputs`."""
        if self.endpoint or self.is_local:
            return None
        arns = (value.split(":") for name, value in self.outputs.items() if name.endswith("Arn"))
        return next((parts[4] for parts in arns if parts[4:5]), None)

    def pasteable(self, text: str) -> str:
        """`text` with its `aws` commands going to this deployment."""
        given = f" --region {self.region}"
        # Whole words: not where a Region's name begins another.
        once = re.compile(f"(?<!{re.escape(self.aws.removesuffix(given))}){re.escape(given)}(?![a-z0-9-])")
        told = _AWS_COMMAND.sub(lambda _: f"{self.aws} ", text)
        return once.sub("", told) if self.aws.endswith(given) else told

    def output(self, name: str) -> str:
        """One stack output. Raises NoDeploymentError when the stack does not have it."""
        value = self.outputs.get(name)
        if value is None:
            raise NoDeploymentError(f"{self.found} has no output {name}: deploy this version of incidentio again")
        return value


def discover(choice: Choice, *, directory: Path, environment: Mapping[str, str] = os.environ) -> Deployment:
    """Find the deployment: explicit options, then INCIDENTIO_API_URL, then a local target, then the AWS account.

    Raises:
        NoDeploymentError: a named file cannot be read.
    """
    if choice.local:
        return _local(choice.local)
    if endpoint := choice.endpoint:
        return _on_aws(choice, environment, endpoint=endpoint, found=f"the API at {endpoint}")
    if choice.stack or choice.profile or choice.region:
        return _on_aws(choice, environment)
    if endpoint := environment.get(API_URL_VARIABLE):
        return _on_aws(choice, environment, endpoint=endpoint, found=f"the API at {endpoint} ({API_URL_VARIABLE})")
    if described := _described_near(directory):
        return _local(described)
    return _on_aws(choice, environment)


def _described_near(directory: Path) -> Path | None:
    for folder in (directory, *directory.parents):
        if (folder / LOCAL_FILE).is_file():
            return folder / LOCAL_FILE
        # Whoever started a target here does not mean AWS, whatever became of the file.
        if running := newest_up((folder / LOCAL_FILE).parent.resolve()):
            return running.description
    return None


def _local(path: Path) -> Deployment:
    try:
        described = json.loads(path.read_text())
        url = urlsplit(described["endpoint_url"])
        keys = {name: str(described[name]) for name in ("access_key_id", "secret_access_key")}
        outputs, port, region = dict(described["outputs"]), int(url.port or 80), str(described["region"])
    except FileNotFoundError as error:
        raise NoDeploymentError(
            f"there is no file {path}: `incidentio local up` starts a target and says where its local.json is"
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoDeploymentError(f"{path} does not describe a local target: {type(error).__name__}: {error}") from error
    return Deployment(
        found=f"the local target on port {port} ({path})",
        remedy=f"start it again with `incidentio local up --port {port}`, or `incidentio local down --port {port}`",
        region=region,
        client=lambda service: local_client(service, port, **keys),
        credentials=lambda: Credentials(keys["access_key_id"], keys["secret_access_key"]),
        read_outputs=lambda: outputs,
        aws=(
            f"AWS_ACCESS_KEY_ID={keys['access_key_id']} AWS_SECRET_ACCESS_KEY={keys['secret_access_key']} "
            f"aws --endpoint-url {described['endpoint_url']} --region {region}"
        ),
        is_local=True,
        bundle=_deployed_bundle(path, port),
    )


def _deployed_bundle(path: Path, port: int) -> Path | None:
    assemblies = (path.parent / "cdk.out", path.parent / str(port) / "cdk.out")
    found = [bundle for assembly in assemblies for bundle in assembly.glob("asset.*/incidentio/bundle.json")]
    return max(found, key=lambda bundle: bundle.stat().st_mtime, default=None)


def _on_aws(
    choice: Choice, environment: Mapping[str, str], *, endpoint: str | None = None, found: str | None = None
) -> Deployment:
    stack = choice.stack or STACK
    host = _API_HOST.fullmatch(urlsplit(endpoint or "").hostname or "")
    try:
        session = boto3.Session(profile_name=choice.profile, region_name=choice.region)
    except BotoCoreError as error:
        raise NoDeploymentError(str(error)) from error
    # boto3 reads AWS_DEFAULT_REGION only; every other AWS tool reads AWS_REGION first.
    of_host = host["region"] if host else None
    region = choice.region or of_host or environment.get("AWS_REGION") or session.region_name
    if region is None:
        raise NoRegionError("no AWS Region: pass --region, set AWS_REGION, or start a local target")

    def credentials() -> Credentials:
        if (given := session.get_credentials()) is None:
            raise NoDeploymentError("no AWS credentials: set AWS_PROFILE or pass --profile (or run `aws sso login`)")
        return given

    def client(service: str) -> Any:
        credentials()
        return session.client(service, region_name=region, config=_CONFIG)

    return Deployment(
        found=found or f"the stack {stack} in {region}",
        remedy="check the address and your network; `incidentio --direct …` works without the API",
        region=region,
        client=client,
        credentials=credentials,
        read_outputs=lambda: stack_outputs(client("cloudformation"), stack, region),
        aws=shlex.join(["aws", *_given("--profile", choice.profile), *_given("--region", choice.region)]),
        endpoint=endpoint,
    )


def _given(option: str, value: str | None) -> list[str]:
    return [option, value] if value else []


def stack_outputs(cloudformation: Any, stack: str, region: str) -> Mapping[str, str]:
    """The outputs of `stack`.

    Raises:
        NoDeploymentError: there is no such stack, or the caller may not read it.
    """
    try:
        (described,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            raise NoDeploymentError(
                f"no deployment found: there is no stack {stack} in {region}, no {LOCAL_FILE} here and no --endpoint; "
                "`make deploy` deploys one, `incidentio local up` starts a local one"
            ) from error
        raise
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
