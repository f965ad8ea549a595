"""What a playbook acts on, named so that a signal, a lock and a run agree: `type|account|region|name`."""

from collections.abc import Callable, Mapping

from incidentio.core.errors import InvalidInput
from incidentio.core.signal import Subject


def _function(d: Mapping[str, str]) -> str | None:
    return d.get("FunctionName")


def _ecs_service(d: Mapping[str, str]) -> str | None:
    return f"{d['ClusterName']}/{d['ServiceName']}" if "ClusterName" in d and "ServiceName" in d else None


def _instance(d: Mapping[str, str]) -> str | None:
    return d.get("InstanceId")


_FROM_DIMENSIONS: dict[str, Callable[[Mapping[str, str]], str | None]] = {
    "AWS::Lambda::Function": _function,
    "AWS::EC2::Instance": _instance,
    "AWS::ECS::Service": _ecs_service,
}


def target_id(type: str, *, account: str, region: str, name: str) -> str:
    return f"{type}|{account}|{region}|{name}"


def target_name(target: str) -> str:
    """The name part of a target id: a function name, or `cluster/service`."""
    return target.split("|", 3)[3]


def targets_of(subject: Subject) -> dict[str, str]:
    """CloudFormation type → target id, for everything the metric's dimensions name."""
    found = {}
    for type, named in _FROM_DIMENSIONS.items():
        if name := named(subject.dimensions):
            found[type] = target_id(type, account=subject.account, region=subject.region, name=name)
    return found


def target_for(type: str, subject: Subject, given: str | None, *, account: str, region: str) -> str:
    """The target of one run: the name the caller gave, else the one the signal is about.

    `account` and `region` are ours, for an incident no alarm opened.

    Raises:
        InvalidInput: neither names one of this type.
    """
    if given:
        return target_id(type, account=subject.account or account, region=subject.region or region, name=given)
    found = targets_of(subject)
    if type not in found:
        raise InvalidInput(
            f"the incident names no {type}: pass target, such as the function's name or cluster/service",
            type=type,
            named=sorted(found),
        )
    return found[type]
