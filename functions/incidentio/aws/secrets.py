"""Signing secrets of integrations in Secrets Manager: the newest first, two at most."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from incidentio.aws.errors import error_code, translated

if TYPE_CHECKING:
    from incidentio.core.integration import SigningSecret


def prefix_of(stack: str) -> str:
    """What the names of a stack's signing secrets begin with."""
    return f"{stack}/integrations"


class SecretsManager:
    """Implements `core.integration.SigningSecrets`; a secret is named `<prefix>/<integration>`."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def get(self, integration: str) -> "Sequence[SigningSecret]":
        from incidentio.core.integration import SigningSecret  # noqa: PLC0415 - few requests read one

        try:
            answer = self._client.get_secret_value(SecretId=self._name(integration))
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return ()
            with translated("reading a signing secret"):
                raise
        return tuple(SigningSecret(**each) for each in json.loads(answer["SecretString"]))

    def put(self, integration: str, secrets: "Sequence[SigningSecret]") -> None:
        text = json.dumps([{"secret": each.secret, "request": each.request} for each in secrets])
        name = self._name(integration)
        try:
            self._client.put_secret_value(SecretId=name, SecretString=text)
        except ClientError as error:
            with translated("writing a signing secret"):
                if error_code(error) != "ResourceNotFoundException":
                    raise
                self._client.create_secret(
                    Name=name, SecretString=text, Description="incidentio: how an integration signs what it sends"
                )

    def delete(self, integration: str) -> None:
        try:
            self._client.delete_secret(SecretId=self._name(integration), ForceDeleteWithoutRecovery=True)
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                with translated("deleting a signing secret"):
                    raise

    def _name(self, integration: str) -> str:
        return f"{self._prefix}/{integration}"
