"""What only AppConfig itself shows: somebody's deployment, many pages, versions that are kept elsewhere."""

import json
from typing import Any

import pytest

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions import Action, compare_and_set, prepared
from tests.unit.mitigate_actions.answers import Answers
from tests.unit.mitigate_actions.estate import PLACE

TARGET = f"AWS::AppConfig::Environment|{PLACE.account}|{PLACE.region}|shop/production"
FLAGS = "AWS.AppConfig.FeatureFlags"


def action(**given: Any) -> Action[Any]:
    told = {"profile": "flags", "flag": "new", "enabled": False, "strategy": "AppConfig.AllAtOnce", **given}
    return prepared("set-feature-flag", told, TARGET, PLACE)


class AppConfig(Answers):
    """`versions` by number, `deployments` as (number, version, state), oldest first."""

    def __init__(self, *deployments: tuple[int, str, str], **versions: dict[str, Any]) -> None:
        self.deployments = [*deployments]
        self.versions = {number.removeprefix("v"): flags for number, flags in versions.items()}
        self.note = ""
        super().__init__(
            list_applications=self._applications,
            list_environments={"Items": [{"Id": "env0001", "Name": "production"}]},
            list_configuration_profiles={"Items": [{"Id": "prof001", "Name": "flags", "Type": FLAGS}]},
            list_deployment_strategies={"Items": [{"Id": "AppConfig.AllAtOnce", "DeploymentDurationInMinutes": 0}]},
            list_tags_for_resource={"Tags": {}},
            list_deployments=self._listed,
            get_deployment=lambda **_: {"Description": self.note},
            get_hosted_configuration_version=self._version,
            create_hosted_configuration_version=self._create,
            start_deployment=self._start,
            stop_deployment=self._stop,
        )

    @staticmethod
    def _applications(NextToken: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803
        if not NextToken:
            return {"Items": [{"Id": "other01", "Name": "other"}], "NextToken": "more"}
        return {"Items": [{"Id": "app0001", "Name": "shop"}]}

    def _listed(self, **_: Any) -> dict[str, Any]:
        return {
            "Items": [
                {"DeploymentNumber": n, "ConfigurationName": "flags", "ConfigurationVersion": version, "State": state}
                for n, version, state in self.deployments
            ]
        }

    def _version(self, VersionNumber: int, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Content": json.dumps({"version": "1", "values": self.versions[str(VersionNumber)]}).encode()}

    def _create(self, Content: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        number = len(self.versions) + 1
        self.versions[str(number)] = json.loads(Content)["values"]
        return {"VersionNumber": number}

    def _start(self, ConfigurationVersion: str, Description: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.deployments.append((len(self.deployments) + 1, ConfigurationVersion, "DEPLOYING"))
        self.note = Description
        return {}

    def _stop(self, DeploymentNumber: int, AllowRevert: bool, **_: Any) -> dict[str, Any]:  # noqa: N803
        assert AllowRevert
        n, version, _state = self.deployments[DeploymentNumber - 1]
        self.deployments[DeploymentNumber - 1] = (n, version, "ROLLED_BACK")
        return {}

    def settled(self) -> None:
        n, version, _state = self.deployments[-1]
        self.deployments[-1] = (n, version, "COMPLETE")


ON, OFF = {"new": {"enabled": True}}, {"new": {"enabled": False}}


def applied(config: AppConfig) -> Any:
    taken = compare_and_set.snapshot(action(), config)["snapshot"]
    compare_and_set.apply(action(), config, taken)
    return taken


def test_the_version_before_is_deployed_again_whatever_appconfig_noted_in_it() -> None:
    config = AppConfig((1, "1", "COMPLETE"), v1={"new": {"enabled": True, "_updatedAt": "2026-03-01T12:00:00Z"}})
    taken = applied(config)
    config.versions["2"]["new"]["_updatedAt"] = "2026-03-01T13:00:00Z"
    config.settled()
    assert compare_and_set.rollback(action(), config, taken)["result"] == "restored"
    assert [n for _, n, _ in config.deployments] == ["1", "2", "1"]


def test_our_deployment_is_stopped_and_a_second_rollback_finds_nothing_to_do() -> None:
    config = AppConfig((1, "1", "COMPLETE"), v1=ON)
    taken = applied(config)
    assert compare_and_set.verify(action(), config, taken)["summary"].endswith("0 % of the callers have it so far")
    assert compare_and_set.rollback(action(), config, taken)["result"] == "restored"
    assert config.deployments[-1] == (2, "2", "ROLLED_BACK")
    assert compare_and_set.rollback(action(), config, taken)["result"] == "already"
    assert len(config.of("start_deployment")) == 1


def test_somebody_elses_deployment_is_not_stopped() -> None:
    config = AppConfig((1, "1", "COMPLETE"), v1=ON)
    taken = applied(config)
    config.settled()
    config.versions["3"] = {**OFF, "dark": {"enabled": True}}
    config.deployments.append((3, "3", "DEPLOYING"))
    config.note = "dark mode for everybody"
    answer = compare_and_set.rollback(action(), config, taken)
    assert answer["result"] == "failed"
    assert "deployment 3 of flags is under way" in answer["summary"]
    assert not config.of("stop_deployment")


def test_a_deployment_that_an_alarm_rolled_back_was_not_made() -> None:
    config = AppConfig((1, "1", "COMPLETE"), v1=ON)
    taken = applied(config)
    config.deployments[-1] = (2, "2", "ROLLED_BACK")
    assert not compare_and_set.verify(action(), config, taken)["verified"]
    assert compare_and_set.rollback(action(), config, taken)["result"] == "already"


@pytest.mark.parametrize(
    ("config", "error", "told"),
    [
        (AppConfig(v1=ON), NotFound, "there is no flag new"),
        (AppConfig((1, "arn:aws:codepipeline:x", "COMPLETE")), Conflict, "is not kept by AppConfig itself"),
        (AppConfig((1, "1", "DEPLOYING"), v1=ON), Conflict, "deployment 1 of flags is under way"),
    ],
)
def test_what_cannot_be_changed_is_refused(config: AppConfig, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        compare_and_set.snapshot(action(), config)


def test_only_feature_flags_have_flags() -> None:
    config = AppConfig((1, "1", "COMPLETE"), v1=ON)
    config.answers["list_configuration_profiles"] = {
        "Items": [{"Id": "prof001", "Name": "flags", "Type": "AWS.Freeform"}]
    }
    with pytest.raises(Conflict, match="holds no feature flags"):
        compare_and_set.snapshot(action(), config)
