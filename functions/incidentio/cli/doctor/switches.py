"""Is automation stopped somewhere? Kill switches are easy to set at night and easy to forget."""

from collections.abc import Iterator
from typing import Any

from incidentio.cli.client import Api
from incidentio.cli.doctor.finding import Finding

_OFF = frozenset({"", "off", "false", "none", "{}", "[]", "-"})


def check_switches(api: Api, ssm: Any, *, parameter: str) -> Iterator[Finding]:
    """No kill switch is on, neither in the table nor in the parameter that works when we are down."""
    yield _parameter(ssm.get_parameter(Name=parameter)["Parameter"]["Value"].strip(), parameter)
    stopped = [switch for switch in api.call("GET", "/hands-off")["items"] if switch["on"]]
    if not stopped:
        yield Finding("hands-off", "ok", "automation is stopped nowhere")
    for switch in stopped:
        scope = switch["scope"]
        why = f"by {switch.get('by') or 'somebody'}: {switch.get('reason') or 'no reason given'}"
        yield Finding("hands-off", "warn", f"{scope} is stopped {why}", f"incidentio hands-off {scope} off --reason …")


def _parameter(value: str, name: str) -> Finding:
    if value.lower() in _OFF:
        return Finding("emergency stop", "ok", f"the parameter {name} is off")
    return Finding(
        "emergency stop",
        "warn",
        f"the parameter {name} says {value!r}: automation is stopped",
        f"aws ssm put-parameter --overwrite --name {name} --value off",
    )
