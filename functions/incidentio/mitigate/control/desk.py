"""What the control function is asked, and what it works with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from incidentio.core.bundle import Bundle
from incidentio.core.errors import IncidentioError, InvalidInput, NotFound
from incidentio.core.incident import Incident
from incidentio.core.ports import Clock, Table
from incidentio.mitigate.ports import Alarms, KillSwitch
from incidentio.mitigate.run import Run
from incidentio.mitigate.surviving import surviving
from incidentio.mitigate.switches import holds, stopped

if TYPE_CHECKING:
    from incidentio.core.playbook import Playbook

Answer = dict[str, Any]
"""What the state machine reads: always a `decision`."""


class Request(BaseModel):
    """One task's payload: the ids, and what its operation needs of the rest."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    op: str
    run_id: str
    incident_id: str
    execution: str = ""
    definition: str = ""
    stage: Literal["requested", "approved"] = "requested"
    token: str = ""
    turn: int = 1
    step: int = 0
    steps: tuple[int, ...] = ()
    seconds: int = 0
    last: bool = False
    seen: dict[str, Any] | None = None
    applied: dict[str, Any] | None = None
    confirmed: dict[str, Any] | None = None
    borrow_seconds: int = 0
    error: str = ""
    mode: str = ""
    below: int = 0
    undone: dict[str, Any] | None = None
    after: int = 0
    planned: dict[str, Any] | None = None

    @property
    def attempt(self) -> int:
        """The number an execution that undoes has at the end of its name: `RUN-…-revert-2`."""
        number = self.execution.rpartition("-")[2]
        return int(number) if number.isdigit() and self.execution != self.run_id else 1


def parse_request(event: Any) -> Request:
    """Raises InvalidInput, naming each wrong field."""
    try:
        return Request.model_validate(event)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise InvalidInput(f"not a request for control: {wrong}") from None


@dataclass(frozen=True)
class Desk:
    """The ports, bound once per process."""

    table: Table
    bundle: Bundle
    kill_switch: KillSwitch
    alarms: Alarms
    clock: Clock

    def playbook(self, name: str) -> "Playbook | None":
        return self.bundle.playbooks.get(name)

    def stopped(self, incident: Incident, run: Run) -> str | None:
        """Why nothing may act now. A kill switch that cannot be read is on.

        Raises:
            Unavailable: trouble that may pass; the task is tried again, and then the run is undone.
        """
        try:
            parameter = self.kill_switch.value()
        except NotFound:
            return "the kill switch parameter does not exist, so nobody could stop this"
        for each in self._incidents(incident):
            why = stopped(self.table, each, run, parameter=parameter, bundle=self.bundle)
            if why:
                return why
        return None

    def holds(self, incident: Incident, run: Run) -> bool:
        """Whether who stopped automation said to keep what is changed."""
        try:
            parameter = self.kill_switch.value()
        except IncidentioError:
            # An undo waits for no parameter; what people said in the table counts all the same.
            parameter = ""
        return holds(self.table, self._incidents(incident), run, parameter=parameter, bundle=self.bundle)

    def _incidents(self, incident: Incident) -> list[Incident]:
        """Its own and the one that it was merged into: who stops either means this run too."""
        return list({i.id: i for i in (incident, surviving(self.table, incident))}.values())

    def over(self, incident: Incident) -> str | None:
        """Why there is nobody to act for any more, or None."""
        now = surviving(self.table, incident)
        return None if now.is_open else f"{now.id} is {now.status.value}"

    def alarm_stops(self, playbook: str) -> str | None:
        """Why the playbook's own stop condition says no, or None."""
        definition = self.playbook(playbook)
        if definition is None or definition.stop_if is None:
            return None
        name = definition.stop_if.alarm
        state = self.alarms.state(name)
        if state is None:
            return f"the alarm {name} of stop_if does not exist"
        return f"the alarm {name} of stop_if is in ALARM" if state == "ALARM" else None
