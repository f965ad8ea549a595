"""A token by which an EKS cluster knows an IAM identity: a presigned STS call that the cluster makes for itself.

https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
"""

from base64 import urlsafe_b64encode
from typing import Any

from botocore.signers import RequestSigner

SECONDS = 60
"""Of the presigned URL. The cluster takes the token for longer, and asks STS each time it sees a new one."""


def eks_token(sts: Any, credentials: Any, *, cluster: str) -> str:
    """The bearer token for `cluster`, good for some minutes. `sts` is a client, and tells Region and endpoint.

    It proves who calls and grants nothing: what that identity may do is up to the cluster.
    """
    region = sts.meta.region_name
    signer = RequestSigner(sts.meta.service_model.service_id, region, "sts", "v4", credentials, sts.meta.events)
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"{sts.meta.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": cluster},
            "context": {},
        },
        region_name=region,
        expires_in=SECONDS,
        operation_name="",
    )
    return "k8s-aws-v1." + urlsafe_b64encode(url.encode()).decode().rstrip("=")
