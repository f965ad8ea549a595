"""`slow-event-sources`: let a queue call a Lambda function less often at once, or stop what feeds it."""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator
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
from incidentio.mitigate.actions.literal import literal

LEAST, MOST = 2, 1000
"""Bounds of a mapping's maximum concurrency. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""

_STREAMS = frozenset({"dynamodb", "kinesis"})
"""Sources with shards, and so with a parallelization factor: how many batches of a shard are in work at once.

https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
"""
_STOPPED = frozenset({"Disabled", "Disabling"})
_SETTLED = frozenset({"Enabled", "Disabled"})
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class EventSources(Parameters):
    concurrency: Annotated[
        int, Field(ge=0, le=MOST, description="batches a queue may have in work at once; 0 disables the mapping")
    ]
    parallel: Annotated[
        int,
        Field(ge=0, le=10, description="batches of each shard in work at once; 0 refuses streams"),
    ] = 0
    mapping: Annotated[str, Field(pattern=rf"^({_UUID})?$", description="UUID; empty: all of the function")] = ""
    alias: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_-]{0,128}$", description="alias or version the mappings call; empty: none")
    ] = ""
    max_mappings: Annotated[int, Field(ge=1, le=20, description="refuse to touch more mappings than this")] = 5

    @field_validator("concurrency")
    @classmethod
    def _possible(cls, value: int) -> int:
        if 0 < value < LEAST:
            raise ValueError(f"{value} is not possible: {LEAST} to {MOST}, or 0 to disable the mapping")
        return value


class SlowEventSources(OnFunction[EventSources]):
    """The value is `{uuid: {"source", "enabled", "maximum"}}`, one part for each mapping; a stream's has `parallel`."""

    name = "slow-event-sources"
    parameters: ClassVar[type[Parameters]] = EventSources
    parts = True

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        mapping = place.arn("lambda", f"event-source-mapping:{literal(given.get('mapping'), '*')}")
        return (
            Statement(actions=("lambda:ListTags",), resources=(place.arn("lambda", "function:*"), mapping)),
            Statement(actions=("lambda:UpdateEventSourceMapping",), resources=(mapping,)),
            Statement(actions=("lambda:GetAccountSettings", "lambda:ListEventSourceMappings"), resources=("*",)),
        )

    @property
    def _called(self) -> str:
        return f"{self.target}:{self.given.alias}" if self.given.alias else self.target

    @property
    @override
    def subject(self) -> str:
        return f"what feeds function {self._called}"

    @property
    @override
    def resource(self) -> str:
        which = f"event source mapping {self.given.mapping}" if self.given.mapping else "event source mapping"
        return f"{which} that calls function {self._called}"

    @override
    def said(self, value: Value) -> str:
        return ", ".join(_told(uuid, part) for uuid, part in sorted(value.items()))

    @override
    def read(self, call: Call) -> Value:
        found = {m["UUID"]: _part(m) for m in self._mappings(call)}
        if not found:
            raise NotFound(f"there is no {self.resource}")
        return found

    def _mappings(self, call: Call) -> Iterator[dict[str, Any]]:
        """Those that call exactly this function, alias or version, and are not about to go."""
        arn = self.place.arn("lambda", f"function:{self._called}")
        page: dict[str, Any] = {}
        while True:
            answer = call("lambda", "list_event_source_mappings", FunctionName=self._called, **page)
            for mapping in answer.get("EventSourceMappings", ()):
                wanted = self.given.mapping in ("", mapping["UUID"])
                if wanted and mapping["FunctionArn"] == arn and mapping.get("State") != "Deleting":
                    yield mapping
            if not answer.get("NextMarker"):
                return
            page = {"Marker": answer["NextMarker"]}

    @override
    def wanted(self, before: Value) -> Value:
        if len(before) > self.given.max_mappings:
            raise Conflict(
                f"{len(before)} event source mappings feed function {self._called} ({self.said(before)}): at most "
                f"max_mappings {self.given.max_mappings}. Name one of them: {', '.join(sorted(before))}"
            )
        after = {uuid: self._slowed(part) for uuid, part in before.items()}
        if after == before:
            raise Conflict(f"{self.subject} is {self.said(before)} already: {self.given.concurrency} slows nothing")
        return after

    def _slowed(self, part: dict[str, Any]) -> dict[str, Any]:
        most = self.given.concurrency
        if most == 0:
            return {**part, "enabled": False}
        if not part["enabled"]:
            return part
        if "parallel" in part and self.given.parallel:
            return {**part, "parallel": min(self.given.parallel, part["parallel"])}
        if not _is_queue(part):
            raise Conflict(
                f"{part['source']} is no SQS queue: only a queue's mapping has a maximum concurrency. "
                + ("parallel slows a stream, and " if "parallel" in part else "")
                + "concurrency 0 disables the mapping instead"
            )
        limited = most if part["maximum"] is None else min(most, part["maximum"])
        return {**part, "maximum": limited}

    @override
    def guard(self, call: Call, change: Change) -> None:
        self._refuse_system(call, f"function:{self.target}", f"function {self.target}")
        for uuid in change.before:
            self._refuse_system(call, f"event-source-mapping:{uuid}", f"event source mapping {uuid}")

    def _refuse_system(self, call: Call, resource: str, subject: str) -> None:
        tags = call("lambda", "list_tags", Resource=self.place.arn("lambda", resource))
        refuse_system(subject, tags.get("Tags", {}))

    @override
    def write(self, call: Call, value: Value) -> None:
        """While a mapping is changing AWS refuses the next change (ResourceInUseException): that is tried again."""
        for uuid, part in sorted(value.items()):
            limit: dict[str, Any] = {"ScalingConfig": _scaling(part)} if _is_queue(part) else {}
            if "parallel" in part:
                limit = {"ParallelizationFactor": part["parallel"]}
            call("lambda", "update_event_source_mapping", UUID=uuid, Enabled=part["enabled"], **limit)

    @override
    def pending(self, call: Call, value: Value) -> str | None:
        moving = [f"{_name(_part(m))} is {m['State']}" for m in self._mappings(call) if m["State"] not in _SETTLED]
        return ", ".join(moving) or None

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        region = f"--region {self.place.region}"

        def update(uuid: str, rest: str) -> str:
            return f"aws lambda update-event-source-mapping {region} --uuid {uuid} {rest}"

        if change:
            changed = {uuid for uuid, part in change.before.items() if part != change.after[uuid]}
            return Commands(
                do=tuple(update(uuid, _options(change.after[uuid])) for uuid in sorted(changed)),
                undo=tuple(update(uuid, _options(change.before[uuid])) for uuid in sorted(changed)),
            )
        return self._commands_unseen(keep, region, update)

    def _commands_unseen(self, keep: str, region: str, update: Callable[[str, str], str]) -> Commands:
        which = " && ".join(["State==`Enabled`", *([f"UUID==`{self.given.mapping}`"] if self.given.mapping else [])])
        named = f"{region} --function-name {shlex.quote(self._called)}"
        most, parallel = self.given.concurrency, self.given.parallel
        told = "[UUID, ScalingConfig.MaximumConcurrency, ParallelizationFactor]" if most else "UUID"
        look = f"{keep}=$(aws lambda list-event-source-mappings {named} --query 'EventSourceMappings[?{which}].{told}' "
        lower, uuid = f'[ "$maximum" != None ] && [ "$maximum" -le {most} ] ||', '"$uuid"'
        each = f'echo "${keep}" | while read -r uuid maximum factor; do'
        do = f"{lower} {update(uuid, f'--scaling-config MaximumConcurrency={most}')}"
        limit = '[ "$maximum" = None ] && limit="{}" || limit="MaximumConcurrency=$maximum"'
        limited = '--scaling-config "$limit"'
        undo = f"{limit}; {update(uuid, limited)}"
        if parallel:
            queue, stream = 'if [ "$factor" = None ]; then', "--parallelization-factor"
            slower = f'[ "$factor" -le {parallel} ] || {update(uuid, f"{stream} {parallel}")}'
            factor = f'{stream} "$factor"'
            do, undo = f"{queue} {do}; else {slower}; fi", f"{queue} {undo}; else {update(uuid, factor)}; fi"
        if most == 0:
            each, do, undo = f"for uuid in ${keep}; do", update(uuid, "--no-enabled"), update(uuid, "--enabled")
        return Commands(look=(f"{look}--output text)",), do=(f"{each} {do}; done",), undo=(f"{each} {undo}; done",))


