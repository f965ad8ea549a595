"""A Lambda function, with its releases and what calls it where a case names them."""

import contextlib
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate
from infra.cases.estates.function_releases import Releases
from infra.cases.estates.function_sources import Sources


class Function(Estate):
    """`reserved_concurrency` (null: none), `rule` and `schedule` (`ENABLED`, `DISABLED`), releases and sources.

    `others` are more functions and their reserved concurrency; `measured` what CloudWatch has of it, by metric.
    """

    values = (
        "measured", "others", "reserved_concurrency", "rule", "schedule", *Releases.values, *Sources.values,
    )  # fmt: skip
    example = "checkout"
    namespace, metric = "AWS/Lambda", "ConcurrentExecutions"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self._given, self._role = given, self._make_role()
        self._make_function(self.target, tags)
        for number, (name, reserved) in enumerate(given.get("others", {}).items(), start=1):
            self._make_function(self._other(name), {})
            self._reserve(self._other(name), reserved)
            self.parameters[f"other_{number}"] = self._other(name)
        for name, value in given.get("measured", {}).items():
            self._measure(name, value)
        self._reserve(self.target, given.get("reserved_concurrency"))
        if "alias" in given:
            self._releases.make(given)
        self._sources.make(given, tags)
        if "mapping" in given:
            self.parameters["mapping"] = self._sources.uuid(given["mapping"])
        if "rule" in given:
            self._make_rule(given["rule"])
        if "schedule" in given:
            self._make_schedule(given["schedule"])

    @property
    @override
    def target(self) -> str:
        return f"checkout-{self.aws.tag}"

    @property
    @override
    def dimensions(self) -> dict[str, str]:
        return {"FunctionName": self.target}

    @override
    def now(self, name: str) -> Any:
        match name:
            case "alias" | "canary":
                return self._releases.now(name)
            case "queues" | "tables":
                return self._sources.now(name)
            case "others":
                return {other: self._reserved(self._other(other)) for other in self._given[name]}
            case "reserved_concurrency":
                return self._reserved(self.target)
            case "rule" | "schedule":
                return self._state(name)
            case _:
                return self._given[name]

    @override
    def set(self, name: str, value: Any) -> None:
        if name in Releases.values:
            return self._releases.set(name, value)
        if name in ("queues", "tables"):
            return self._sources.set(value)
        if name == "reserved_concurrency":
            return self._reserve(self.target, value)
        if name == "others":
            for other, reserved in value.items():
                self._reserve(self._other(other), reserved)
            return None
        return super().set(name, value)

    @override
    def leave(self) -> None:
        self._sources.leave()
        client = self.aws.client("lambda")
        for function in (self.target, *map(self._other, self._given.get("others", ()))):
            with contextlib.suppress(client.exceptions.ResourceNotFoundException):
                client.delete_function(FunctionName=function)

    @property
    def _releases(self) -> Releases:
        return Releases(self.aws.client("lambda"), self.target)

    @property
    def _sources(self) -> Sources:
        return Sources(self.aws, self.target)

    @property
    def _loop(self) -> str:
        return f"loop-{self.aws.tag}"

    def _other(self, name: str) -> str:
        return f"{name}-{self.aws.tag}"

    def _make_function(self, name: str, tags: Mapping[str, str]) -> None:
        self.aws.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="index.handler",
            Role=self._role,
            Code={"ZipFile": _does_nothing()},
            Tags=dict(tags),
        )

    def _reserve(self, function: str, copies: int | None) -> None:
        client = self.aws.client("lambda")
        if copies is not None:
            client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=copies)

    def _reserved(self, function: str) -> int | None:
        answer = self.aws.client("lambda").get_function_concurrency(FunctionName=function)
        found: int | None = answer.get("ReservedConcurrentExecutions")
        return found

    def _measure(self, metric: str, value: float) -> None:
        """Ten minutes ago."""
        dimensions = [{"Name": name, "Value": text} for name, text in self.dimensions.items()]
        at = datetime.now(UTC) - timedelta(minutes=10)
        data = {"MetricName": metric, "Dimensions": dimensions, "Timestamp": at, "Value": value}
        self.aws.client("cloudwatch").put_metric_data(Namespace=self.namespace, MetricData=[data])

    def _make_role(self) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self.aws.client("iam").create_role(RoleName=self.target, AssumeRolePolicyDocument=document)
        return str(role["Role"]["Arn"])

    def _state(self, name: str) -> Any:
        if name == "rule":
            return self.aws.client("events").describe_rule(Name=self._loop)["State"]
        return self.aws.client("scheduler").get_schedule(Name=self._loop)["State"]

    def _make_rule(self, state: str) -> None:
        self.aws.client("events").put_rule(Name=self._loop, ScheduleExpression="rate(1 hour)", State=state)
        self.parameters["rule"] = self._loop

    def _make_schedule(self, state: str) -> None:
        self.aws.client("scheduler").create_schedule(
            Name=self._loop,
            State=state,
            ScheduleExpression="rate(1 hour)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": self.aws.arn("lambda", f"function:{self.target}"),
                "RoleArn": f"arn:aws:iam::{self.aws.account}:role/anything",
            },
        )
        self.parameters["schedule"] = self._loop


def _does_nothing() -> bytes:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return None\n")
    return code.getvalue()
