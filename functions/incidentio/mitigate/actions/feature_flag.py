"""`set-feature-flag`: turn a feature flag of AppConfig on or off, deployed step by step by a named strategy.

The value is what the flag says: true or false. Only this flag is changed in what is deployed now, so what others
changed meanwhile stays. Giving back deploys the version before, where it says the same as what would be written.
https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-type-reference-feature-flags.html
"""

import json
import shlex
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions.action import (
    Action,
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Statement,
    Value,
    refuse_system,
)
from incidentio.mitigate.actions.app_config import UNDER_WAY, Profile, profile_found, strategy_found

LONGEST_MINUTES = 10
"""A strategy that takes longer helps nobody during an incident, and its step would time out."""

_FLAGS = "AWS.AppConfig.FeatureFlags"
_VERSIONS = 3
"""How many earlier versions are looked at for one that says what is to be deployed."""
_NAME = r"[^/\n]{1,128}"


class FeatureFlag(Parameters):
    profile: Annotated[str, Field(pattern=rf"^{_NAME}$", description="configuration profile, by name or id")]
    flag: Annotated[str, Field(pattern=r"^[a-z][A-Za-z0-9_-]{0,63}$", description="key of the flag")]
    enabled: bool = Field(description="what the flag shall say")
    strategy: Annotated[str, Field(pattern=rf"^{_NAME}$", description="deployment strategy, by name or id")]


