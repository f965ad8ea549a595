"""An EKS cluster as actions see it, and the updates of it that are under way."""

from typing import Any

from incidentio.mitigate.actions.action import Call

NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"


def cluster(call: Call, name: str) -> dict[str, Any]:
    """Raises NotFound: there is none."""
    found: dict[str, Any] = call("eks", "describe_cluster", name=name)["cluster"]
    return found


def updates(call: Call, name: str, *, most: int) -> list[dict[str, Any]]:
    """Updates of the cluster itself, newest first: all that EKS still lists, but `most` at most.

    https://docs.aws.amazon.com/eks/latest/APIReference/API_ListUpdates.html
    """
    found: list[str] = []
    more: dict[str, Any] = {}
    while len(found) < most:
        page = call("eks", "list_updates", name=name, **more)
        found += page.get("updateIds", ())
        if not (token := page.get("nextToken")):
            break
        more = {"nextToken": token}
    told = [call("eks", "describe_update", name=name, updateId=update)["update"] for update in found[:most]]
    return sorted(told, key=lambda update: update["createdAt"], reverse=True)
