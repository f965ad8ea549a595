"""The app, synthesised once for all tests of this folder, read back as plain JSON."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from infra.app import build_app
from infra.constructs import acknowledged
from infra.options import ROOT

Resource = dict[str, Any]


@dataclass(frozen=True)
class Assembly:
    """What the CDK CLI would deploy."""

    folder: Path
    accepted: list[tuple[str, str]]
    """Every acknowledged finding: (construct path, rule)."""

    @cached_property
    def templates(self) -> dict[str, dict[str, Any]]:
        return {path.name: json.loads(path.read_text()) for path in sorted(self.folder.glob("*.template.json"))}

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.template.json"))

    @cached_property
    def main(self) -> dict[str, Any]:
        return self.templates["incidentio.template.json"]

    @cached_property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.folder / "validation-report.json").read_text())
        return report

    def resources(self, type_: str) -> dict[str, Resource]:
        """Logical id → resource of one type, in all templates."""
        return {
            name: resource
            for template in self.templates.values()
            for name, resource in template["Resources"].items()
            if resource["Type"] == type_
        }

    def one(self, type_: str, part: str) -> Resource:
        """The properties of the only resource of a type whose logical id holds `part`."""
        found = [r for name, r in self.resources(type_).items() if part in name]
        assert len(found) == 1, f"{len(found)} of {type_} named {part}"
        properties: Resource = found[0]["Properties"]
        return properties

    @cached_property
    def functions(self) -> dict[str, Resource]:
        """Properties of each function by its handler; action functions by `action:<playbook>`."""
        found = {}
        for resource in self.resources("AWS::Lambda::Function").values():
            properties = resource["Properties"]
            playbook = properties["Environment"]["Variables"].get("PLAYBOOK")
            found[f"action:{playbook}" if playbook else properties["Handler"]] = properties
        return found

    def statements_of(self, function: Resource) -> list[dict[str, Any]]:
        """All policy statements of a function's role, with actions and resources as lists."""
        role = function["Role"]["Fn::GetAtt"][0]
        return [
            {**statement, "Action": as_list(statement.get("Action", [])), "Resource": as_list(statement["Resource"])}
            for policy in self.resources("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Properties"]["Roles"]
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    """A template value as one line: references as `<Name>`."""
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(text(part) for part in parts)
        case _:
            return str(value)


def cdk_context(**more: Any) -> dict[str, Any]:
    """What the CDK CLI would pass: the context of cdk.json, overlaid with `more`."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return {**context, **more}


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    accepted: list[tuple[str, str]] = []
    written = acknowledged.acknowledge

    def recorded(construct: Any, findings: Any) -> None:
        accepted.extend((construct.node.path, f"AwsSolutions-{rule}") for rule in findings)
        written(construct, findings)

    folder = tmp_path_factory.mktemp("cdk.out")
    with pytest.MonkeyPatch.context() as patch:
        for module in acknowledging_modules():
            patch.setattr(module, "acknowledge", recorded)
        build_app(cdk_context(outbound="flags.shop.example, *.eks.amazonaws.com"), outdir=str(folder)).synth()
    return Assembly(folder, accepted)


@pytest.fixture(scope="session")
def opted(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """A second stack with everything that one may opt in to."""
    folder = tmp_path_factory.mktemp("opted")
    context = cdk_context(
        account_cloudwatch_role="true",
        organization_id="o-0123456789",
        page_email="oncall@example.com",
        reserved_concurrency="true",
        retention_days="3650",
        retention_mode="compliance",
        stack_name="second",
    )
    build_app(context, outdir=str(folder)).synth()
    return Assembly(folder, [])


def acknowledging_modules() -> list[Any]:
    """Modules of the stack through which findings are accepted."""
    import sys

    return [
        module
        for name, module in sys.modules.items()
        if name.startswith("infra.constructs") and hasattr(module, "acknowledge")
    ]
