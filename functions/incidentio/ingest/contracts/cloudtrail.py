"""Changes that only CloudTrail tells of: functions, security groups, routes, network ACLs and AppConfig.

https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-cloudtrail.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

Events come only where a trail logs management events. A refused call changed nothing.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from incidentio.core.attachment import Attachment
from incidentio.ingest.contracts.aws_event import AwsEvent, aws_event, change, person, texts
from incidentio.ingest.observation import Changed, Ignored, as_object, text_field

_VERSIONED = re.compile(r"20\d{6}(?:v\d+)?$")
"""Lambda writes the version of its API behind a call's name: UpdateFunctionCode20150331v2."""

_SOURCES = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedGroupId")
_EC2 = {"groupId": "security-group", "routeTableId": "route-table", "networkAclId": "network-acl", "subnetId": "subnet"}


def read(document: Mapping[str, Any], attachment: Attachment) -> Changed | Ignored:
    """Raises: Unreadable."""
    event = aws_event(document)
    detail = event.detail
    if detail.get("errorCode") or detail.get("readOnly") is True:
        return Ignored("a call that was refused, or that only read: nothing changed")
    name = _VERSIONED.sub("", text_field(detail, "eventName", limit=128))
    given = _parameters(detail.get("requestParameters"))
    if "functionName" not in given:  # a call about an event source mapping: only its answer says whose it is
        given |= {"functionName": as_object(detail.get("responseElements")).get("functionArn")}
    resources = texts(_resources(event, given))
    who = as_object(detail.get("userIdentity"))
    about = resources[0].rpartition(":")[2].rpartition("/")[2] if resources else ""
    record = change(
        event,
        attachment,
        source="cloudtrail",
        id=text_field(detail, "eventID", limit=100),
        what=" ".join(filter(None, (name, about, _opened(given)))),
        at=event.moment(detail.get("eventTime")),
        actor=person(who.get("arn")) or str(who.get("invokedBy") or ""),
        resources=resources,
    )
    return Changed(record)


def _parameters(value: Any) -> dict[str, Any]:
    """By name with a small first letter: AppConfig writes a capital one, and newer calls of EC2 do inside a wrapper."""
    given = {k[:1].lower() + k[1:]: v for k, v in as_object(value).items()}
    for name, inner in list(given.items()):
        if name.endswith("Request") and isinstance(inner, dict):
            given |= _parameters(inner)
    return given


def _resources(event: AwsEvent, given: Mapping[str, Any]) -> Iterator[str]:
    function = given.get("functionName")
    if isinstance(function, str):
        yield function if function.startswith("arn:") else event.arn("lambda", f"function:{function}")
    for field, kind in _EC2.items():
        if isinstance(given.get(field), str):
            yield event.arn("ec2", f"{kind}/{given[field]}")
    if isinstance(given.get("applicationId"), str):
        environment = given.get("environmentId") or ""
        yield event.arn("appconfig", f"application/{given['applicationId']}/environment/{environment}")


def _opened(given: Mapping[str, Any]) -> str:
    """What a rule of a security group or a route is about, as far as the call says it."""
    parts = []
    for item in _items(given.get("ipPermissions")):
        ports = "-".join(dict.fromkeys(str(item[p]) for p in ("fromPort", "toPort") if p in item))
        ranges = [str(r.get("cidrIp") or r.get("cidrIpv6")) for r in _items(item.get("ipRanges"))]
        parts.append(" ".join(filter(None, (str(item.get("ipProtocol") or ""), ports, ", ".join(ranges)))))
    if rule := _parameters(as_object(given.get("securityGroupRule")).get("SecurityGroupRule")):
        ports = "-".join(dict.fromkeys(str(rule[p]) for p in ("fromPort", "toPort") if p in rule))
        source = next((str(rule[name]) for name in _SOURCES if rule.get(name)), "")
        parts.append(" ".join(filter(None, (str(rule.get("ipProtocol") or ""), ports, source))))
    parts += [
        str(given[name]) for name in ("destinationCidrBlock", "associationId") if isinstance(given.get(name), str)
    ]
    if isinstance(given.get("configurationVersion"), str):
        parts.append(f"version {given['configurationVersion']}")
    return "; ".join(parts)


def _items(value: Any) -> list[Mapping[str, Any]]:
    """CloudTrail writes lists of EC2 as `{"items": [...]}`."""
    items = as_object(value).get("items")
    return [as_object(item) for item in items] if isinstance(items, list) else []
