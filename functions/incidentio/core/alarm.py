"""A CloudWatch alarm as it stands, for whoever looks instead of being told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Alarm:
    """`changed_at` is when its state last became another one. `suppressed_by`: why a composite's actions wait."""

    name: str
    arn: str
    changed_at: datetime
    reason: str = ""
    reason_data: str | None = None
    actions: tuple[str, ...] = ()
    actions_enabled: bool = True
    suppressed_by: str | None = None
    namespace: str = ""
    metric: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)
