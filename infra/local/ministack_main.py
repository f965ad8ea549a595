"""Starts MiniStack with one mistake of it put right. Runs in the emulator's own environment, which cannot see ours.

An update of a nested stack forgets the attributes of resources that did not change, so that whatever refers to them
fails (1.5.33).
"""

import importlib
import sys
from typing import Any


def keep_attributes(provisioners: Any, stacks: Any) -> None:
    """Let an unchanged resource of a nested stack keep the attributes it was created with."""
    update = provisioners._update_resource  # noqa: SLF001 - there is no other way in

    def keeping(type_: str, physical_id: str, old: Any, new: Any, *where: Any) -> tuple[str, Any]:
        updated_id, attributes = update(type_, physical_id, old, new, *where)
        if not attributes and len(where) > 1:
            stack, logical_id = where[:2]
            resources = stacks.get(stack, {}).get("_resources", {})
            attributes = resources.get(logical_id, {}).get("Attributes", {})
        return updated_id, attributes

    provisioners._update_resource = keeping  # noqa: SLF001


if __name__ == "__main__":
    # The first argument is only there to be seen in the process list.
    del sys.argv[1:]
    stacks = importlib.import_module("ministack.services.cloudformation")._stacks  # noqa: SLF001
    keep_attributes(importlib.import_module("ministack.services.cloudformation.provisioners"), stacks)
    importlib.import_module("ministack.app").main()
