"""Calls beyond AWS: what answers mean, what is sent, and how the function's port tells them from AWS's own."""

import json
from base64 import b64encode, urlsafe_b64decode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.credentials import Credentials

from incidentio.aws.eks_token import eks_token
from incidentio.core.errors import Conflict, Forbidden, IncidentioError, InvalidInput, NotFound, Unavailable
from incidentio.mitigate.actions import handler, prepared
from tests.offline import offline_client
from tests.unit.mitigate_actions.estate import PLACE


def webhook(target: str = "flags.shop.example/a", **given: Any) -> Any:
    return prepared(
        "call-webhook", {"value": "off", **given}, f"Custom::Webhook|{PLACE.account}|{PLACE.region}|{target}", PLACE
    )


def node() -> Any:
    return prepared(
        "cordon-node", {}, f"Custom::KubernetesNode|{PLACE.account}|{PLACE.region}|shop/ip-1.internal", PLACE
    )


def answering(status: int, body: Any = None) -> Any:
    def call(service: str, operation: str, /, **_parameters: Any) -> dict[str, Any]:
        if service == "eks":
            authority = {"data": b64encode(b"pem").decode()}
            return {"cluster": {"endpoint": "https://x.eks.amazonaws.com", "certificateAuthority": authority}}
        if operation == "eks_token":
            return {"token": "t"}
        return {"status": status, "body": json.dumps(body)}

    return call


STATUSES: list[tuple[int, type[IncidentioError]]] = [
    (302, InvalidInput),
    (400, InvalidInput),
    (401, Forbidden),
    (403, Forbidden),
    (404, NotFound),
    (429, Unavailable),
    (500, Unavailable),
    (503, Unavailable),
]


@pytest.mark.parametrize(("status", "error"), [*STATUSES, (408, Unavailable), (409, Conflict), (412, Conflict)])
def test_a_status_of_a_webhook_means_what_it_says(status: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        webhook().read(answering(status))


@pytest.mark.parametrize(("status", "error"), [*STATUSES, (409, Unavailable), (201, InvalidInput)])
def test_a_status_of_kubernetes_does_too_and_a_conflict_is_worth_another_try(
    status: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        node().read(answering(status))


@pytest.mark.parametrize(
    "body", [None, [], {}, {"value": 1}, {"value": ""}, {"value": "x" * 257}, {"value": "a\nb"}, {"value": {"a": 1}}]
)
def test_an_answer_that_is_no_value_is_told(body: Any) -> None:
    with pytest.raises(Conflict):
        webhook().read(answering(200, body))


@pytest.mark.parametrize("target", ["flags", "https://flags.shop.example/", "flags.shop.example/a?b=c", "a@b.example/"])
def test_a_target_is_a_plain_url_without_its_scheme(target: str) -> None:
    with pytest.raises(InvalidInput):
        webhook(target)


def test_only_the_secret_that_is_written_out_may_be_read() -> None:
    def resources(**given: Any) -> list[str]:
        return [r for s in type(webhook()).permissions(given, PLACE) for r in s.resources]

    assert resources(value="off") == []
    assert resources(secret="flags") == [PLACE.arn("secretsmanager", "secret:incidentio/webhooks/flags-??????")]
    assert resources(secret="${secret}") == [PLACE.arn("secretsmanager", "secret:incidentio/webhooks/*-??????")]


def test_a_secret_that_is_no_text_is_told() -> None:
    def call(service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        assert service == "secretsmanager", "nobody is called without the token"
        return {"SecretBinary": b"x"}

    with pytest.raises(Conflict, match="secret incidentio/webhooks/flags holds no text"):
        webhook(secret="flags").read(call)


def test_the_whole_node_is_not_written_back_only_what_changes_and_for_which_version() -> None:
    sent: list[Any] = []

    def call(service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        if parameters.get("method") == "PATCH":
            sent.append((parameters["headers"]["Content-Type"], json.loads(parameters["body"])))
        found = {"metadata": {"resourceVersion": "7"}, "spec": {"taints": ["kept"]}}
        answer: dict[str, Any] = answering(200, found)(service, operation, **parameters)
        return answer

    for value in (True, False):
        node().write(call, value)
    assert sent == [
        (
            "application/merge-patch+json",
            {"metadata": {"resourceVersion": "7"}, "spec": {"unschedulable": unschedulable}},
        )
        for unschedulable in (True, None)
    ]


def test_a_token_for_a_cluster_is_a_presigned_call_that_names_it() -> None:
    credentials = Credentials("AKIDEXAMPLE", "secret", "session")
    token = eks_token(offline_client("sts"), credentials, cluster="shop")
    kind, _, encoded = token.partition(".")
    assert kind == "k8s-aws-v1"
    assert "=" not in token
    url = urlsplit(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert url.hostname == "sts.eu-west-1.amazonaws.com"
    assert query["Action"] == "GetCallerIdentity"
    assert query["X-Amz-Expires"] == "60"
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert query["X-Amz-Security-Token"] == "session"
    assert "secret" not in token


def test_the_functions_port_calls_beyond_aws_only_what_the_deployment_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYBOOK", "call-webhook")
    monkeypatch.setattr(handler, "_settings", handler._settings.__wrapped__)
    asked = {"method": "GET", "url": "https://flags.shop.example/"}
    with pytest.raises(Forbidden, match="those are none"):
        handler._call("https", "request", **asked)
    monkeypatch.setenv("OUTBOUND", "other.shop.example")
    with pytest.raises(Forbidden, match=r"those are other\.shop\.example"):
        handler._call("https", "request", **asked)


def test_an_answer_nested_too_deep_is_told_too() -> None:
    def call(*_: Any, **__: Any) -> dict[str, Any]:
        return {"status": 200, "body": "[" * 100_000}

    with pytest.raises(Conflict, match="does not answer"):
        webhook().read(call)
