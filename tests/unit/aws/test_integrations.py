"""Integrations and their signing secrets against botocore's own models."""

import json
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from incidentio.aws.attributes import to_item
from incidentio.aws.integrations import IntegrationRows
from incidentio.aws.secrets import SecretsManager, prefix_of
from incidentio.core.errors import Forbidden, Unavailable
from incidentio.core.integration import Integration, SigningSecret, new_key
from tests.offline import offline_client

NAME = "incidentio/integrations/canary"


@pytest.fixture
def manager() -> tuple[SecretsManager, Stubber]:
    client = offline_client("secretsmanager")
    stub = Stubber(client)
    stub.activate()
    return SecretsManager(client, prefix_of("incidentio")), stub


def test_secrets_are_read_newest_first(manager: tuple[SecretsManager, Stubber]) -> None:
    secrets, stub = manager
    kept = [{"secret": "whsec_b", "request": "r"}, {"secret": "whsec_a", "request": None}]
    stub.add_response("get_secret_value", {"SecretString": json.dumps(kept)}, {"SecretId": NAME})
    assert secrets.get("canary") == (SigningSecret("whsec_b", "r"), SigningSecret("whsec_a"))
    stub.add_client_error("get_secret_value", "ResourceNotFoundException")
    assert secrets.get("canary") == ()
    stub.add_client_error("get_secret_value", "AccessDeniedException")
    with pytest.raises(Forbidden):
        secrets.get("canary")


def test_the_first_secret_is_created_and_later_ones_are_put(manager: tuple[SecretsManager, Stubber]) -> None:
    secrets, stub = manager
    text = json.dumps([{"secret": "whsec_a", "request": None}])
    stub.add_client_error("put_secret_value", "ResourceNotFoundException")
    stub.add_response("create_secret", {}, {"Name": NAME, "SecretString": text, "Description": ANY})
    secrets.put("canary", [SigningSecret("whsec_a")])
    stub.add_response("put_secret_value", {}, {"SecretId": NAME, "SecretString": text})
    secrets.put("canary", [SigningSecret("whsec_a")])
    stub.add_client_error("put_secret_value", "InternalServiceError")
    with pytest.raises(Unavailable):
        secrets.put("canary", [SigningSecret("whsec_a")])
    stub.assert_no_pending_responses()


def test_deleting_is_at_once_and_once_is_enough(manager: tuple[SecretsManager, Stubber]) -> None:
    secrets, stub = manager
    stub.add_response("delete_secret", {}, {"SecretId": NAME, "ForceDeleteWithoutRecovery": True})
    stub.add_client_error("delete_secret", "ResourceNotFoundException")
    secrets.delete("canary")
    secrets.delete("canary")
    stub.assert_no_pending_responses()


def test_a_secret_is_in_no_representation() -> None:
    assert "whsec_a" not in repr(SigningSecret("whsec_a"))


def test_the_door_reads_consistently_and_writes_the_day_only() -> None:
    client = offline_client("dynamodb")
    key, kept = new_key("canary", at="2026-03-01T11:00:00.000Z", by="alice")
    integration = Integration(
        name="canary", kind="signals", keys=(kept,), created_at=kept.created_at, created_by="alice"
    )
    place: dict[str, Any] = to_item({"pk": "INTEGRATIONS", "sk": "canary"})
    asked = {"TableName": "t", "Key": place, "ConsistentRead": True}
    with Stubber(client) as stub:
        rows = IntegrationRows(client, "t")
        stub.add_response("get_item", {"Item": {**place, **to_item(integration.model_dump(mode="json"))}}, asked)
        found = rows.find("canary")
        assert found == integration
        assert found.holds(key)
        stub.add_response("get_item", {}, asked)
        assert rows.find("canary") is None
        day = to_item({"pk": "INTEGRATIONS#USED", "sk": "canary", "used_on": "2026-03-01"})
        stub.add_response("put_item", {}, {"TableName": "t", "Item": day})
        rows.used("canary", "2026-03-01")
        stub.add_client_error("get_item", "ProvisionedThroughputExceededException")
        with pytest.raises(Unavailable):
            rows.find("canary")
