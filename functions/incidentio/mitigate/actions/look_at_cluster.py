"""`look-at-cluster`: status, version, node groups, add-ons and recent updates of an EKS cluster."""

import shlex
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any, ClassVar

from typing_extensions import override

from incidentio.mitigate.actions.action import Call, Change, Commands, Look, Parameters, Place, Statement
from incidentio.mitigate.actions.eks_cluster import NAME, cluster, updates

_UPDATES, _SHOWN, _EACH = 20, 5, 15


class LookAtCluster(Look[Parameters]):
    name = "look-at-cluster"
    target_type = "AWS::EKS::Cluster"
    target_pattern = NAME
    parameters: ClassVar[type[Parameters]] = Parameters

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        actions = ("DescribeCluster", "DescribeUpdate", "ListAddons", "ListNodegroups", "ListUpdates")
        return (
            Statement(actions=tuple(f"eks:{action}" for action in actions), resources=(place.arn("eks", "cluster/*"),)),
            Statement(actions=("eks:DescribeNodegroup",), resources=(place.arn("eks", "nodegroup/*/*/*"),)),
            Statement(actions=("eks:DescribeAddon",), resources=(place.arn("eks", "addon/*/*/*"),)),
        )

    @property
    @override
    def subject(self) -> str:
        return f"cluster {self.target}"

    @override
    def facts(self, call: Call) -> tuple[str, ...]:
        now = cluster(call, self.target)
        tier = (now.get("controlPlaneScalingConfig") or {}).get("tier", "standard")
        platform = f" ({now['platformVersion']})" if now.get("platformVersion") else ""
        return (
            f"it is {now['status']}, Kubernetes {now.get('version', 'unknown')}{platform}, control plane tier {tier}",
            *_issues("the cluster", now),
            *self._nodegroups(call),
            *self._addons(call),
            *self._updates(call),
        )

    def _nodegroups(self, call: Call) -> Iterator[str]:
        names = self._listed(call, "list_nodegroups", "nodegroups")
        if not names:
            yield "it has no managed node group"
        for name in names[:_EACH]:
            found = call("eks", "describe_nodegroup", clusterName=self.target, nodegroupName=name)["nodegroup"]
            sizes = found.get("scalingConfig") or {}
            wants, most = sizes.get("desiredSize", 0), sizes.get("maxSize", 0)
            at = ": it is at its maximum" if wants >= most else ""
            yield (
                f"node group {name} is {found['status']}, Kubernetes {found.get('version', 'unknown')}, wants {wants} "
                f"nodes ({sizes.get('minSize', 0)} to {most}){at}"
            )
            yield from _issues(f"node group {name}", found)
        yield from _more(names, "node groups")

    def _addons(self, call: Call) -> Iterator[str]:
        """Those that are well in one sentence, the others one by one."""
        names, well = self._listed(call, "list_addons", "addons"), []
        for name in names[:_EACH]:
            found = call("eks", "describe_addon", clusterName=self.target, addonName=name)["addon"]
            told = f"{name} {found.get('addonVersion', '')}".strip()
            issues = list(_issues(f"add-on {name}", found))
            if found["status"] == "ACTIVE" and not issues:
                well.append(told)
                continue
            yield f"add-on {told} is {found['status']}"
            yield from issues
        if well:
            yield f"add-ons that are ACTIVE: {', '.join(well)}"
        yield from _more(names, "add-ons")

    def _updates(self, call: Call) -> Iterator[str]:
        found = updates(call, self.target, most=_UPDATES)[:_SHOWN]
        if not found:
            yield "no update of it is known"
        for update in found:
            what = ", ".join(f"{p['type']} {p['value']}" for p in update.get("params", ()) if p.get("value"))
            wrong = "; ".join(str(e.get("errorMessage") or e.get("errorCode")) for e in update.get("errors", ()))
            yield (
                f"{update['createdAt'].astimezone(UTC):%Y-%m-%d %H:%M} UTC {update['type']} {update['status']}"
                + (f": {what}" if what else "")
                + (f" ({wrong})" if wrong else "")
            )

    def _listed(self, call: Call, operation: str, of: str) -> list[str]:
        found: list[str] = []
        more: dict[str, Any] = {}
        while True:
            page = call("eks", operation, clusterName=self.target, **more)
            found += page.get(of, ())
            if not (token := page.get("nextToken")):
                return found
            more = {"nextToken": token}

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        name, region = shlex.quote(self.target), f"--region {self.place.region}"
        of, each = f"--cluster-name {name} {region}", "--output text --query"
        groups = f"$(aws eks list-nodegroups {of} {each} nodegroups)"
        addons = f"$(aws eks list-addons {of} {each} addons)"
        changes = f"$(aws eks list-updates --name {name} {region} {each} updateIds)"
        show = f"aws eks describe-nodegroup {of} --nodegroup-name $group"
        return Commands(
            look=(
                f"aws eks describe-cluster --name {name} {region} --query 'cluster.[status,version,health]'",
                f"for group in {groups}; do {show} --query 'nodegroup.[status,version,scalingConfig,health]'; done",
                f"for addon in {addons}; do aws eks describe-addon {of} --addon-name $addon; done",
                f"for update in {changes}; do aws eks describe-update --name {name} --update-id $update {region}; done",
            )
        )


def _issues(subject: str, described: Mapping[str, Any]) -> Iterator[str]:
    """https://docs.aws.amazon.com/eks/latest/APIReference/API_Issue.html"""
    for issue in (described.get("health") or {}).get("issues", ()):
        at = f" ({', '.join(issue['resourceIds'])})" if issue.get("resourceIds") else ""
        yield f"{subject} has {issue.get('code')}: {issue.get('message', '')}{at}"


def _more(names: list[str], what: str) -> Iterator[str]:
    if len(names) > _EACH:
        yield f"{len(names) - _EACH} more {what} were not looked at"
