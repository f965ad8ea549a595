"""The labels of an incident: what matchers in routing and in a playbook's `when` are written against."""

from incidentio.core.incident import Incident


def labels_of(incident: Incident) -> dict[str, str]:
    """`alertname`, `metric`, `namespace`, `service`, `environment`, `severity`, `kind` and `dim_<DimensionName>`.

    What is not known is the empty string, which is how matchers read a missing label.
    """
    subject = incident.subject
    return {
        **{f"dim_{name}": value for name, value in subject.dimensions.items()},
        "alertname": subject.alarm_name,
        "metric": subject.metric,
        "namespace": subject.namespace,
        "service": incident.service or "",
        "environment": incident.environment,
        "severity": incident.severity.value,
        "kind": incident.kind.value,
    }
