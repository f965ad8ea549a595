"""One incident as a list of facts: what `incidentio incidents show` prints above the timeline."""

from collections.abc import Mapping
from typing import Any

from incidentio.cli import output
from incidentio.core.counted import counted


def facts_of(incident: Mapping[str, Any]) -> dict[str, object]:
    automation = "hands off: no playbook starts or goes on" if incident.get("hands_off") else None
    return {
        "status": incident["status"],
        "severity": incident["severity"],
        "service": incident.get("service"),
        "environment": incident.get("environment"),
        "kind": None if incident.get("kind") == "real" else incident.get("kind"),
        "mode": None if incident.get("mode") == "live" else f"monitor: {incident.get('mode_reason')}",
        "version": incident["version"],
        "why": incident.get("why"),
        "blast radius": ", ".join(incident.get("blast_radius") or ()),
        "impact": _impact(incident.get("impact")),
        **_context(incident.get("context") or {}),
        "linked": ", ".join(incident.get("related") or ()),
        "turn to": ", ".join(incident.get("responders") or ()),
        "proposed": ", ".join(incident.get("proposed") or ()),
        "roles": ", ".join(f"{role} {person}" for role, person in (incident.get("roles") or {}).items()),
        "automation": automation,
        "to give back": counted(leases, "borrowed change") if (leases := incident.get("open_leases")) else None,
        "postmortem": None if incident.get("postmortem") == "none" else incident.get("postmortem"),
        **{
            name.removesuffix("_at").replace("_", " "): output.moment(incident.get(name))
            for name in (
                "impact_started_at", "detected_at", "triaged_at", "acknowledged_at", "mitigated_at", "resolved_at",
                "closed_at",
            )
        },
        "flapping since": output.moment(incident.get("flapping_since")),
        "storm": incident.get("parent"),
        "children": ", ".join(incident.get("children") or ()),
        "previous": incident.get("previous_incident_id"),
        "merged into": incident.get("merged_into"),
        "reason": incident.get("resolution_reason"),
    }  # fmt: skip


def _impact(impact: Mapping[str, Any] | None) -> str | None:
    if not impact:
        return None
    users = None if impact["users"] is None else f"{impact['users']} users ({impact['users_by']})"
    revenue = f"{impact['revenue']} ({impact['revenue_by']})" if impact["revenue"] else None
    return ", ".join(part for part in (users, revenue) if part) or None


def _context(context: Mapping[str, Any]) -> dict[str, object]:
    """What triage found: the first suspect, similar incidents, and what it would have liked to know."""
    suspect = next(iter(context.get("suspects") or ()), None)
    similar = [
        f"{s['incident_id']} ({s['score']} %)" + (f": {s['fixed_by']}" if s["fixed_by"] else "")
        for s in context.get("similar") or ()
    ]
    missing = [gap["name"] for gap in context.get("gaps") or ()]
    return {
        "suspect": f"{suspect['sentence']} ({suspect['score']} of 100: {suspect['why']})" if suspect else None,
        "similar": "; ".join(similar),
        "context": f"{context['completeness']} of 100, missing: {', '.join(missing)}" if missing else None,
    }
