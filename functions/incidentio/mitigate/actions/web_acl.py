"""A WAF web ACL as several actions look at it. Its target is `REGIONAL/name` or `CLOUDFRONT/name`."""

from collections.abc import Iterator
from typing import Any

from typing_extensions import override

from incidentio.core.errors import Conflict, NotFound
from incidentio.mitigate.actions.action import Action, Call, P, Place, Statement, refuse_system

PATTERN = r"(REGIONAL|CLOUDFRONT)/[A-Za-z0-9_-]{1,128}"


class OnWebAcl(Action[P]):
    target_type = "AWS::WAFv2::WebACL"
    target_pattern = PATTERN

    @property
    def scope(self) -> str:
        return self.target.split("/")[0]

    @property
    def acl(self) -> str:
        return self.target.split("/")[1]

    @property
    @override
    def resource(self) -> str:
        return f"web ACL {self.acl} ({self.scope}) in {self.place.region}"


def arns(place: Place, *kinds: str) -> tuple[str, ...]:
    """Of resources of these kinds (`webacl`, `ipset`) in either scope."""
    return tuple(place.arn("wafv2", f"{scope}/{kind}/*") for kind in kinds for scope in ("regional", "global"))


def reading(place: Place) -> tuple[Statement, ...]:
    """The rights that `found` needs."""
    return (
        # It knows no resource.
        Statement(actions=("wafv2:ListWebACLs",), resources=("*",)),
        Statement(actions=("wafv2:GetWebACL",), resources=arns(place, "webacl")),
    )


def region_of(scope: str, place: Place) -> str:
    return "us-east-1" if scope == "CLOUDFRONT" else place.region


def found(call: Call, target: str, place: Place) -> tuple[dict[str, Any], str]:
    """The web ACL, and the token that a change of it must carry.

    Raises:
        NotFound: there is none of that name.
        Conflict: it is one of CloudFront, and those are told and changed in us-east-1 only:
            https://docs.aws.amazon.com/waf/latest/developerguide/how-aws-waf-works-resources.html
    """
    scope, name = target.split("/")
    if place.region != region_of(scope, place):
        raise Conflict(
            f"web ACLs of CloudFront are changed in us-east-1, and this is {place.region}: "
            "use the commands by hand, or incidentio in us-east-1"
        )
    for summary in _listed(call, scope):
        if summary["Name"] == name:
            answer = call("wafv2", "get_web_acl", Name=name, Scope=scope, Id=summary["Id"])
            return answer["WebACL"], answer["LockToken"]
    raise NotFound(f"there is no web ACL {name} ({scope}) in {place.region}")


def _listed(call: Call, scope: str) -> Iterator[dict[str, Any]]:
    more: dict[str, Any] = {}
    while True:
        page = call("wafv2", "list_web_acls", Scope=scope, **more)
        yield from page.get("WebACLs", ())
        # WAF gives a marker with the last page too; the one after that is empty.
        if not page.get("NextMarker") or not page.get("WebACLs"):
            return
        more = {"NextMarker": page["NextMarker"]}


def refuse_our_own(call: Call, what: str, arn: str) -> None:
    """Raises Forbidden when the resource is one of ours."""
    tags = call("wafv2", "list_tags_for_resource", ResourceARN=arn)["TagInfoForResource"].get("TagList", ())
    refuse_system(what, {tag["Key"]: tag["Value"] for tag in tags})
