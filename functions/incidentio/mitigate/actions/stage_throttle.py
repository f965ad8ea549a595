"""`throttle-stage`: let a stage of a REST API, or one method of it, take fewer requests.

A method's settings are one block: its first limit makes the block, and what the block does not say is no longer taken
from the stage. So the stage's logging, metrics and caching are written into it, and it goes away again with the limit.
https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateStage.html
"""

import json
import shlex
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field
from typing_extensions import override

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
from incidentio.mitigate.actions.rest_api import STAGE, StageName, finding, management_arn
from incidentio.mitigate.actions.throttle import Throttle, lower_in_shell, lowered, number, said, throttle

_VERB = "GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|ANY"
METHOD = rf"all|none|({_VERB}) /[^\s~]{{0,200}}"
_EVERY = "*/*"

_ALSO: Mapping[str, tuple[str, Any]] = {
    "metricsEnabled": ("metrics/enabled", False),
    "loggingLevel": ("logging/loglevel", "OFF"),
    "dataTraceEnabled": ("logging/dataTrace", False),
    "cachingEnabled": ("caching/enabled", False),
    "cacheTtlInSeconds": ("caching/ttlInSeconds", 300),
    "cacheDataEncrypted": ("caching/dataEncrypted", False),
}
"""What else a block says: field → its patch path, and what AWS says where nobody said anything."""


class StageThrottle(Throttle):
    method: Annotated[str, Field(pattern=f"^({METHOD})$", description="all, none, or one as GET /pets/{id}")] = "all"
    api_id: Annotated[str, Field(pattern=r"^[a-z0-9]{0,32}$", description="where several APIs share the name")] = ""


class ThrottleStage(Action[StageThrottle]):
    name = "throttle-stage"
    target_type = "AWS::ApiGateway::Stage"
    target_pattern = STAGE
    parameters: ClassVar[type[Parameters]] = StageThrottle

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        stages = management_arn(place, "/restapis/*/stages/*")
        return (*finding(place), Statement(actions=("apigateway:PATCH",), resources=(stages,)))

    @property
    def _stage(self) -> StageName:
        return StageName.of(self.target, self.given.api_id, self.place)

    @override
    def skipped(self) -> str | None:
        return "no method was named: the stage keeps its limits" if self.given.method == "none" else None

    @property
    @override
    def subject(self) -> str:
        what = "" if self.given.method == "all" else f" {self.given.method} of"
        return f"limit of{what} stage {self.target}"

    @property
    @override
    def resource(self) -> str:
        return f"stage {self.target}"

    @override
    def said(self, value: Value) -> str:
        return said(value)

    @override
    def read(self, call: Call) -> Value:
        return _limit(self._block(self._stage.described(call)))

    @override
    def wanted(self, before: Value) -> Value:
        return lowered(self.subject, before, self.given)

    @override
    def guard(self, call: Call, change: Change) -> None:
        refuse_system(self.resource, self._stage.described(call).get("tags") or {})

    @override
    def write(self, call: Call, value: Value) -> None:
        stage = self._stage.described(call)
        block, every = self._block(stage), self._blocks(stage).get(_EVERY, {})
        others = {name: _wire(every.get(name, nothing)) for name, (_, nothing) in _ALSO.items()}
        if value is None and block is not None and self._says_no_more(block, others):
            patch = [{"op": "remove", "path": self._path}]
        else:
            limits = value or {"burst": None, "rate": None}
            patch = [self._put(f"throttling/{name}Limit", _number(limits[name])) for name in ("rate", "burst")]
            if block is None and self.given.method != "all":
                patch += [self._put(_ALSO[name][0], told) for name, told in others.items() if told != _PLAIN[name]]
        call(
            "apigateway",
            "update_stage",
            restApiId=stage["restApiId"],
            stageName=self._stage.stage,
            patchOperations=patch,
        )

    def _says_no_more(self, block: Mapping[str, Any], others: Mapping[str, str]) -> bool:
        """Whether nobody has set anything in it but the limit."""
        told = _PLAIN if self.given.method == "all" else others
        return all(_wire(block.get(name, nothing)) == told[name] for name, (_, nothing) in _ALSO.items())

    @staticmethod
    def _blocks(stage: Mapping[str, Any]) -> dict[str, Any]:
        """By `pets/{id}/GET`: with or without the leading slash, and with `~1` for others, is all the same."""
        return {key.replace("~1", "/").strip("/"): said for key, said in (stage.get("methodSettings") or {}).items()}

    def _block(self, stage: Mapping[str, Any]) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self._blocks(stage).get(self._key)
        return found

    @property
    def _key(self) -> str:
        if self.given.method == "all":
            return _EVERY
        verb, path = self.given.method.split(" ", 1)
        return f"{path}/{verb}".strip("/").replace("//", "/")

    @property
    def _path(self) -> str:
        """As a JSON pointer: the resource is one token, its slashes are `~1`."""
        if self.given.method == "all":
            return f"/{_EVERY}"
        verb, path = self.given.method.split(" ", 1)
        return f"/{path.replace('/', '~1')}/{verb}"

    def _put(self, path: str, value: str) -> dict[str, str]:
        return {"op": "replace", "path": f"{self._path}/{path}", "value": value}

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        stage = f"--stage-name {shlex.quote(self._stage.stage)} --region {self.place.region}"
        which = f"--rest-api-id {self._stage.id_in_shell} {stage}"
        put, remove = self._patching(which)
        do = (f"{lower_in_shell(keep, self.given)}; {put('$rate', '$burst')}",)
        if change:
            before = change.before
            undo = remove if before is None else put(_number(before["rate"]), _number(before["burst"]))
            return Commands(do=(put(_number(change.after["rate"]), _number(change.after["burst"])),), undo=(undo,))
        limits = "throttlingRateLimit, throttlingBurstLimit"
        key = json.dumps(self._key)
        look = (
            f"aws apigateway get-stage {which} --output text --query {shlex.quote(f'methodSettings.{key}.[{limits}]')}"
        )
        back = f'if [ "${keep}" = None ]; then {remove}; else set -- ${keep}; {put("$1", "$2")}; fi'
        return Commands(look=(f"{keep}=$({look})",), do=do, undo=(back,))

    def _patching(self, which: str) -> tuple[Any, str]:
        update = f"aws apigateway update-stage {which} --patch-operations"

        def put(rate: str, burst: str) -> str:
            where = self._path.replace('"', "")
            return (
                f'{update} "op=replace,path={where}/throttling/rateLimit,value={rate}" '
                f'"op=replace,path={where}/throttling/burstLimit,value={burst}"'
            )

        return put, f"{update} {shlex.quote(f'op=remove,path={self._path}')}"


def _wire(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_PLAIN = {name: _wire(nothing) for name, (_, nothing) in _ALSO.items()}


def _limit(block: Mapping[str, Any] | None) -> Value:
    return None if block is None else throttle(block.get("throttlingRateLimit"), block.get("throttlingBurstLimit"))


def _number(value: float | None) -> str:
    """As a patch writes it: -1 is no limit."""
    return "-1" if value is None else number(value)
