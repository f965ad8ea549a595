"""A playbook as the API shows it, with how its versions did and where it was rehearsed."""

from typing import Any

from pydantic import Field

from incidentio.api.views import Next, Shown, View


class VersionView(View):
    """How the runs of one version of a playbook ended, for real incidents. What was refused changed nothing."""

    version: str
    definition_hash: str
    succeeded: int
    rolled_back: int
    rollback_failed: int
    refused: int
    success_rate: float | None = Field(description="Percent of the runs that acted; null when none has.")
    last_at: Shown


class RehearsalView(View):
    """When a playbook was last seen to work for a service. `stale` says why it may not start by itself there.

    `automatic`: the service's team lets it. `dry_run`: it would have worked, and changed nothing.
    """

    service: str
    automatic: bool
    at: Shown | None
    target: str | None
    run_id: str | None
    dry_run: bool
    stale: str | None


class PlaybookView(View):
    name: str
    version: str
    owner: str
    description: str
    risk: str
    approvals: int = Field(description="How many different people must approve a run.")
    definition_hash: str
    target_type: str
    when: list[str]
    parameters: dict[str, dict[str, Any]]
    success_rate: float | None = Field(
        description="Percent of the runs that acted, of all versions; null when none has."
    )
    versions: list[VersionView]
    rehearsals: list[RehearsalView]


class PlaybookList(View):
    items: list[PlaybookView]
    success_rate_by_risk: dict[str, float | None]
    next: Next = None
