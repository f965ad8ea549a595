"""The environment and clients of local runs, built from nothing.

Nothing of the caller's AWS profile, credentials, endpoints or proxies can reach a local run, and no local run can
reach AWS.
"""

import os
import shutil
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from botocore.config import Config
from botocore.session import Session

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"  # noqa: S105 - the emulator's well-known root credentials
_KEPT = ("HOME", "LANG", "LC_ALL", "USER", "XDG_CACHE_HOME")
_TOOLS = ("node", "sh", "ps")


def endpoint_url(port: int) -> str:
    """Return where the target on `port` answers."""
    return f"http://127.0.0.1:{port}"


def api_url(endpoint: str, api: str, stage: str) -> str:
    """Return where the emulator at `endpoint` serves a stage of an API."""
    return f"{endpoint}/_aws/execute-api/{api}/{stage}/"


def process_environment(*, temporary: Path) -> dict[str, str]:
    """Return an environment with a PATH and a home and nothing about AWS, for any process of a local target."""
    folders = [str(Path(found).parent) for tool in _TOOLS if (found := shutil.which(tool))]
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "PATH": os.pathsep.join(dict.fromkeys([*folders, "/usr/bin", "/bin"])),
        "TMPDIR": str(temporary),
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def aws_environment(port: int, *, temporary: Path) -> dict[str, str]:
    """Return the environment of a process that calls the target, such as the CDK CLI."""
    return {
        **process_environment(temporary=temporary),
        "AWS_ENDPOINT_URL": endpoint_url(port),
        "AWS_ENDPOINT_URL_S3": endpoint_url(port),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "CDK_DEFAULT_ACCOUNT": ACCOUNT,
        "CDK_DEFAULT_REGION": REGION,
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "NODE_NO_WARNINGS": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,20",
    }


_making = Lock()
"""A session is not safe to make clients from in two threads."""


@cache
def _isolated() -> Session:
    """One for all clients: loading the models is most of what a client costs."""
    return Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )


@cache
def _client(service: str, port: int, access_key_id: str, secret_access_key: str) -> Any:
    return _isolated().create_client(
        service,
        region_name=REGION,
        endpoint_url=endpoint_url(port),
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        config=Config(proxies={}, s3={"addressing_style": "path"}),
    )


def local_client(
    service: str,
    port: int,
    *,
    access_key_id: str = ACCESS_KEY_ID,
    secret_access_key: str = SECRET_ACCESS_KEY,
) -> Any:
    """Return the client of the target on `port` that cannot see the caller's AWS configuration or proxies."""
    with _making:
        return _client(service, port, access_key_id, secret_access_key)
