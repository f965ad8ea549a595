"""What an account tells of its alarms: read only."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from incidentio.aws.alarm_kinds import alarm_types, alarms_in
from incidentio.aws.alarm_tags import CloudWatchTags
from incidentio.aws.alarms import alarm_of
from incidentio.aws.errors import translated
from incidentio.core.alarm import Alarm
from incidentio.core.errors import IncidentioError

RIGHTS = ("cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource", "tag:GetResources")
_AT_ONCE = 4  # CloudWatch allows few calls a second
_RESOURCES = {"FunctionName": "lambda:function", "ServiceName": "ecs:service"}


@dataclass(frozen=True)
class Seen:
    """An alarm with its tags, and those of the function or ECS service its dimensions name."""

    alarm: Alarm
    tags: Mapping[str, str] = field(default_factory=dict)
    resource_tags: Mapping[str, str] = field(default_factory=dict)


def look(cloudwatch: Any, tagging: Any) -> tuple[list[Seen], list[str]]:
    """Every alarm, and what could not be read.

    Raises:
        Forbidden, Unavailable: the alarms themselves cannot be read.
    """
    alarms = list(_alarms(cloudwatch))
    unread: list[str] = []
    try:
        resources = dict(_resources(tagging))
    except IncidentioError as error:
        resources = {}
        unread.append(f"tags of functions and services: {error.message}")

    def tags_of(alarm: Alarm) -> Mapping[str, str]:
        try:
            return CloudWatchTags(cloudwatch).tags_of(alarm.arn)
        except IncidentioError as error:
            unread.append(error.message)
            return {}

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        tags = list(pool.map(tags_of, alarms))
    return [Seen(a, t, _of_resource(a, resources)) for a, t in zip(alarms, tags, strict=True)], unread


def _alarms(cloudwatch: Any) -> Iterator[Alarm]:
    with translated("reading the alarms"):
        for page in cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=alarm_types(cloudwatch)):
            yield from map(alarm_of, alarms_in(page))


def _resources(tagging: Any) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    """(dimension, name) → tags."""
    with translated("reading the tags of resources"):
        pages = tagging.get_paginator("get_resources").paginate(ResourceTypeFilters=[*_RESOURCES.values()])
        for page in pages:
            for found in page["ResourceTagMappingList"]:
                arn = found["ResourceARN"]
                dimension = "FunctionName" if ":lambda:" in arn else "ServiceName"
                name = arn.rpartition("/" if dimension == "ServiceName" else ":")[2]
                yield (dimension, name), {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}


def _of_resource(alarm: Alarm, resources: Mapping[tuple[str, str], dict[str, str]]) -> Mapping[str, str]:
    named = ((d, alarm.dimensions[d]) for d in _RESOURCES if d in alarm.dimensions)
    return next((resources[key] for key in named if key in resources), {})
