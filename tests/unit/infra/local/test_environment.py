import os
from pathlib import Path

import pytest

from infra.local import environment
from infra.local.environment import aws_environment, endpoint_url, local_client


@pytest.fixture
def someone_elses_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nregion = ap-south-1\nendpoint_url = https://elsewhere.example\n")
    for name, value in {
        "AWS_PROFILE": "production",
        "AWS_CONFIG_FILE": str(config),
        "AWS_ACCESS_KEY_ID": "REAL",
        "AWS_SECRET_ACCESS_KEY": "REAL",
        "AWS_SESSION_TOKEN": "REAL",
        "AWS_REGION": "ap-south-1",
        "AWS_ENDPOINT_URL": "https://elsewhere.example",
        "HTTP_PROXY": "http://proxy.example:3128",
        "https_proxy": "http://proxy.example:3128",
        "PYTHONPATH": "/somewhere",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("someone_elses_shell")
def test_nothing_of_the_callers_aws_setup_reaches_a_local_process(tmp_path: Path) -> None:
    environment = aws_environment(4566, temporary=tmp_path)
    assert environment["AWS_ACCESS_KEY_ID"] == "test"
    assert environment["AWS_ENDPOINT_URL"] == environment["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:4566"
    assert environment["AWS_CONFIG_FILE"] == os.devnull
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "https_proxy", "PYTHONPATH"} & set(environment)
    assert not [value for value in environment.values() if "elsewhere" in value or "proxy.example" in value]


@pytest.mark.usefixtures("someone_elses_shell")
def test_a_local_client_talks_to_loopback_whatever_the_shell_says() -> None:
    environment._isolated.cache_clear()
    environment._client.cache_clear()
    client = local_client("sqs", 4566)
    assert client.meta.endpoint_url == endpoint_url(4566)
    assert client.meta.region_name == "us-east-1"
    assert client._request_signer._credentials.access_key == "test"
    assert client.meta.config.proxies == {}
