"""A service of the team's own that keeps one value, and the secret it wants to see."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from infra.cases.estate import Estate


class Webhook(Estate):
    """`flag`: its value. `asks_for_secret`: whether it answers 401 to those who bring none."""

    values = ("asks_for_secret", "flag")
    stands_in = ("https.request",)
    example = "flags.shop.example/recommendations"
    named: ClassVar[Mapping[str, str]] = {"value": "off"}

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self._flag = given.get("flag", "on")
        self._secret = f"secret-{self.aws.tag}" if given.get("asks_for_secret") else ""
        self._path = f"/recommendations-{self.aws.tag}"
        if self._secret:
            name = f"flags-{self.aws.tag}"
            self.aws.client("secretsmanager").create_secret(
                Name=f"incidentio/webhooks/{name}", SecretString=self._secret
            )
            self.parameters["secret"] = name

    @property
    @override
    def target(self) -> str:
        return f"flags.shop.example{self._path}"

    @override
    def now(self, name: str) -> Any:
        return bool(self._secret) if name == "asks_for_secret" else self._flag

    @override
    def set(self, name: str, value: Any) -> None:
        if name != "flag":
            return super().set(name, value)
        self._flag = value
        return None

    def request(self, **given: Any) -> dict[str, Any]:
        """As such a service answers; tests/integration/test_outbound.py has the client itself."""
        status, told = self._answer(**given)
        return {"status": status, "body": json.dumps(told)}

    def _answer(self, *, method: str, url: str, headers: Mapping[str, str], body: str | None) -> tuple[int, Any]:
        if url != f"https://{self.target}":
            return 404, {}
        if self._secret and headers.get("Authorization") != f"Bearer {self._secret}":
            return 401, {}
        if method == "GET":
            return 200, {"value": self._flag}
        asked = json.loads(body or "{}")
        if asked.get("if", self._flag) != self._flag:
            return 409, {"value": self._flag}
        self._flag = asked["value"]
        return 200, {"value": self._flag}
