"""A node of an EKS cluster, as the Kubernetes API and EKS tell it."""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from infra.cases.estate import Estate

_ENDPOINT = "https://0123456789ABCDEF.gr7.us-east-1.eks.amazonaws.com"


class KubernetesNode(Estate):
    """`unschedulable`; `others`: how many other nodes take pods."""

    values = ("others", "unschedulable")
    stands_in = ("eks.describe_cluster", "https.eks_token", "https.request")
    example = "shop/ip-10-0-1-7.eu-west-1.compute.internal"
    namespace, metric = "ContainerInsights", "node_status_condition_ready"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        self._tags = dict(tags)
        self._cluster, self._node = f"shop-{self.aws.tag}", f"ip-10-0-1-7-{self.aws.tag}.ec2.internal"
        self._unschedulable = bool(given.get("unschedulable", False))
        self._others = int(given.get("others", 2))
        self._version = 1

    @property
    @override
    def target(self) -> str:
        return f"{self._cluster}/{self._node}"

    @property
    @override
    def dimensions(self) -> dict[str, str]:
        return {"ClusterName": self._cluster, "NodeName": self._node}

    @override
    def now(self, name: str) -> Any:
        return self._others if name == "others" else self._unschedulable

    @override
    def set(self, name: str, value: Any) -> None:
        if name != "unschedulable":
            return super().set(name, value)
        self._unschedulable = value
        self._version += 1
        return None

    def describe_cluster(self, **_given: Any) -> dict[str, Any]:
        authority = b64encode(b"-----BEGIN CERTIFICATE-----").decode()
        cluster = {"name": self._cluster, "endpoint": _ENDPOINT, "certificateAuthority": {"data": authority}}
        return {"cluster": {**cluster, "tags": self._tags}}

    def eks_token(self, **given: Any) -> dict[str, Any]:
        return {"token": f"k8s-aws-v1.{given['cluster']}"}

    def request(self, **given: Any) -> dict[str, Any]:
        """As the Kubernetes API answers: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/"""
        status, told = self._answer(**given)
        return {"status": status, "body": json.dumps(told)}

    def _answer(self, *, method: str, url: str, headers: Mapping[str, str], body: str | None, ca: str) -> Any:
        if headers["Authorization"] != f"Bearer k8s-aws-v1.{self._cluster}" or not ca.startswith("-----BEGIN"):
            return 401, {}
        path = url.removeprefix(_ENDPOINT)
        if path.startswith("/api/v1/nodes?fieldSelector=spec.unschedulable%3Dfalse"):
            names = [] if self._unschedulable else [self._node]
            names += [f"other-{n}" for n in range(self._others)]
            return 200, {"items": [{"metadata": {"name": name}} for name in names[:3]]}
        if path != f"/api/v1/nodes/{self._node}":
            return 404, {}
        if method == "PATCH":
            patch = json.loads(body or "{}")
            if patch["metadata"]["resourceVersion"] != str(self._version):
                return 409, {}
            self.set("unschedulable", bool(patch["spec"]["unschedulable"]))
        spec = {"unschedulable": True} if self._unschedulable else {}
        return 200, {"metadata": {"name": self._node, "resourceVersion": str(self._version)}, "spec": spec}
