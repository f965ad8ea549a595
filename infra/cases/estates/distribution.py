"""A CloudFront distribution with two origins, `main` and `standby`."""

from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import override

from infra.cases.estate import Estate


class Distribution(Estate):
    """`origin`: where the default behaviour fetches from; `enabled`."""

    values = ("enabled", "origin")
    example = "E1ABCDEFGHIJKL"
    named: ClassVar[Mapping[str, str]] = {"origin": "standby"}
    namespace, metric = "AWS/CloudFront", "5xxErrorRate"

    @override
    def make(self, given: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        origins = [
            {
                "Id": name,
                "DomainName": f"{name}.shop.example",
                "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
            }
            for name in ("main", "standby")
        ]
        config = {
            "CallerReference": self.aws.tag,
            "Comment": "shop",
            "Enabled": given.get("enabled", True),
            "Origins": {"Quantity": 2, "Items": origins},
            "DefaultCacheBehavior": {
                "TargetOriginId": given.get("origin", "main"),
                "ViewerProtocolPolicy": "redirect-to-https",
                "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
            },
        }
        items = [{"Key": key, "Value": value} for key, value in {"service": "shop", **tags}.items()]
        made = self.aws.client("cloudfront").create_distribution_with_tags(
            DistributionConfigWithTags={"DistributionConfig": config, "Tags": {"Items": items}}
        )
        self._id = str(made["Distribution"]["Id"])

    @property
    @override
    def target(self) -> str:
        return self._id

    @property
    @override
    def dimensions(self) -> dict[str, str]:
        return {"DistributionId": self._id, "Region": "Global"}

    @override
    def now(self, name: str) -> Any:
        config, _ = self._found()
        return config["Enabled"] if name == "enabled" else config["DefaultCacheBehavior"]["TargetOriginId"]

    @override
    def set(self, name: str, value: Any) -> None:
        if name != "origin":
            return super().set(name, value)
        config, version = self._found()
        config["DefaultCacheBehavior"]["TargetOriginId"] = value
        self.aws.client("cloudfront").update_distribution(Id=self._id, IfMatch=version, DistributionConfig=config)
        return None

    def _found(self) -> tuple[Any, str]:
        answer = self.aws.client("cloudfront").get_distribution_config(Id=self._id)
        return answer["DistributionConfig"], answer["ETag"]
