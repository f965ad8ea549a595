"""A playbook as commands to paste, from the YAML of this checkout."""

from collections.abc import Mapping

from incidentio.core.errors import InvalidInput, NotFound
from incidentio.core.nearest import no_playbook
from incidentio.core.targets import partition_of, target_id
from incidentio.mitigate.actions import Commands, Place, commands_for
from infra.documents import load_playbooks
from infra.local.environment import ROOT

_NOT_IN_ANY_COMMAND = "000000000000"


def by_hand(playbook: str, *, target: str, parameters: Mapping[str, int | str], region: str) -> Commands:
    """What `playbook` would do to `target`, as shell lines.

    Raises:
        NotFound: no such playbook, with the valid names. InvalidInput: a target or parameter that does not fit.
    """
    known = load_playbooks(ROOT / "playbooks")
    if playbook not in known:
        raise NotFound(no_playbook(playbook, known, where=" here", listed="ls playbooks"))
    definition = known[playbook]
    try:
        values = definition.bind(dict(parameters))
    except ValueError as error:
        raise InvalidInput(str(error)) from None
    # Commands are for the caller's own account, whichever that is.
    place = Place(partition=partition_of(region), account=_NOT_IN_ANY_COMMAND, region=region)
    named = target_id(definition.targets.type, account=place.account, region=region, name=target)
    return commands_for(definition, target=named, values=values, place=place)
