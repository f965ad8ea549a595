"""Which service an alarm seems to belong to, in which environment, and what says so. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from incidentio.cli.adopt.seen import Seen

SERVICE_TAGS = ("incidentio:service", "service", "Service", "app", "App", "application", "Application")
_SHARED_TAGS = ("aws:cloudformation:stack-name", "Name")
_ENVIRONMENT_TAGS = ("incidentio:environment", "environment", "Environment", "env", "Env", "stage", "Stage")
_ENVIRONMENTS = {
    "production": "production", "prod": "production", "prd": "production", "live": "production",
    "staging": "staging", "stage": "staging", "stg": "staging", "test": "test", "qa": "test", "uat": "test",
    "development": "development", "dev": "development", "sandbox": "sandbox",
}  # fmt: skip
_WORDS = re.compile(r"[-_./:]+")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_ENOUGH = 3
"""Alarms that must share the beginning of their names before it counts as a service's name."""


class Confidence(IntEnum):
    LOW = 1
    MEDIUM = 2
    HIGH = 3


@dataclass(frozen=True)
class Place:
    """`tag`: the one that says so, where it is a tag of the alarm itself."""

    service: str
    why: str
    confidence: Confidence
    tag: tuple[str, str] | None = None


def places(seen: Iterable[Seen]) -> Iterator[tuple[Seen, Place | None]]:
    """Each alarm and its place; None where nothing says one."""
    alarms = list(seen)
    shared = Counter((key, one.tags[key]) for one in alarms for key in _SHARED_TAGS if one.tags.get(key))
    beginnings = Counter(beginning(one.alarm.name) for one in alarms)
    for one in alarms:
        yield one, next(_evidence(one, shared, beginnings), None)


def _evidence(one: Seen, shared: Mapping[tuple[str, str], int], beginnings: Mapping[str, int]) -> Iterator[Place]:
    for key in SERVICE_TAGS:
        if name := service_name(one.tags.get(key, "")):
            yield Place(name, f"tag {key}={one.tags[key]}", Confidence.HIGH, (key, one.tags[key]))
    for key in SERVICE_TAGS:
        if name := service_name(one.resource_tags.get(key, "")):
            yield Place(name, f"tag {key}={one.resource_tags[key]} of what it watches", Confidence.HIGH)
    for key in _SHARED_TAGS:
        value = one.tags.get(key, "")
        if shared.get((key, value), 0) > 1 and (name := service_name(value)):
            yield Place(name, f"tag {key}={value}", Confidence.MEDIUM, (key, value))
    if name := service_name(one.alarm.dimensions.get("ServiceName", "")):
        yield Place(name, f"it watches the ECS service {one.alarm.dimensions['ServiceName']}", Confidence.MEDIUM)
    begins = beginning(one.alarm.name)
    if beginnings.get(begins, 0) >= _ENOUGH and (name := service_name(begins)):
        yield Place(name, f"{beginnings[begins]} alarms are named {begins}…", Confidence.MEDIUM)
    if name := service_name(one.alarm.dimensions.get("FunctionName", "")):
        yield Place(name, f"it watches the function {one.alarm.dimensions['FunctionName']}", Confidence.LOW)


def beginning(alarm_name: str) -> str:
    """The first word of a name, with the environment that stands before it; empty for a name of one word."""
    words = _WORDS.split(alarm_name)
    if len(words) < 2:
        return ""
    taken = 2 if words[0].lower() in _ENVIRONMENTS and len(words) > 2 else 1
    found = re.match(r"[-_./:]+".join(map(re.escape, words[:taken])), alarm_name)
    return found[0] if found else ""


def environment(one: Seen) -> tuple[str, str] | None:
    """The environment and what says so; None where nothing does."""
    for source, of in ((one.tags, ""), (one.resource_tags, " of what it watches")):
        for key in _ENVIRONMENT_TAGS:
            value = source.get(key, "").strip().lower()
            if name := _ENVIRONMENTS.get(value, service_name(value)):
                return name, f"tag {key}={source[key]}{of}"
    for word in _WORDS.split(one.alarm.name):
        if word.lower() in _ENVIRONMENTS:
            return _ENVIRONMENTS[word.lower()], f"{word} in the name"
    return None


def service_name(text: str) -> str:
    """As the catalogue writes names; empty where nothing of `text` could be one."""
    return _NOT_IN_NAMES.sub("-", text.strip()).strip("-._")[:63].lower()
