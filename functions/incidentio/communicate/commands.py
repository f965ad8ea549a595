"""Commands to paste. Names come from outside, so each is quoted for the shell."""

import shlex
from collections.abc import Mapping
from typing import Any

from incidentio.communicate.pages import Page
from incidentio.core.incident import Incident, Status
from incidentio.core.targets import target_name


def commands(incident: Incident, page: Page, data: Mapping[str, Any]) -> list[str]:
    """What is most likely wanted first; ends with the way that works when the API does not."""
    lines = []
    approval = data.get("approval_id")
    if approval and page.event in ("ApprovalRequested", "ApprovalEscalated") and "break_glass" not in data:
        lines += [f"incidentio approvals {verb} {_quoted(approval)}" for verb in ("approve", "reject")]
    lines += [str(line) for line in data.get("commands", ())]
    if approval and page.event == "ManualStepRequested":
        lines.append(f"incidentio approvals approve {_quoted(approval)}    # it is done")
        lines.append(f"incidentio approvals reject {_quoted(approval)}    # it is not")
    if incident.status is Status.TRIGGERED:
        lines.append(f"incidentio incidents ack {incident.id}")
    if page.call:
        lines += [f"incidentio playbooks run {incident.id} {_quoted(name)}" for name in incident.proposed]
    if incident.status is Status.MITIGATED:
        lines.append(f"incidentio incidents resolve {incident.id}")
    lines.append(f"incidentio incidents show {incident.id}")
    if incident.is_open:
        lines.append(f"incidentio hands-off {incident.id} on --reason 'a person has it'")
    subject = incident.subject
    region = f" --region {_quoted(subject.region)}" if subject.region else ""
    if subject.alarm_name:
        lines.append(f"aws cloudwatch describe-alarms --alarm-names {_quoted(subject.alarm_name)}{region}")
    if target := _function(data):
        lines.append(f"aws lambda get-function-concurrency --function-name {_quoted(target)}{region}")
    if incident.status is Status.TRIGGERED:
        lines.append(f"incidentio --direct incidents ack {incident.id}    # when the API is down")
    return lines


def _function(data: Mapping[str, Any]) -> str:
    target = str(data.get("target") or "")
    return target_name(target) if target.startswith("AWS::Lambda::Function|") and target.count("|") >= 3 else ""


def _quoted(text: object) -> str:
    return shlex.quote("".join(c if c.isprintable() else " " for c in str(text)))
