"""An environment of AppConfig with a profile of feature flags, deployed at once so that nobody has to wait."""

import json
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate

_FLAGS = {"circuit_acme": "circuit-acme", "dark_mode": "darkMode", "new_checkout": "new-checkout"}
"""Word of a case → key of the flag."""


class FlagEnvironment(Estate):
    """Flags are `on` or `off`: `new_checkout`, `dark_mode`, `circuit_acme`; `variants`: one that has some.

    `busy`: a deployment of another profile is under way. `versions`: how many there are of the flags.
    """

    values = ("busy", "variants", "versions", *_FLAGS)
    example = "shop/production"
    named = {"flag": "new-checkout", "third_party": "acme"}  # noqa: RUF012  (a ClassVar of the base class)

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        config = self._config
        self._app = config.create_application(Name=self._name)["Id"]
        where = {"ApplicationId": self._app}
        self._env = config.create_environment(**where, Name="production", Tags=dict(tags))["Id"]
        self._profile = self._made_profile("flags", "AWS.AppConfig.FeatureFlags")
        self._at_once = config.create_deployment_strategy(
            Name=f"at-once-{self.aws.tag}",
            DeploymentDurationInMinutes=0,
            GrowthFactor=100,
            FinalBakeTimeInMinutes=0,
            ReplicateTo="NONE",
        )["Id"]
        self.parameters["strategy"] = f"at-once-{self.aws.tag}"
        values: dict[str, Any] = {key: {"enabled": given.get(word) == "on"} for word, key in _FLAGS.items()}
        if given.get("variants"):
            values["new-checkout"] = {"_variants": [{"name": "all", "enabled": True}]}
        flags = {key: {"name": key} for key in values}
        self._deploy({"version": "1", "flags": flags, "values": values})
        if given.get("busy"):
            self._start_other()

    def _made_profile(self, name: str, type: str) -> str:
        made = self._config.create_configuration_profile(
            ApplicationId=self._app, Name=name, LocationUri="hosted", Type=type
        )
        return str(made["Id"])

    def _start_other(self) -> None:
        self._config.start_deployment(
            ApplicationId=self._app,
            EnvironmentId=self._env,
            ConfigurationProfileId=self._made_profile("limits", "AWS.Freeform"),
            ConfigurationVersion="1",
            DeploymentStrategyId="AppConfig.Linear20PercentEvery6Minutes",
        )

    @property
    @override
    def target(self) -> str:
        return f"{self._name}/production"

    @override
    def now(self, name: str) -> Any:
        match name:
            case "versions":
                which = {"ApplicationId": self._app, "ConfigurationProfileId": self._profile}
                return len(self._config.list_hosted_configuration_versions(**which)["Items"])
            case "busy":
                environment = self._config.get_environment(ApplicationId=self._app, EnvironmentId=self._env)
                return environment["State"] == "DEPLOYING"
        served = self._served()
        if name == "variants":
            return "_variants" in served["new-checkout"]
        return "on" if served[_FLAGS[name]]["enabled"] else "off"

    def _served(self) -> dict[str, Any]:
        """What an application is told."""
        data = self.aws.client("appconfigdata")
        token = data.start_configuration_session(
            ApplicationIdentifier=self._app,
            EnvironmentIdentifier=self._env,
            ConfigurationProfileIdentifier=self._profile,
        )["InitialConfigurationToken"]
        latest = data.get_latest_configuration(ConfigurationToken=token)["Configuration"]
        served: dict[str, Any] = json.loads(latest.read())
        return served

    @override
    def set(self, name: str, value: Any) -> None:
        served = self._served()
        served[_FLAGS[name]]["enabled"] = value == "on"
        flags = {key: {"name": key} for key in served}
        self._deploy({"version": "1", "flags": flags, "values": served})

    @override
    def leave(self) -> None:
        """The emulator lists only the first fifty of each."""
        self._config.delete_application(ApplicationId=self._app)
        self._config.delete_deployment_strategy(DeploymentStrategyId=self._at_once)

    def _deploy(self, content: Mapping[str, Any]) -> None:
        which = {"ApplicationId": self._app, "ConfigurationProfileId": self._profile}
        made = self._config.create_hosted_configuration_version(
            **which, Content=json.dumps(content).encode(), ContentType="application/json"
        )
        self._config.start_deployment(
            **which,
            EnvironmentId=self._env,
            ConfigurationVersion=str(made["VersionNumber"]),
            DeploymentStrategyId=self._at_once,
        )

    @property
    def _config(self) -> Any:
        return self.aws.client("appconfig")

    @property
    def _name(self) -> str:
        return f"shop-{self.aws.tag}"
