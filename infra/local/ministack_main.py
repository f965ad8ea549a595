"""Starts MiniStack with four things of it put right (1.5.33). Runs in the emulator's own environment, without ours.

* An update of a nested stack forgets the attributes of resources that did not change, so that whatever refers to them
  fails.
* Reading, setting and removing a function's concurrency, or an alias, is authorised as if it were one call.
* Every worker of a function unpacks code and layers anew: a thousand files each, which cost more than the cold start.
* Everything stored is an object for Python's garbage collector, which looks through all of them again and again. And
  after each answer it sends, its main thread waits five milliseconds for those that poll.
"""

import gc
import hashlib
import importlib
import sys
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def share_unpacked(lambda_runtime: Any, folder: Path) -> None:
    """Let the workers see one unpacked copy of the same archive, as they would see Lambda's read-only /var/task."""
    one_at_a_time = threading.Lock()

    class SharedZipFile(zipfile.ZipFile):
        def namelist(self) -> list[str]:
            return []  # read only to check a thousand paths, again for each worker

        def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
            members = super().namelist() if members is None else members
            unpacked = folder / hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()[:16]
            with one_at_a_time:
                if not unpacked.exists():
                    unfinished = unpacked.with_suffix(".unfinished")
                    super().extractall(unfinished, members, pwd)
                    unfinished.rename(unpacked)
            place = Path(path)
            place.rmdir()
            place.symlink_to(unpacked, target_is_directory=True)

    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": SharedZipFile})


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


def name_function_calls(iam_actions: Any) -> None:
    """Let IAM know calls on a function's concurrency and on one alias by the names AWS has for them."""
    named = iam_actions._lambda_action  # noqa: SLF001 - there is no other way in
    verbs = {"GET": "Get", "PUT": "Put", "DELETE": "Delete"}

    def right(method: str, path: str) -> Any:
        match [part for part in path.split("/") if part]:
            case [_, "functions", _, "concurrency"] if method in verbs:
                return f"{verbs[method]}FunctionConcurrency"
            case [_, "functions", _, "aliases", _] if method in verbs:
                return "UpdateAlias" if method == "PUT" else f"{verbs[method]}Alias"
        return named(method, path)

    iam_actions._lambda_action = right  # noqa: SLF001


if __name__ == "__main__":
    # The first argument is only there to be seen in the process list.
    del sys.argv[1:]
    stacks = importlib.import_module("ministack.services.cloudformation")._stacks  # noqa: SLF001
    keep_attributes(importlib.import_module("ministack.services.cloudformation.provisioners"), stacks)
    name_function_calls(importlib.import_module("ministack.core.iam_actions"))
    share_unpacked(importlib.import_module("ministack.core.lambda_runtime"), Path(tempfile.gettempdir()) / "unpacked")
    app = importlib.import_module("ministack.app")
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    sys.setswitchinterval(0.0005)
    app.main()
