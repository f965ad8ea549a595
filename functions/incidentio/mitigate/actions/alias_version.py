"""`set-alias-version`: send an alias of a Lambda function back to an earlier published version."""

import json
import shlex
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions.action import (
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Statement,
    Value,
    refuse_system,
)
from incidentio.mitigate.actions.lambda_function import OnFunction

_LATEST = "$LATEST"
_WEIGHTS = "AdditionalVersionWeights"


class AliasVersion(Parameters):
    """An alias' name holds something that is no digit: AWS takes digits alone for a version."""

    alias: Annotated[
        str, Field(max_length=128, pattern=r"^[0-9]*[A-Za-z_-][A-Za-z0-9_-]*$", description="alias that callers use")
    ]
    version: int = Field(
        default=0, ge=0, le=1_000_000, description="published version to go back to; 0: the one before"
    )


class SetAliasVersion(OnFunction[AliasVersion]):
    """The value is `{"version", "weights"}`: the alias' own version, and the share of calls that others get.

    UpdateAlias takes the revision that was read, so a change in between makes AWS refuse it: then everything
    is looked at anew. https://docs.aws.amazon.com/lambda/latest/api/API_UpdateAlias.html
    """

    name = "set-alias-version"
    parameters: ClassVar[type[Parameters]] = AliasVersion
    undoes_change = True
    _revision: str | None = None
    _call: Call | None = None

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        actions = ("GetAlias", "GetFunctionConfiguration", "ListTags", "ListVersionsByFunction", "UpdateAlias")
        return (
            Statement(
                actions=tuple(f"lambda:{action}" for action in actions),
                resources=(place.arn("lambda", "function:*"),),
            ),
            Statement(actions=("lambda:GetAccountSettings",), resources=("*",)),
        )

    @property
    @override
    def subject(self) -> str:
        return f"alias {self.given.alias} of function {self.target}"

    @override
    def said(self, value: Value) -> str:
        others = [f"{round(share * 100, 2):g} % version {name}" for name, share in sorted(value["weights"].items())]
        return ", ".join([f"version {value['version']}", *others])

    @override
    def read(self, call: Call) -> Value:
        alias = call("lambda", "get_alias", FunctionName=self.target, Name=self.given.alias)
        self._revision, self._call = alias.get("RevisionId"), call
        weights = (alias.get("RoutingConfig") or {}).get(_WEIGHTS) or {}
        return {"version": str(alias["FunctionVersion"]), "weights": {str(v): float(w) for v, w in weights.items()}}

    @override
    def wanted(self, before: Value) -> Value:
        """What is undone is the newest version that gets calls: in a canary that is the one being tried."""
        if before["version"] == _LATEST:
            raise Conflict(
                f"{self.subject} is {_LATEST}, which has no version before it: publish versions and point it at one"
            )
        *earlier, newest = sorted(int(version) for version in {before["version"], *before["weights"]})
        if not self.given.version:
            earlier = earlier or [version for version in self._published() if version < newest]
            if not earlier:
                raise Conflict(f"{self.subject} is version {newest}, and no version before that is published")
            return {"version": str(max(earlier)), "weights": {}}
        if self.given.version >= newest:
            raise Conflict(
                f"{self.subject} is {self.said(before)}: version {self.given.version} is not before version {newest}"
            )
        return {"version": str(self.given.version), "weights": {}}

    def _published(self) -> list[int]:
        """Numbers of the published versions."""
        if self._call is None:
            raise ValueError("read comes first")
        found: list[int] = []
        page: dict[str, Any] = {}
        while True:
            answer = self._call("lambda", "list_versions_by_function", FunctionName=self.target, **page)
            found += [int(v["Version"]) for v in answer.get("Versions", ()) if v["Version"] != _LATEST]
            if not answer.get("NextMarker"):
                return found
            page = {"Marker": answer["NextMarker"]}

    @override
    def guard(self, call: Call, change: Change) -> None:
        """The version must be there and ready: sending calls to one that is not would be the next incident."""
        tags = call("lambda", "list_tags", Resource=self.place.arn("lambda", f"function:{self.target}"))
        refuse_system(f"function {self.target}", tags.get("Tags", {}))
        version = change.after["version"]
        try:
            found = call("lambda", "get_function_configuration", FunctionName=self.target, Qualifier=version)
        except NotFound as error:
            raise Conflict(f"function {self.target} has no version {version}: it may have been deleted") from error
        state = found.get("State", "Active")
        if state == "Inactive":
            raise Conflict(
                f"version {version} of function {self.target} is Inactive, since nothing called it for weeks: invoke "
                f"{self.target}:{version} once, wait until it is Active, and ask again"
            )
        if state != "Active":
            raise Conflict(f"version {version} of function {self.target} is {state}: it must be Active to take calls")

    @override
    def write(self, call: Call, value: Value) -> None:
        call(
            "lambda",
            "update_alias",
            FunctionName=self.target,
            Name=self.given.alias,
            FunctionVersion=value["version"],
            RoutingConfig={_WEIGHTS: value["weights"]},
            **({"RevisionId": self._revision} if self._revision else {}),
        )

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        region = f"--region {self.place.region}"
        function = f"--function-name {shlex.quote(self.target)} {region}"
        which = f"{function} --name {shlex.quote(self.given.alias)}"

        def update(version: str, weights: str) -> str:
            return f"aws lambda update-alias {which} --function-version {version} --routing-config {weights}"

        none = shlex.quote(json.dumps({_WEIGHTS: {}}))
        if change:
            before = shlex.quote(json.dumps({_WEIGHTS: change.before["weights"]}))
            return Commands(
                do=(update(change.after["version"], none),), undo=(update(change.before["version"], before),)
            )
        get = f"aws lambda get-alias {which}"
        look = [
            f"{keep}=$({get} --query FunctionVersion --output text)",
            f"{keep}_WEIGHTS=$({get} --query 'RoutingConfig || `{{\"{_WEIGHTS}\": {{}}}}`' --output json)",
        ]
        to = str(self.given.version)
        if not self.given.version:
            to, routed = f'"${keep}_OLDER"', f'"${keep}_ROUTED"'
            names = f"--query '[FunctionVersion, keys(RoutingConfig.{_WEIGHTS} || `{{}}`)][]' --output text"
            versions = f"aws lambda list-versions-by-function {function} --query 'Versions[].Version' --output text"
            canary = f'[ "$(echo {routed} | wc -l)" -gt 1 ] && echo {routed}'
            older = f"""awk -v newest="$(echo {routed} | tail -1)" '$1 + 0 && $1 + 0 < newest + 0'"""
            look += [
                f"{keep}_ROUTED=$({get} {names} | tr '\\t' '\\n' | sort -n)",
                f"{keep}_OLDER=$({{ {canary} || {versions} | tr '\\t' '\\n'; }} | sort -n | {older} | tail -1)",
            ]
        return Commands(look=tuple(look), do=(update(to, none),), undo=(update(f'"${keep}"', f'"${keep}_WEIGHTS"'),))
