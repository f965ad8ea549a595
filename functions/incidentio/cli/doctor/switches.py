"""Is automation stopped somewhere? Kill switches are easy to set at night and easy to forget."""

import shlex
from collections.abc import Iterator
from typing import Any

from incidentio.cli.client import Api, open_incidents
from incidentio.cli.doctor.finding import Finding

_OFF = frozenset({"", "off", "false", "none", "{}", "[]", "-"})


def check_switches(api: Api, ssm: Any, *, parameter: str) -> Iterator[Finding]:
    """No kill switch is on: in the table, in the parameter that works when we are down, or of an open incident."""
    yield _parameter(ssm.get_parameter(Name=parameter)["Parameter"]["Value"].strip(), parameter)
    stopped = {
        typed(switch["scope"]): f"by {switch.get('by') or 'somebody'}: {switch.get('reason') or 'no reason given'}"
        for switch in api.call("GET", "/hands-off")["items"]
        if switch["on"]
    }
    incidents = (api.call("GET", f"/incidents/{incident_id}") for incident_id in open_incidents(api))
    stopped |= {incident["id"]: f"for itself: {incident['title']}" for incident in incidents if incident["hands_off"]}
    if not stopped:
        yield Finding("hands-off", "ok", "automation is stopped nowhere")
    for scope, why in stopped.items():
        remedy = f"incidentio hands-off {shlex.quote(scope)} off --reason WHY"
        yield Finding("hands-off", "warn", f"{scope} is stopped {why}", remedy)


def typed(scope: str) -> str:
    """A scope of the API as people type it: `all`, or the name of a service or playbook."""
    return "all" if scope == "global" else scope.removeprefix("service#").removeprefix("playbook#")


def _parameter(value: str, name: str) -> Finding:
    if value.lower() in _OFF:
        return Finding("emergency stop", "ok", f"the parameter {name} is off")
    return Finding(
        "emergency stop",
        "warn",
        f"the parameter {name} says {value!r}: automation is stopped",
        f"aws ssm put-parameter --overwrite --name {name} --value off",
    )
