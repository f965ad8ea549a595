"""AWS Budgets, whose SNS message is a text for people. No recovery is told: a person ends it.

https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Notification.html

A budget of costs or usage alerts above its threshold; one of how far reservations and savings plans are used, below it.
"""

import re

from incidentio.core.attachment import SENT_ON_PURPOSE, Attachment
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode, SignalState
from incidentio.ingest.contracts.aws_event import AwsEvent, observed, texts
from incidentio.ingest.observation import Observation

SOURCE = "budgets"
_FIELD = re.compile(
    r"^(Budget Name|Budget Type|Alert Type|Alert Threshold|Budgeted Amount|\w+ Amount):[ \t]*(\S.*?)\s*$", re.MULTILINE
)
_SIDES = {">": "over", "<": "under", "=": "at"}
_ACCOUNT = re.compile(r"AWS Account (\d{12})")


def read_budget(text: str, *, published: str, attachment: Attachment) -> Observation | None:
    """One alert: each threshold of a budget is a signal of its own. None when the text is no budget's."""
    fields = dict(_FIELD.findall(text[:8192]))
    name = fields.get("Budget Name")
    if not text.lstrip().startswith("AWS Budget Notification") or not name:
        return None
    kind, threshold = fields.get("Alert Type", "ACTUAL"), fields.get("Alert Threshold", "")
    account = found[1] if (found := _ACCOUNT.search(text)) else ""
    amount = next((f"{k} {v}" for k, v in fields.items() if k.endswith(" Amount") and k != "Budgeted Amount"), "")
    event = AwsEvent("", account, "", published, (), {}, (Mode.LIVE, SENT_ON_PURPOSE))
    return observed(
        event,
        attachment,
        source=SOURCE,
        key=f"budget/{account}/{name}/{kind}/{threshold}",
        state=SignalState.FIRING,
        changed_at=published,
        title=f"Budget {name}: {kind.lower()} {_measured(fields.get('Budget Type', 'Cost'))} {_crossed(threshold)}",
        reason=", ".join(filter(None, [amount, f"budgeted {fields.get('Budgeted Amount', '?')}"])),
        severity=Severity.SEV4 if kind == "FORECASTED" else Severity.SEV3,
        resources=texts([name]),
    )


def _measured(budget: str) -> str:
    """ "cost", "usage", "RI utilization": abbreviations keep their letters."""
    return " ".join(word if word.isupper() else word.lower() for word in budget.split())


def _crossed(threshold: str) -> str:
    side, amount = threshold[:1], threshold.lstrip("<>= ")
    return f"{_SIDES.get(side, 'over')} {amount or 'its threshold'}"
