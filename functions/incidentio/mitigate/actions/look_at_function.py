"""`look-at-function`: how a Lambda function is set up, what changed, what limits it, what feeds it and how it fares."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Literal

from typing_extensions import override

from incidentio.mitigate.actions.action import Call, Change, Commands, Look, Parameters, Place, Statement
from incidentio.mitigate.actions.lambda_function import NAME
from incidentio.mitigate.actions.metric_series import series

_HOUR = timedelta(hours=1)
_VERSIONS, _MAPPINGS = 3, 8


class LookAtFunction(Look[Parameters]):
    name = "look-at-function"
    target_type = "AWS::Lambda::Function"
    target_pattern = NAME
    parameters: ClassVar[type[Parameters]] = Parameters

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        actions = ("GetFunctionConcurrency", "GetFunctionConfiguration", "ListAliases", "ListVersionsByFunction")
        return (
            Statement(
                actions=tuple(f"lambda:{action}" for action in actions),
                resources=(place.arn("lambda", "function:*"),),
            ),
            Statement(
                actions=(
                    "cloudwatch:GetMetricStatistics",
                    "lambda:GetAccountSettings",
                    "lambda:ListEventSourceMappings",
                ),
                resources=("*",),
            ),
        )

    @property
    @override
    def subject(self) -> str:
        return f"function {self.target}"

    @override
    def facts(self, call: Call) -> tuple[str, ...]:
        found = call("lambda", "get_function_configuration", FunctionName=self.target)
        aliases = self._all(call, "list_aliases", "Aliases")
        reserved = call("lambda", "get_function_concurrency", FunctionName=self.target).get(
            "ReservedConcurrentExecutions"
        )
        return (
            _setup(found),
            *_changes(found),
            *_versions(self._all(call, "list_versions_by_function", "Versions")),
            *map(_alias, aliases),
            *self._load(call, timeout=int(found.get("Timeout", 3))),
            *self._room(call, reserved),
            *self._sources(call, [alias["Name"] for alias in aliases]),
        )

    def _all(self, call: Call, operation: str, key: str, name: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {}
        while True:
            answer = call("lambda", operation, FunctionName=name or self.target, **page)
            found += answer.get(key, ())
            if not answer.get("NextMarker"):
                return found
            page = {"Marker": answer["NextMarker"]}

    def _load(self, call: Call, *, timeout: int) -> Iterator[str]:
        """The last hour against the one before: a metric that was never measured is left out.

        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
        """
        measured = partial(_hours, call, {"FunctionName": self.target})
        calls, errors, throttles = (measured(name, "Sum") for name in ("Invocations", "Errors", "Throttles"))
        if not any((*calls, *errors, *throttles)):
            yield "nobody called it in the last two hours"
            return
        for what, (now, earlier) in (("calls", calls), ("errors", errors), ("throttled", throttles)):
            yield f"{what} {now:g} in the last hour, {earlier:g} in the hour before"
        (took, took_before), (times, times_before) = measured("Duration", "Sum"), measured("Duration", "SampleCount")
        longest, _ = measured("Duration", "Maximum")
        if times:
            before = f", {took_before / times_before:.0f} in the hour before" if times_before else ""
            near = ", which is its timeout" if longest >= timeout * 990 else ""
            yield (
                f"duration {took / times:.0f} ms on average in the last hour{before}; {longest:.0f} ms at most of the "
                f"{timeout * 1000} allowed{near}"
            )

    def _room(self, call: Call, reserved: int | None) -> Iterator[str]:
        running = _hours(call, {"FunctionName": self.target}, "ConcurrentExecutions", "Maximum")
        limit = call("lambda", "get_account_settings")["AccountLimit"]
        most, free = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
        if reserved is None:
            yield f"no reserved concurrency: it shares {free} of the account's {most} with all others that have none"
        else:
            stopped = ": it is stopped" if reserved == 0 else ""
            full = ": it was reached in the last hour" if 0 < reserved <= running[0] else ""
            yield f"reserved concurrency {reserved} of the account's {most}{stopped}{full}"
        if any(running):
            yield f"ran {running[0]:g} copies at once at most in the last hour, {running[1]:g} in the hour before"
        all_running = _hours(call, {}, "ConcurrentExecutions", "Maximum")
        if any(all_running):
            full = ": the quota was reached" if all_running[0] >= most else ""
            yield f"all functions of the account ran {all_running[0]:g} at once at most in the last hour{full}"

    def _sources(self, call: Call, aliases: Sequence[str]) -> Iterator[str]:
        names = [self.target, *(f"{self.target}:{alias}" for alias in aliases)]
        mappings = {
            m["UUID"]: m
            for name in names
            for m in self._all(call, "list_event_source_mappings", "EventSourceMappings", name)
        }
        if not mappings:
            yield "no event source mapping feeds it"
        for mapping in list(mappings.values())[:_MAPPINGS]:
            yield _mapping(mapping)
        if len(mappings) > _MAPPINGS:
            yield f"and {len(mappings) - _MAPPINGS} more event source mappings"

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        region = f"--region {self.place.region}"
        which = f"--function-name {shlex.quote(self.target)} {region}"
        told = "[LastModified, LastUpdateStatus, State, Runtime, MemorySize, Timeout]"
        return Commands(
            look=(
                f"aws lambda get-function-configuration {which} --query '{told}'",
                f"aws lambda list-versions-by-function {which} --query 'Versions[-3:].[Version, LastModified]'",
                f"aws lambda list-aliases {which}",
                f"aws lambda get-function-concurrency {which}",
                f"aws lambda get-account-settings {region} --query AccountLimit",
                f"aws lambda list-event-source-mappings {which}",
            )
        )


def _hours(
    call: Call, dimensions: Mapping[str, str], metric: str, statistic: Literal["Sum", "Maximum", "SampleCount"]
) -> tuple[float, float]:
    """Sum or maximum of the last hour and of the one before; 0 where nothing was measured."""
    found = series(call, "AWS/Lambda", metric, dimensions, statistic, over=2 * _HOUR)
    combined = max if statistic == "Maximum" else sum
    last, before = found.between(_HOUR), found.between(2 * _HOUR, _HOUR)
    return combined(last or [0.0]), combined(before or [0.0])


def _setup(found: Mapping[str, Any]) -> str:
    runs = found.get("Runtime") or found.get("PackageType", "")
    state = found.get("State", "Active")
    why = f" ({found['StateReason']})" if state != "Active" and found.get("StateReason") else ""
    vpc = ", in a VPC" if (found.get("VpcConfig") or {}).get("VpcId") else ""
    return f"{runs}, {found.get('MemorySize')} MB, timeout {found.get('Timeout')} s{vpc}, {state}{why}"


def _changes(found: Mapping[str, Any]) -> Iterator[str]:
    status = found.get("LastUpdateStatus", "Successful")
    why = f": {found['LastUpdateStatusReason']}" if found.get("LastUpdateStatusReason") else ""
    failed = "" if status == "Successful" else f", the update is {status}{why}"
    yield f"last changed {_minute(found['LastModified'])}{failed}"


def _versions(versions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    published = sorted((v for v in versions if v["Version"] != "$LATEST"), key=lambda v: int(v["Version"]))
    if not published:
        yield "no version is published"
        return
    newest = [f"{v['Version']} ({_minute(v['LastModified'])})" for v in reversed(published[-_VERSIONS:])]
    yield f"newest published versions: {', '.join(newest)}"


def _alias(alias: Mapping[str, Any]) -> str:
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    shares = [f", {share:.0%} of the calls go to version {version}" for version, share in sorted(weights.items())]
    return f"alias {alias['Name']} is version {alias['FunctionVersion']}{''.join(shares)}"


def _mapping(mapping: Mapping[str, Any]) -> str:
    source = str(mapping.get("EventSourceArn", "a source outside AWS")).split(":", 5)[-1]
    most = (mapping.get("ScalingConfig") or {}).get("MaximumConcurrency")
    limit = f", at most {most} at once" if most else ""
    result = mapping.get("LastProcessingResult") or ""
    said = "" if result in ("", "OK", "No records processed") else f", last result: {result}"
    state, batch = mapping.get("State", "state unknown"), mapping.get("BatchSize")
    return f"{source} feeds it: {state}{limit}, batches of {batch}{said}"


def _minute(told: str) -> str:
    """Lambda's `2026-11-25T01:12:03.000+0000` as people read it."""
    return f"{datetime.fromisoformat(told).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
