"""The deployed target that integration and e2e tests share: started by the first test that needs it, once per run."""

import contextlib
import fcntl
import gc
import json
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_HOME = "INCIDENTIO_TEST_HOME"
_PACE = 0.025
"""A playbook that verifies for ten minutes gives up after fifteen seconds."""
_ON_ONE_WORKER = ("tests/e2e/test_own_target.py", "tests/infra/", "tests/integration/local/test_target.py")
"""Tests that share a target and break it in turns, or a synthesis that takes seconds of a core."""
_ONE_PARAMETER_ON_ONE_WORKER = "tests/integration/playbooks/test_rights.py"
"""What a playbook's cases use is found out once for all tests about its rights."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """The controller makes one folder for the run's targets; xdist workers are told of it.

    The tests' temporary folders get one too: in the one that all runs share, each clears away what the others left.
    """
    if not hasattr(config, "workerinput"):
        config.stash[_home_key] = Path(tempfile.mkdtemp(prefix="incidentio-test-"))
        config.stash[_temporary_key] = Path(tempfile.mkdtemp(prefix="incidentio-test-"))
        if config.option.basetemp is None:
            config.option.basetemp = config.stash[_temporary_key] / "pytest"


def pytest_configure_node(node: Any) -> None:
    node.workerinput[_HOME] = str(node.config.stash[_home_key])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep some tests on one worker: with pytest 9.2, xdist 3.8 forgets its own `xdist_group` mark.

    Source: https://github.com/pytest-dev/pytest-xdist/issues/1386
    """
    from xdist.scheduler import LoadGroupScheduling

    class Scheduling(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            if nodeid.startswith(_ONE_PARAMETER_ON_ONE_WORKER):
                return _ONE_PARAMETER_ON_ONE_WORKER + nodeid.partition("[")[2]
            return next((together for together in _ON_ONE_WORKER if nodeid.startswith(together)), nodeid)

    return Scheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that wait for a deployed app stand among those that compute, all of them before the last third."""
    waiting = deque(item for item in items if item.nodeid.startswith("tests/e2e/"))
    computing = [item for item in items if not item.nodeid.startswith("tests/e2e/")]
    apart = 2 * len(computing) // (3 * len(waiting)) if waiting else 0
    items.clear()
    for n, item in enumerate(computing):
        if waiting and n % (apart or 1) == 0:
            items.append(waiting.popleft())
        items.append(item)
    items += waiting


def pytest_collection_finish() -> None:
    """Seven thousand tests and what they import stay to the end: looking through them again and again costs a fifth."""
    gc.freeze()
    gc.set_threshold(10_000)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the run started, however it ended."""
    home = config.stash.get(_home_key, None)
    if home is None:
        return
    if any(home.iterdir()):
        from infra.local import target

        for folder in list(home.iterdir()):
            for port in [p.name for p in folder.iterdir() if p.name.isdigit()] if folder.is_dir() else []:
                target.down(home=folder, port=int(port))
    shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(config.stash[_temporary_key], ignore_errors=True)


_home_key: pytest.StashKey[Path] = pytest.StashKey()
_temporary_key: pytest.StashKey[Path] = pytest.StashKey()


@pytest.fixture(scope="session")
def run_home(pytestconfig: pytest.Config) -> Path:
    """Where this run's targets keep their state, shared by its workers."""
    worker = getattr(pytestconfig, "workerinput", None)
    return Path(worker[_HOME]) if worker else pytestconfig.stash[_home_key]


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def target(run_home: Path) -> dict[str, Any]:
    """The description (DESIGN: `local.json`) of the shared target, with the tests' playbooks and services."""
    from infra.local import target as local
    from infra.local.deployment import DEFAULT_CATALOG, Deployable

    home = run_home / "shared"
    with locked(run_home / "shared.lock"):
        described = home / "local.json"
        if described.exists():
            description: dict[str, Any] = json.loads(described.read_text())
            return description
        own, catalog = Path(__file__).parent / "e2e", run_home / "catalog"
        for folder in (DEFAULT_CATALOG, own / "catalog"):
            shutil.copytree(folder, catalog, dirs_exist_ok=True)
        return local.up(
            home=home,
            port=None,
            deployable=Deployable(catalog=catalog, playbooks=(own / "playbooks",), pace=_PACE),
            say=lambda _line: None,
        )