def _part(mapping: Mapping[str, Any]) -> dict[str, Any]:
    scaling = mapping.get("ScalingConfig") or {}
    part = {
        "source": mapping.get("EventSourceArn", "a source outside AWS"),
        "enabled": mapping.get("State") not in _STOPPED,
        "maximum": scaling.get("MaximumConcurrency"),
    }
    if _service(part) in _STREAMS:
        part["parallel"] = int(mapping.get("ParallelizationFactor") or 1)
    return part


def _service(part: Mapping[str, Any]) -> str:
    return "".join(str(part["source"]).split(":")[2:3])


def _is_queue(part: Mapping[str, Any]) -> bool:
    return _service(part) == "sqs"


def _name(part: Mapping[str, Any]) -> str:
    return str(part["source"]).rsplit(":", 1)[-1]


def _told(uuid: str, part: Mapping[str, Any] | None) -> str:
    if part is None:
        return f"{uuid} gone"
    if not part["enabled"]:
        return f"{_name(part)} disabled"
    each = f", {part['parallel']} a shard" if part.get("parallel", 1) > 1 else ""
    most = f" up to {part['maximum']} at once" if part["maximum"] is not None else ""
    return f"{_name(part)} enabled{most}{each}"


def _scaling(part: Mapping[str, Any]) -> dict[str, int]:
    """An empty one takes the maximum away."""
    return {} if part["maximum"] is None else {"MaximumConcurrency": part["maximum"]}


def _options(part: Mapping[str, Any]) -> str:
    limit = f" --scaling-config {shlex.quote(json.dumps(_scaling(part)))}" if _is_queue(part) else ""
    if "parallel" in part:
        limit = f" --parallelization-factor {part['parallel']}"
    return ("--enabled" if part["enabled"] else "--no-enabled") + limit
