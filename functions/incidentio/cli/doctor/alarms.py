"""Which alarms reach incidentio, and how."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from incidentio.aws.alarm_kinds import alarm_types, alarms_in
from incidentio.cli.doctor.finding import Finding

AUTO_SCALING_PREFIX = "TargetTracking-"
_SHOWN = 5
_AT_ONCE = 100
"""Names that EnableAlarmActions takes."""
Reach = Literal["attached", "monitored", "ignored"]


def reach(alarm: Mapping[str, Any], *, doors: Sequence[str], own_prefix: str) -> Reach:
    """How incidentio treats `alarm`.

    `attached` alarms act on one of our `doors` (topic and function) and are live. Alarms of target tracking and our
    own are `ignored`: scaling is no incident, and watching ourselves through ourselves would loop. Every
    other one is `monitored`: an incident shows what would have been done.
    """
    if str(alarm["AlarmName"]).startswith((AUTO_SCALING_PREFIX, own_prefix)):
        return "ignored"
    return "attached" if set(doors) & set(alarm.get("AlarmActions", [])) else "monitored"


def check_alarms(cloudwatch: Any, *, doors: Sequence[str], own_prefix: str) -> Iterator[Finding]:
    """How many alarms are attached, monitored, ignored and firing now; at least one should be attached."""
    by_reach: dict[Reach, list[Mapping[str, Any]]] = {"attached": [], "monitored": [], "ignored": []}
    for alarm in _alarms(cloudwatch):
        by_reach[reach(alarm, doors=doors, own_prefix=own_prefix)].append(alarm)
    attached, monitored = by_reach["attached"], by_reach["monitored"]
    counts = ", ".join(f"{len(alarms)} {name}" for name, alarms in by_reach.items())
    if attached:
        yield Finding("alarms", "ok", counts)
    else:
        yield Finding("alarms", "warn", counts, f"attach those that should page: add {doors[0]} to their actions")
    muted = [alarm for alarm in attached if not alarm.get("ActionsEnabled", True)]
    if muted:
        yield Finding(
            "muted alarms",
            "warn",
            f"{len(muted)} attached, with actions disabled: {_names(muted)}",
            f"aws cloudwatch enable-alarm-actions --alarm-names {shlex.join(map(_name, muted[:_AT_ONCE]))}",
        )
    firing = [alarm for alarm in (*attached, *monitored) if alarm.get("StateValue") == "ALARM"]
    yield Finding(
        "firing now",
        "warn" if firing else "ok",
        f"{len(firing)}: {_names(firing)}" if firing else "none",
        "see them with: incidentio incidents list" if firing else "",
    )


def _alarms(cloudwatch: Any) -> Iterator[Mapping[str, Any]]:
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=alarm_types(cloudwatch))
    for page in pages:
        yield from alarms_in(page)


def _names(alarms: Iterable[Mapping[str, Any]]) -> str:
    names = [_name(alarm) for alarm in alarms]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _name(alarm: Mapping[str, Any]) -> str:
    return str(alarm["AlarmName"])
