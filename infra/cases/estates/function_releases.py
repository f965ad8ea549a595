"""The published versions of a function and the alias `live` that sends calls to them."""

from collections.abc import Mapping
from typing import Any

ALIAS = "live"
_WEIGHTS = "AdditionalVersionWeights"


class Releases:
    """`alias` is the version that `live` sends calls to; `canary` holds others that get a share: `{"3": 0.1}`."""

    values = ("alias", "canary")

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function

    def make(self, given: Mapping[str, Any]) -> None:
        """Versions 1 to the newest that is named, and the alias."""
        canary: dict[str, float] = given.get("canary", {})
        newest = max(map(int, {given["alias"], *canary}))
        for number in range(1, newest + 1):
            if number > 1:
                self._client.update_function_configuration(FunctionName=self._function, Description=f"release {number}")
            self._client.publish_version(FunctionName=self._function)
        # AWS publishes only what is Active; here it becomes so afterwards, which takes one wait for all.
        self._client.get_waiter("function_active_v2").wait(
            FunctionName=self._function, Qualifier=str(newest), WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
        )
        self._client.create_alias(
            FunctionName=self._function,
            Name=ALIAS,
            FunctionVersion=given["alias"],
            RoutingConfig={_WEIGHTS: canary},
        )

    def now(self, name: str) -> Any:
        alias = self._client.get_alias(FunctionName=self._function, Name=ALIAS)
        return alias["FunctionVersion"] if name == "alias" else alias.get("RoutingConfig", {}).get(_WEIGHTS, {})

    def set(self, name: str, value: Any) -> None:
        changed = {"FunctionVersion": value} if name == "alias" else {"RoutingConfig": {_WEIGHTS: value}}
        self._client.update_alias(FunctionName=self._function, Name=ALIAS, **changed)