class SetFeatureFlag(Action[FeatureFlag]):
    name = "set-feature-flag"
    target_type = "AWS::AppConfig::Environment"
    target_pattern = rf"{_NAME}/{_NAME}"
    parameters: ClassVar[type[Parameters]] = FeatureFlag

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (
            Statement(
                actions=(
                    "appconfig:CreateHostedConfigurationVersion",
                    "appconfig:GetDeployment",
                    "appconfig:GetHostedConfigurationVersion",
                    "appconfig:ListConfigurationProfiles",
                    "appconfig:ListDeployments",
                    "appconfig:ListEnvironments",
                    "appconfig:ListTagsForResource",
                    "appconfig:StopDeployment",
                ),
                resources=(place.arn("appconfig", "application/*"),),
            ),
            Statement(
                actions=("appconfig:StartDeployment",),
                resources=(place.arn("appconfig", "application/*"), place.arn("appconfig", "deploymentstrategy/*")),
            ),
            Statement(actions=("appconfig:ListApplications", "appconfig:ListDeploymentStrategies"), resources=("*",)),
        )

    @property
    @override
    def subject(self) -> str:
        return f"flag {self.given.flag} of {self.given.profile} in {self.target}"

    @override
    def said(self, value: Value) -> str:
        return "on" if value else "off"

    def _profile(self, call: Call) -> Profile:
        application, _, environment = self.target.partition("/")
        found = profile_found(call, application, environment, self.given.profile)
        if found.type != _FLAGS:
            raise Conflict(f"configuration profile {self.given.profile} holds no feature flags ({found.type})")
        return found

    @override
    def read(self, call: Call) -> Value:
        profile = self._profile(call)
        return bool(self._flag(_content(call, profile, self._now(call, profile)))["enabled"])

    def _now(self, call: Call, profile: Profile) -> Mapping[str, Any]:
        deployed = profile.deployed(call)
        if not deployed:
            raise NotFound(f"nothing of {self.given.profile} is deployed in {self.target}")
        return deployed[0]

    def _flag(self, content: Mapping[str, Any]) -> dict[str, Any]:
        value: dict[str, Any] | None = (content.get("values") or {}).get(self.given.flag)
        if value is None:
            known = ", ".join(sorted(content.get("values") or ())) or "none"
            raise NotFound(f"{self.given.profile} has no flag {self.given.flag}: it has {known}")
        if "enabled" not in value:
            raise Conflict(f"{self.subject} has variants, each on or off by its own rule: change it by hand")
        return value

    @override
    def wanted(self, before: Value) -> Value:
        if before == self.given.enabled:
            raise Conflict(f"{self.subject} is {self.said(before)} already")
        return self.given.enabled

    @override
    def guard(self, call: Call, change: Change) -> None:
        profile = self._profile(call)
        refuse_system(self.subject, self._tags(call, profile))
        strategy = strategy_found(call, self.given.strategy)
        if strategy.get("DeploymentDurationInMinutes", 0) > LONGEST_MINUTES:
            raise Conflict(
                f"strategy {self.given.strategy} takes {strategy['DeploymentDurationInMinutes']} minutes, and at most "
                f"{LONGEST_MINUTES} would help: AppConfig.Linear50PercentEvery30Seconds takes one"
            )
        self._refuse_during_another(profile.deployments(call))

    def _tags(self, call: Call, profile: Profile) -> dict[str, str]:
        """The environment's, and what application and profile say where it says nothing."""
        tags: dict[str, str] = {}
        for resource in ("", f"/configurationprofile/{profile.id}", f"/environment/{profile.environment}"):
            arn = self.place.arn("appconfig", f"application/{profile.application}{resource}")
            tags |= call("appconfig", "list_tags_for_resource", ResourceArn=arn).get("Tags", {})
        return tags

    def _refuse_during_another(self, deployments: list[Mapping[str, Any]]) -> None:
        for other in deployments:
            if other["State"] in UNDER_WAY:
                raise Conflict(
                    f"deployment {other['DeploymentNumber']} of {other.get('ConfigurationName')} is under way in "
                    f"{self.target} ({other['State']}), and AppConfig does one at a time: wait for it, or stop it"
                )

    @override
    def write(self, call: Call, value: Value) -> None:
        """Our own deployment, while still under way, is stopped: AppConfig goes back to what was there before it."""
        profile = self._profile(call)
        latest = self._now(call, profile)
        if latest["State"] in UNDER_WAY:
            which = {**profile.where, "DeploymentNumber": latest["DeploymentNumber"]}
            if call("appconfig", "get_deployment", **which).get("Description") != self._noted(not value):
                self._refuse_during_another([latest])
            call("appconfig", "stop_deployment", **which, AllowRevert=True)
            if self.read(call) == value:
                return
        self._deploy(call, profile, value)

    def _noted(self, value: bool) -> str:
        return f"incidentio: flag {self.given.flag} {self.said(value)}"

    def _deploy(self, call: Call, profile: Profile, value: bool) -> None:
        deployed = profile.deployed(call)
        content = _content(call, profile, deployed[0])
        self._flag(content)["enabled"] = value
        version = self._known(call, profile, deployed[1:], content)
        if version is None:
            made = call(
                "appconfig",
                "create_hosted_configuration_version",
                **profile.which,
                Content=json.dumps(content).encode(),
                ContentType="application/json",
                Description=self._noted(value),
            )
            version = str(made["VersionNumber"])
        call(
            "appconfig",
            "start_deployment",
            **profile.where,
            ConfigurationProfileId=profile.id,
            ConfigurationVersion=version,
            DeploymentStrategyId=strategy_found(call, self.given.strategy)["Id"],
            Description=self._noted(value),
        )

    @staticmethod
    def _known(
        call: Call, profile: Profile, earlier: list[Mapping[str, Any]], content: Mapping[str, Any]
    ) -> str | None:
        """The version of an earlier deployment that says the same."""
        versions = dict.fromkeys(str(d["ConfigurationVersion"]) for d in earlier)
        for version in list(versions)[:_VERSIONS]:
            if _meaning(_content(call, profile, {"ConfigurationVersion": version})) == _meaning(content):
                return version
        return None

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        latest = self._now(call, self._profile(call))
        if latest["State"] in ("DEPLOYING", "VALIDATING"):
            return f"{latest.get('PercentageComplete', 0):g} % of the callers have it so far"
        return None

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        region, flag = f"--region {self.place.region}", self.given.flag
        application, _, environment = self.target.partition("/")
        app, env, profile = (f'"${keep}_{part}"' for part in ("APP", "ENV", "PROFILE"))
        config = "aws appconfig"

        def named(name: str) -> str:
            return f"{region} --output text --query {shlex.quote(f'''Items[?Name=='{name}'].Id''')}"

        where = f"{region} --application-id {app} --environment-id {env}"
        which = f"{region} --application-id {app} --configuration-profile-id {profile}"
        served = f"ConfigurationName=='{self.given.profile}' && (State=='COMPLETE' || State=='BAKING')"
        last = f"max_by(Items[?{served}], &DeploymentNumber).ConfigurationVersion"
        under_way = "Items[?State=='DEPLOYING' || State=='BAKING'].DeploymentNumber | [0]"
        profiles = f"{config} list-configuration-profiles"
        deployments = f"{config} list-deployments {where} --output text --query"
        look = (
            f"{keep}_APP=$({config} list-applications {named(application)})",
            f"{keep}_ENV=$({config} list-environments --application-id {app} {named(environment)})",
            f"{keep}_PROFILE=$({profiles} --application-id {app} {named(self.given.profile)})",
            f"{keep}=$({deployments} {shlex.quote(last)})",
        )
        start = (
            f"{config} start-deployment {where} --configuration-profile-id {profile} "
            f"--deployment-strategy-id {shlex.quote(self.given.strategy)} --configuration-version"
        )
        enabled = json.dumps(change.after if change else self.given.enabled)
        edit = f"jq {shlex.quote(f'.values[{json.dumps(flag)}].enabled = {enabled}')} flags.json > flags.new.json"
        create = (
            f"{config} create-hosted-configuration-version {which} --content-type application/json "
            "--content fileb://flags.new.json --query VersionNumber --output text /dev/null"
        )
        do = (
            f'{config} get-hosted-configuration-version {which} --version-number "${keep}" flags.json && {edit}',
            f'{start} "$({create})"',
        )
        stop = (
            f"{config} stop-deployment {where} --allow-revert "
            f'--deployment-number "$({deployments} {shlex.quote(under_way)})"'
        )
        return Commands(look=look, do=do, undo=(f'{stop} || {start} "${keep}"',))


def _content(call: Call, profile: Profile, deployment: Mapping[str, Any]) -> dict[str, Any]:
    """What a deployed version says."""
    version = str(deployment["ConfigurationVersion"])
    if not version.isdigit():
        raise Conflict(
            f"{profile.name} is not kept by AppConfig itself (version {version}): change it where it is kept"
        )
    answer = call("appconfig", "get_hosted_configuration_version", **profile.which, VersionNumber=int(version))
    body = answer["Content"]
    try:
        found = json.loads(body.read() if hasattr(body, "read") else body)
    except ValueError:
        raise Conflict(f"version {version} of {profile.name} is no JSON") from None
    if not isinstance(found, dict):
        raise Conflict(f"version {version} of {profile.name} is no set of flags")
    return found


def _meaning(content: Any) -> Any:
    """Without what AppConfig notes of its own: when each flag was made and changed."""
    if not isinstance(content, dict):
        return content
    return {key: _meaning(value) for key, value in content.items() if key not in ("_createdAt", "_updatedAt")}
