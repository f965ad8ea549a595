"""What `incidentio adopt` should print of an estate, worked out from the alarms by the rules of docs/cli.md alone.

It knows only as much as `tests/estate.py` needs: tags of the alarms, ECS services in dimensions, beginnings of names.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_NO_TIER = "# tier: 2  # nobody said: 1 (most important) to 5 decides the severity of alarms that have none"
_NOTHING = "no tag names a service, no dimension an ECS service or function, and its name begins like no others"
_PAGED = ["    - matchers: ['environment=\"production\"', 'severity=~\"SEV[12]\"']", "      receiver: page"]
Alarm = Mapping[str, Any]


def lines_of(told: Mapping[str, Any]) -> list[str]:
    """All lines for an empty catalogue."""
    ours = [alarm for alarm in told["alarms"] if not alarm["AlarmName"].startswith("TargetTracking")]
    begins = Counter(_begins(alarm) for alarm in ours)
    services: dict[str, list[Alarm]] = {}
    why: dict[str, tuple[str, str]] = {}
    unplaced = []
    for alarm in ours:
        name, *said = _place(alarm, told["tags"].get(alarm["AlarmArn"], {}), begins)
        if name:
            services.setdefault(name, []).append(alarm)
            assert why.setdefault(name, (said[0], said[1])) == (said[0], said[1]), (
                "one reason a service, in this estate"
            )
        else:
            unplaced.append(alarm["AlarmName"])
    placed = f"{sum(map(len, services.values()))} placed in {len(services)} proposed services"
    tracking = f"{len(told['alarms']) - len(ours)} none of our business"
    return [
        f"{len(told['alarms'])} alarms: {placed}, 0 in the catalogue already, {tracking}, {len(unplaced)} not placed",
        "",
        "# services.yaml",
        *services_of(told, services, why),
        *_with_title(routes_of(services)),
        *(f"not placed: {name}: {_NOTHING}" for name in unplaced),
    ]


def services_of(
    told: Mapping[str, Any], services: Mapping[str, Sequence[Alarm]], why: Mapping[str, tuple[str, str]]
) -> Iterator[str]:
    """`services.yaml`, by name."""
    yield "services:"
    for name, alarms in sorted(services.items()):
        sure, reason = why[name]
        tags = [told["tags"].get(alarm["AlarmArn"], {}) for alarm in alarms]
        yield f"  # confidence: {sure}"
        yield f"  # {reason} ({len(alarms)} of {len(alarms)} alarms)"
        staging = name.startswith("staging")
        if staging:
            yield "  # staging: staging in the name"
        warned = any(t.get("severity") == "warning" for t in tags)
        if warned:
            yield "  # tier 3: tag severity=warning"
        yield f"  {name}:"
        if staging:
            yield "    environment: staging"
        yield "    tier: 3" if warned else f"    {_NO_TIER}"
        told_by = [tag for tag in ("service", "app") if all(t.get(tag) == name for t in tags)]
        matched = f", tags: {json.dumps({told_by[0]: name})}" if told_by else ""
        yield f'    match: {{alarm_names: ["{name}-*"]{matched}}}'


def routes_of(services: Mapping[str, Sequence[Alarm]]) -> list[str]:
    """`routing.yaml`: tickets for those that notify a mailbox only, where others notify something else."""
    topics = {name: {alarm["AlarmActions"][0].split(":")[-1] for alarm in alarms} for name, alarms in services.items()}
    if len(set(map(frozenset, topics.values()))) < 2:
        return []
    lines = ["route:", "  receiver: ticket", "  routes:"]
    for name in sorted(services):
        if topics[name] == {"ops-mail"}:
            lines += [
                "    # confidence: low; its alarms notify only ops-mail today",
                f"    - matchers: ['service=\"{name}\"']",
                "      receiver: ticket",
            ]
    return lines + _PAGED


def _with_title(lines: Sequence[str]) -> list[str]:
    return ["# routing.yaml", *lines] if lines else []


def _place(alarm: Alarm, tags: Mapping[str, str], begins: Mapping[str, int]) -> tuple[str, str, str]:
    """Service, how sure, and why."""
    for tag in ("service", "app"):
        if tag in tags:
            return tags[tag], "high", f"tag {tag}={tags[tag]}"
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    if "ServiceName" in dimensions:
        return dimensions["ServiceName"], "medium", f"it watches the ECS service {dimensions['ServiceName']}"
    begin = _begins(alarm)
    if begin and begins[begin] >= 3:
        return begin, "medium", f"{begins[begin]} alarms are named {begin}…"
    assert "FunctionName" not in dimensions, "a function always has a better reason, in this estate"
    return "", "", ""


def _begins(alarm: Alarm) -> str:
    """The first word, with the environment before it; a name with blanks between its words has none."""
    words = str(alarm["AlarmName"]).split("-")
    return "" if len(words) < 2 else "-".join(words[:2] if words[0] == "staging" else words[:1])
