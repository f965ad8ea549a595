"""Would what may start by itself really start? What was not rehearsed lately does not."""

import shlex
from collections.abc import Iterator

from incidentio.cli.client import Api
from incidentio.cli.doctor.finding import Finding


def check_rehearsals(api: Api) -> Iterator[Finding]:
    """Every playbook that a team lets start by itself was rehearsed for its service."""
    opted_in = [
        (playbook["name"], rehearsal)
        for playbook in api.call("GET", "/playbooks")["items"]
        for rehearsal in playbook["rehearsals"]
        if rehearsal["automatic"]
    ]
    stale = [(name, rehearsal) for name, rehearsal in opted_in if rehearsal["stale"]]
    if not stale:
        count = f"{len(opted_in)} may start by themselves, all rehearsed" if opted_in else "none may start by itself"
        yield Finding("rehearsals", "ok", count)
    for name, rehearsal in stale:
        target = f" --target {shlex.quote(rehearsal['target'])}" if rehearsal["target"] else " --target …"
        remedy = f"incidentio playbooks rehearse {name} --service {shlex.quote(rehearsal['service'])}{target}"
        why = rehearsal["stale"].partition(" (")[0]
        yield Finding(
            "rehearsals", "warn", f"{name} does not start by itself for {rehearsal['service']}: {why}", remedy
        )
