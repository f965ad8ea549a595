"""`cordon-node`: let a Kubernetes node of an EKS cluster take no new pods. Those that run there go on.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/
"""

import json
import shlex
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from incidentio.core.errors import Conflict, Forbidden, InvalidInput, NotFound, Unavailable
from incidentio.mitigate.actions.action import (
    Action,
    Call,
    Change,
    Commands,
    Parameters,
    Place,
    Statement,
    Value,
    refuse_system,
)


class CordonNode(Action[Parameters]):
    """The value is whether the node is unschedulable."""

    name = "cordon-node"
    target_type = "Custom::KubernetesNode"
    target_pattern = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"
    parameters: ClassVar[type[Parameters]] = Parameters

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        return (Statement(actions=("eks:DescribeCluster",), resources=(place.arn("eks", "cluster/*"),)),)

    @property
    def cluster(self) -> str:
        return self.target.split("/")[0]

    @property
    def node(self) -> str:
        return self.target.split("/")[1]

    @property
    @override
    def subject(self) -> str:
        return f"scheduling on node {self.node} of cluster {self.cluster}"

    @property
    @override
    def resource(self) -> str:
        return f"node {self.node} in cluster {self.cluster}"

    @override
    def said(self, value: Value) -> str:
        return "off" if value else "on"

    def _described(self, call: Call) -> dict[str, Any]:
        cluster: dict[str, Any] = call("eks", "describe_cluster", name=self.cluster)["cluster"]
        return cluster

    def _asked(self, call: Call, method: str, path: str, patch: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What the Kubernetes API answers.

        Raises: what the status means to us. 409: the node changed since it was read, so it is worth another try.
        """
        cluster = self._described(call)
        token = call("https", "eks_token", cluster=self.cluster)["token"]
        headers = {"Accept": "application/json", "Authorization": f"Bearer {token}"}
        if patch is not None:
            headers["Content-Type"] = "application/merge-patch+json"
        answer = call(
            "https",
            "request",
            method=method,
            url=f"{cluster['endpoint']}{path}",
            headers=headers,
            body=None if patch is None else json.dumps(patch),
            ca=b64decode(cluster["certificateAuthority"]["data"]).decode(),
        )
        if answer["status"] != 200:
            status = int(answer["status"])
            why = _WHY.get(status, "")
            raise _MEANING.get(status, Unavailable if status >= 500 else InvalidInput)(
                f"the Kubernetes API of {self.cluster} answered {status} to {method} {path.partition('?')[0]}{why}"
            )
        found: dict[str, Any] = json.loads(answer["body"])
        return found

    def _node(self, call: Call) -> dict[str, Any]:
        return self._asked(call, "GET", f"/api/v1/nodes/{self.node}")

    @override
    def read(self, call: Call) -> Value:
        return bool(self._node(call).get("spec", {}).get("unschedulable", False))

    @override
    def wanted(self, before: Value) -> Value:
        if before:
            raise Conflict(f"node {self.node} takes no new pods already")
        return True

    @override
    def guard(self, call: Call, change: Change) -> None:
        refuse_system(f"cluster {self.cluster}", self._described(call).get("tags", {}))
        if not change.after:
            return
        open_ones = self._asked(call, "GET", "/api/v1/nodes?fieldSelector=spec.unschedulable%3Dfalse&limit=3")
        if not [item for item in open_ones.get("items", ()) if item["metadata"]["name"] != self.node]:
            raise Conflict(f"{self.node} is the last node of {self.cluster} that takes pods: none could start anywhere")

    @override
    def write(self, call: Call, value: Value) -> None:
        """The version that was read goes with it: Kubernetes refuses the change if the node changed meanwhile."""
        version = self._node(call)["metadata"]["resourceVersion"]
        spec = {"unschedulable": True if value else None}
        patch = {"metadata": {"resourceVersion": version}, "spec": spec}
        self._asked(call, "PATCH", f"/api/v1/nodes/{self.node}", patch)

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        config = f"aws eks update-kubeconfig --name {self.cluster} --region {self.place.region}"
        node = shlex.quote(self.node)
        do, undo = f"kubectl cordon {node}", f"kubectl uncordon {node}"
        if change:
            return Commands(do=(config, do), undo=() if change.before else (config, undo))
        # A node that takes pods does not have the field, and a look must say something.
        look = f"kubectl get node {node} -o 'jsonpath=unschedulable={{.spec.unschedulable}}'"
        return Commands(
            look=(config, f"{keep}=$({look})"),
            do=(do,),
            undo=(f'if [ "${keep}" != unschedulable=true ]; then {undo}; fi',),
        )


_MEANING = {
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Unavailable,
    429: Unavailable,
}
_WHY = {
    401: ": the cluster has no access entry for this function's role",
    403: ": the role may not get, list and patch nodes there",
}
