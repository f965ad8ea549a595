"""Whether an alarm acts, is only watched, or is none of our business."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from incidentio.core.catalog import Catalog
from incidentio.core.signal import Mode

PAGE_TAG = "incidentio:page"
ATTACHED = "its action is our signal topic"
_NOT_ATTACHED = f"not attached to our signal topic, not tagged {PAGE_TAG}, and of no service in the catalogue"
INVOKED = "its action is our ingest function"
SENT_ON_PURPOSE = "somebody sends it to our signal topic"
_UNASKED = "AWS tells of it unasked, and what it is about is of no service in the catalogue"
_SECURITY = "a security finding of high or critical severity, which acts without being asked for"
_NO = ("false", "no", "0", "off")


def wants_pages(tags: Mapping[str, str]) -> bool:
    """Whether the alarm's tags say that it should act: the tag is there and is no refusal."""
    return tags.get(PAGE_TAG, "no").strip().lower() not in _NO


@dataclass(frozen=True)
class Attachment:
    """The rules of one deployment. `own_prefix` is the stack's name, which our own alarms begin with."""

    own_prefix: str
    catalog: Catalog

    def ignored(self, alarm_name: str) -> str | None:
        """Why the alarm never becomes an incident; None when it may."""
        if alarm_name.startswith("TargetTracking-"):
            return "target tracking: autoscaling works with it"
        if alarm_name.startswith(self.own_prefix + "-"):
            return "our own: it goes to the watchdog topic"
        return None

    def of_event(self, *, alarm_name: str, alarm_arn: str, tags: Mapping[str, str]) -> tuple[Mode, str]:
        """Mode and reason of an alarm that nobody attached to our topic."""
        if wants_pages(tags):
            return Mode.LIVE, f"tagged {PAGE_TAG}"
        for name, service in self.catalog.services.items():
            if why := service.match.why(alarm_name=alarm_name, alarm_arn=alarm_arn, tags=tags):
                return Mode.LIVE, f"service {name}: {why}"
        return Mode.MONITOR, _NOT_ATTACHED

    def of_resources(
        self, resources: Sequence[str], tags: Mapping[str, str], *, urgent: bool = False
    ) -> tuple[Mode, str, str | None]:
        """Mode, reason and service of what AWS tells unasked: live only for a service we know, or where it is `urgent`.

        `urgent` is kept for security findings of high or critical severity.
        """
        owner = self.catalog.owner_of(resources, tags)
        if owner:
            return Mode.LIVE, f"service {owner[0]}: {owner[1]}", owner[0]
        if wants_pages(tags):
            return Mode.LIVE, f"tagged {PAGE_TAG}", None
        return (Mode.LIVE, _SECURITY, None) if urgent else (Mode.MONITOR, _UNASKED, None)
