"""What a playbook step may do: one small class per action, and the registry that names them.

Importing this package needs pydantic and nothing of AWS: the stack reads the declared
permissions from here, and the function's handler brings the clients.
"""

from incidentio.mitigate.actions.action import Action, Commands, Place, Statement
from incidentio.mitigate.actions.registry import (
    ACTIONS,
    action_named,
    check_step,
    commands_for,
    permissions_for,
    prepared,
)

__all__ = [
    "ACTIONS",
    "Action",
    "Commands",
    "Place",
    "Statement",
    "action_named",
    "check_step",
    "commands_for",
    "permissions_for",
    "prepared",
]
