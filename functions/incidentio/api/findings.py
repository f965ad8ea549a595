"""What triage found around an incident, and whom it hits, as the API shows them."""

from pydantic import BaseModel, ConfigDict, Field

from incidentio.api.calls import Api
from incidentio.core.console import console_links
from incidentio.core.impact import Estimate, estimate
from incidentio.core.incident import Incident
from incidentio.core.situation import Gap, Similar, Situation, Suspect, situation_of


class ContextView(BaseModel):
    """`suspects` and `similar`: the likeliest first. `completeness` is 0 to 100, `gaps` what is missing to it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    suspects: list[Suspect]
    similar: list[Similar]
    traces: dict[str, list[str]] = Field(description="Correlation and trace ids found in the signals, by kind.")
    completeness: int
    gaps: list[Gap]
    console: dict[str, str] = Field(description="Pages of the AWS console at the time of the incident.")


class Findings(BaseModel):
    """What an incident's reader gets beside its summary."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    impact: Estimate
    context: ContextView | None


def findings_of(api: Api, incident: Incident) -> Findings:
    """`context` is None until triage has looked."""
    situation = situation_of(api.table, incident.id)
    return Findings(
        impact=estimate(incident, api.bundle.catalog, api.clock()),
        context=_context(incident, situation, api) if situation else None,
    )


def _context(incident: Incident, situation: Situation, api: Api) -> ContextView:
    until = incident.mitigated_at or incident.resolved_at or api.clock()
    traces = situation.traces.get("xray_trace_id", ())
    return ContextView(
        suspects=list(situation.suspects),
        similar=list(situation.similar),
        traces={kind: list(ids) for kind, ids in situation.traces.items()},
        completeness=situation.completeness,
        gaps=list(situation.gaps),
        console=console_links(incident.subject, since=incident.impact_started_at, until=until, traces=traces),
    )
