"""The labels of incidents and signals: what matchers in routing and in a playbook's `when` are written against.

What is not known is the empty string, which is how matchers read a missing label.
"""

import re
from collections.abc import Mapping
from itertools import islice

from incidentio.core.incident import Incident
from incidentio.core.severity import Severity
from incidentio.core.signal import Kind, Signal, Subject

SENT = 20
"""Labels of an incident at most, beside those that rules give it."""
_NAME = re.compile(r"(?!aws:|incidentio:)[A-Za-z_][\w.:-]{0,62}")
_LONGEST = 128
EVERYWHERE = ("alertname", "environment", "kind", "metric", "namespace", "service", "severity", "source")
"""Labels every incident has, besides `dim_<DimensionName>` for each dimension of its metric."""


def usual(label: str) -> bool:
    """Whether incidents have this label without a rule or a sender giving it to them."""
    return label in EVERYWHERE or label.startswith("dim_")


def labels_of(incident: Incident) -> dict[str, str]:
    """`alertname`, `metric`, `namespace`, `source`, `service`, `environment`, `severity`, `kind`, `dim_<Dimension>`.

    Beside them whatever rules and senders added.
    """
    return _labels(
        incident.subject,
        incident.labels,
        source=incident.source,
        service=incident.service,
        environment=incident.environment,
        severity=incident.severity,
        kind=incident.kind,
    )


def sent_labels(tags: Mapping[str, str]) -> dict[str, str]:
    """Those of `tags` that are labels of an incident: so few that its record stays small.

    Left out is what no matcher could name, what AWS or we ourselves mean by a tag, and what is more than `SENT`, by
    name: a table gives tags back in any order.
    """
    named = ((name, value) for name, value in sorted(tags.items()) if _NAME.fullmatch(name) and value)
    return {name: value[:_LONGEST] for name, value in islice(named, SENT)}


def labels_of_signal(signal: Signal, *, service: str | None) -> dict[str, str]:
    """The same of a signal, whose `service` may be known from the catalogue only.

    Its tags are labels as well; the environment is `production` where nobody says otherwise.
    """
    return labels_of_signalled(
        signal.subject,
        signal.tags,
        source=signal.source,
        service=service or signal.service,
        environment=signal.environment,
        severity=signal.severity,
        kind=signal.kind,
    )


def labels_of_signalled(
    subject: Subject,
    tags: Mapping[str, str],
    *,
    source: str,
    service: str | None,
    environment: str | None,
    severity: str | None,
    kind: Kind,
) -> dict[str, str]:
    """The same from the parts of a signal, as a member record has them."""
    said = Severity(severity) if severity else None
    return _labels(
        subject,
        tags,
        source=source,
        service=service,
        environment=environment or "production",
        severity=said,
        kind=kind,
    )


def _labels(
    subject: Subject,
    given: Mapping[str, str],
    *,
    source: str,
    service: str | None,
    environment: str,
    severity: Severity | None,
    kind: Kind,
) -> dict[str, str]:
    return {
        **given,
        **{f"dim_{name}": value for name, value in subject.dimensions.items()},
        "alertname": subject.alarm_name or given.get("alertname", ""),
        "metric": subject.metric,
        "namespace": subject.namespace,
        "source": source,
        "service": service or "",
        "environment": environment,
        "severity": severity.value if severity else "",
        "kind": kind.value,
    }
