"""One configuration profile of AppConfig in one environment: found by names, and what is deployed of it.

Names need not be unique, and the API wants ids: https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference/
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions.action import Call

UNDER_WAY = frozenset({"BAKING", "DEPLOYING", "VALIDATING"})
_SERVED = UNDER_WAY | {"COMPLETE"}
"""States of a deployment that was not taken back."""
_PAGES = 20


@dataclass(frozen=True)
class Profile:
    """Its ids, and the `name` by which deployments are listed."""

    application: str
    environment: str
    id: str
    name: str
    type: str

    @property
    def where(self) -> dict[str, str]:
        return {"ApplicationId": self.application, "EnvironmentId": self.environment}

    @property
    def which(self) -> dict[str, str]:
        return {"ApplicationId": self.application, "ConfigurationProfileId": self.id}

    def deployments(self, call: Call) -> list[Mapping[str, Any]]:
        """Those of the environment that were not taken back, newest first."""
        found = [item for item in _every(call, "list_deployments", **self.where) if item.get("State") in _SERVED]
        return sorted(found, key=lambda deployment: -int(deployment["DeploymentNumber"]))

    def deployed(self, call: Call) -> list[Mapping[str, Any]]:
        """Those of this profile, newest first."""
        return [d for d in self.deployments(call) if d.get("ConfigurationName") == self.name]


def profile_found(call: Call, application: str, environment: str, profile: str) -> Profile:
    """Each is given by name or id.

    Raises:
        NotFound: there is none.
        Conflict: several have the name.
    """
    app = _one(call, "application", application, "list_applications")["Id"]
    env = _one(call, "environment", environment, "list_environments", ApplicationId=app)["Id"]
    found = _one(call, "configuration profile", profile, "list_configuration_profiles", ApplicationId=app)
    return Profile(app, env, found["Id"], found["Name"], found.get("Type", ""))


def strategy_found(call: Call, strategy: str) -> Mapping[str, Any]:
    return _one(call, "deployment strategy", strategy, "list_deployment_strategies")


def _one(call: Call, what: str, named: str, operation: str, **where: Any) -> Mapping[str, Any]:
    found = [item for item in _every(call, operation, **where) if named in (item.get("Id"), item.get("Name"))]
    if not found:
        raise NotFound(f"there is no {what} {named} in AppConfig")
    if len(found) > 1:
        ids = ", ".join(sorted(item["Id"] for item in found))
        raise Conflict(f"several of AppConfig's {what}s are called {named}: give the id ({ids})")
    return found[0]


def _every(call: Call, operation: str, **where: Any) -> Iterator[Mapping[str, Any]]:
    page: dict[str, Any] = {}
    for _ in range(_PAGES):
        answer = call("appconfig", operation, MaxResults=50, **where, **page)
        yield from answer.get("Items", ())
        if not answer.get("NextToken"):
            return
        page = {"NextToken": answer["NextToken"]}
