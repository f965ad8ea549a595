"""Every action by name, and what follows from a playbook's steps: rights, commands, mistakes."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from incidentio.core.errors import Forbidden, InvalidInput
from incidentio.core.mistakes import in_words
from incidentio.core.playbook import PARAMETER, Playbook, Step
from incidentio.core.steps import Leaf, Manual, Wait
from incidentio.core.targets import region_of, with_article
from incidentio.mitigate.actions.action import Action, Commands, Place, Statement
from incidentio.mitigate.actions.guarded import guarded
from incidentio.mitigate.actions.samples import samples

_WHERE: Mapping[str, str] = {
    "block-addresses": "edge_block.BlockAddresses",
    "call-webhook": "webhook.CallWebhook",
    "cap-function": "critical_capacity.CapFunction",
    "cordon-node": "kubernetes_node.CordonNode",
    "disable-access-key": "access_key.DisableAccessKey",
    "disable-job-queue": "batch_queue.DisableJobQueue",
    "disable-rule": "event_rule.DisableRule",
    "disable-schedule": "schedule.DisableSchedule",
    "end-batch-jobs": "batch_jobs.EndBatchJobs",
    "enforce-rate-rule": "rate_rule.EnforceRateRule",
    "fail-over-database": "failover.FailOverDatabase",
    "look-at-cluster": "look_at_cluster.LookAtCluster",
    "look-at-database": "look_at_database.LookAtDatabase",
    "look-at-function": "look_at_function.LookAtFunction",
    "look-at-service": "look_at_service.LookAtService",
    "protect-from-termination": "termination_protection.ProtectFromTermination",
    "quarantine-instance": "quarantine.QuarantineInstance",
    "raise-control-plane-tier": "control_plane_tier.RaiseControlPlaneTier",
    "raise-table-capacity": "table_capacity.RaiseTableCapacity",
    "reserve-concurrency": "critical_capacity.ReserveConcurrency",
    "restore-route": "recorded_route.RestoreRoute",
    "restore-rules": "recorded_rules.RestoreRules",
    "revoke-sessions": "role_sessions.RevokeSessions",
    "run-automation": "automation.RunAutomation",
    "set-alias-version": "alias_version.SetAliasVersion",
    "set-default-origin": "default_origin.SetDefaultOrigin",
    "set-desired-count": "desired_count.SetDesiredCount",
    "set-feature-flag": "feature_flag.SetFeatureFlag",
    "set-group-capacity": "group_capacity.SetGroupCapacity",
    "set-group-maximum": "group_maximum.SetGroupMaximum",
    "set-nodegroup-size": "nodegroup.SetNodegroupSize",
    "set-reserved-concurrency": "reserved_concurrency.SetReservedConcurrency",
    "set-scaling-maximum": "scaling_maximum.SetScalingMaximum",
    "set-task-definition": "task_definition.SetTaskDefinition",
    "shift-weight": "record_weight.ShiftWeight",
    "slow-event-sources": "event_sources.SlowEventSources",
    "stop-deployment": "code_deploy.StopDeployment",
    "stop-tagged-instances": "tagged_instances.StopTaggedInstances",
    "tag-instance": "instance_tag.TagInstance",
    "throttle-stage": "stage_throttle.ThrottleStage",
    "throttle-usage-plan": "usage_plan.ThrottleUsagePlan",
}
"""Where each action is. A function imports the one or two that its playbook needs."""

ACTIONS: tuple[str, ...] = tuple(sorted(_WHERE))
"""The names of all actions."""


@cache
def action_named(name: str) -> type[Action[Any]]:
    """The action of that name.

    Raises:
        InvalidInput: there is none; names the valid ones.
    """
    if name not in _WHERE:
        raise InvalidInput(f"unknown action {name!r}: valid are {', '.join(ACTIONS)}", valid=list(ACTIONS))
    module, _, class_name = _WHERE[name].partition(".")
    found: type[Action[Any]] = getattr(import_module(f"incidentio.mitigate.actions.{module}"), class_name)
    return found


def prepared(name: str, given: Mapping[str, Any], target: str, place: Place) -> Action[Any]:
    """The action `name` on `target` (`type|account|region|name`) with a step's resolved parameters.

    Raises:
        InvalidInput: unknown action, unfitting parameters, or a target that is not what the action acts on.
        Forbidden: a target of another account or Region.
    """
    action = action_named(name)
    type_, account, region, target_name = _parts(target)
    if action.target_type not in (None, type_):
        raise InvalidInput(f"{name} acts on {action.target_type}, and the target is {with_article(type_)}")
    if (account, region) != (place.account, region_of(type_, place.region)):
        raise Forbidden(f"{name} acts only in {place.account} {place.region}; the target is in {account} {region}")
    if not re.fullmatch(action.target_pattern, target_name):
        raise InvalidInput(
            f"{target_name!r} is not the name of {with_article(type_)}: it must match {action.target_pattern}"
        )
    try:
        parameters = action.parameters.model_validate(given)
    except ValidationError as error:
        raise InvalidInput("; ".join(_told(name, e) for e in error.errors(include_url=False))) from None
    return action(target=target_name, given=parameters, place=place)


def check_step(step: Step, playbook: Playbook) -> Iterator[tuple[tuple[str, ...], str]]:
    """What is wrong with a step, as (location inside the step, message). `${…}` stands for all its parameter may be."""
    try:
        action = action_named(step.action)
    except InvalidInput as error:
        yield ("action",), error.message
        return
    if action.target_type not in (None, playbook.targets.type):
        yield (
            ("action",),
            f"{step.action} acts on {action.target_type}, and the playbook targets {playbook.targets.type}",
        )
    seen = set()
    for given, unsure in samples(step, playbook):
        try:
            action.parameters.model_validate(given)
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                at = ("with", *(str(part) for part in problem["loc"]))
                if (at, problem["msg"]) not in seen and not unsure.intersection(at):
                    seen.add((at, problem["msg"]))
                    yield at, _told(step.action, problem) + _tried(step, problem)


def permissions_for(playbook: Playbook, *, partition: str, account: str, region: str) -> list[Statement]:
    """The union of what the steps' actions need: the whole policy of the playbook's action function."""
    place = Place(partition=partition, account=account, region=region)
    found: list[Statement] = []
    for step in playbook.steps:
        for statement in action_named(step.action).permissions(step.with_, place):
            if statement not in found:
                found.append(statement)
    return found


def commands_for(playbook: Playbook, *, target: str, values: Mapping[str, int | str], place: Place) -> Commands:
    """The playbook as plain `aws` commands, for the night when incidentio is down; undo in reverse order.

    After a look that fails, or finds nothing, neither acts.

    `values` are the bound parameters (`Playbook.bind`).
    """
    done = [
        _under_condition(leaf, commands)
        for leaf in playbook.leaves
        if leaf.target == 0 and (commands := _commands_of(leaf, target=target, values=values, place=place))
    ]
    return guarded(
        Commands(
            look=tuple(line for c in done for line in c.look),
            do=tuple(line for c in done for line in c.do),
            undo=tuple(line for c in reversed(done) for line in c.undo),
        )
    )


def _commands_of(leaf: Leaf, *, target: str, values: Mapping[str, int | str], place: Place) -> Commands | None:
    match leaf.step:
        case Step():
            action = prepared(leaf.step.action, leaf.step.resolved(values), target, place)
            return None if action.skipped() else action.commands(None, keep=f"BEFORE_{leaf.n}")
        case Manual():
            texts = leaf.step.resolved(values)
            said = f"# by hand: {texts['manual']}"
            undo = str(texts["undo"]).splitlines()
            return Commands(do=(said, *str(texts["commands"]).splitlines()), undo=(said, *undo) if undo else ())
        case Wait():
            return Commands(do=(f"sleep {leaf.step.resolved(values)['seconds']}",))


def _under_condition(leaf: Leaf, commands: Commands) -> Commands:
    if not leaf.step.if_:
        return commands
    only = f"# only if {' and '.join(map(str, leaf.step.if_))}"
    return Commands(
        look=commands.look,
        do=(only, *commands.do) if commands.do else (),
        undo=(only, *commands.undo) if commands.undo else (),
    )


def _parts(target: str) -> tuple[str, str, str, str]:
    parts = target.split("|", 3)
    if len(parts) != 4:
        raise InvalidInput(f"{target!r} is not a target: expected type|account|region|name")
    return parts[0], parts[1], parts[2], parts[3]


def _told(name: str, problem: Any) -> str:
    """One pydantic error as a line that names what would be right."""
    valid = ", ".join(sorted(action_named(name).parameters.model_fields))
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown parameter {where}: {name} takes {valid}"
    if problem["type"] == "missing":
        return f"parameter {where} is required: {name} takes {valid}"
    message = in_words([problem])
    return f"{name} {where}: {message}" if where else f"{name}: {message}"


def _tried(step: Step, problem: Any) -> str:
    written = step.with_.get(str(problem["loc"][0])) if problem["loc"] else None
    return f" (it may be {problem['input']!r})" if PARAMETER.search(str(written)) else ""
