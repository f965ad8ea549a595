"""A Lambda function, with its releases and what calls it where a case names them."""

import contextlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate
from infra.cases.estates.function_releases import Releases
from infra.cases.estates.function_sources import Sources


class Function(Estate):
    """`reserved_concurrency` (null: none), `rule` and `schedule` (`ENABLED`, `DISABLED`), releases and sources."""

    values = ("reserved_concurrency", "rule", "schedule", *Releases.values, *Sources.values)
    example = "checkout"
    namespace, metric = "AWS/Lambda", "ConcurrentExecutions"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        client = self.aws.client("lambda")
        client.create_function(
            FunctionName=self.target,
            Runtime="python3.13",
            Handler="index.handler",
            Role=self._role(),
            Code={"ZipFile": _does_nothing()},
            Tags=dict(tags),
        )
        if given.get("reserved_concurrency") is not None:
            self.set("reserved_concurrency", given["reserved_concurrency"])
        if "alias" in given:
            self._releases.make(given)
        self._sources.make(given, tags)
        self._mapping = given.get("mapping")
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
        if name in Releases.values:
            return self._releases.now(name)
        match name:
            case "queues" | "tables":
                return self._sources.now(name)
            case "mapping":
                return self._mapping
            case "reserved_concurrency":
                answer = self.aws.client("lambda").get_function_concurrency(FunctionName=self.target)
                return answer.get("ReservedConcurrentExecutions")
            case "rule":
                return self.aws.client("events").describe_rule(Name=self._loop)["State"]
            case _:
                return self.aws.client("scheduler").get_schedule(Name=self._loop)["State"]

    @override
    def set(self, name: str, value: Any) -> None:
        if name in Releases.values:
            return self._releases.set(name, value)
        if name in ("queues", "tables"):
            return self._sources.set(value)
        if name != "reserved_concurrency":
            return super().set(name, value)
        client = self.aws.client("lambda")
        client.put_function_concurrency(FunctionName=self.target, ReservedConcurrentExecutions=value)
        return None

    @override
    def leave(self) -> None:
        self._sources.leave()
        client = self.aws.client("lambda")
        with contextlib.suppress(client.exceptions.ResourceNotFoundException):
            client.delete_function(FunctionName=self.target)

    @property
    def _releases(self) -> Releases:
        return Releases(self.aws.client("lambda"), self.target)

    @property
    def _sources(self) -> Sources:
        return Sources(self.aws, self.target)

    @property
    def _loop(self) -> str:
        return f"loop-{self.aws.tag}"

    def _role(self) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self.aws.client("iam").create_role(RoleName=self.target, AssumeRolePolicyDocument=document)
        return str(role["Role"]["Arn"])

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
