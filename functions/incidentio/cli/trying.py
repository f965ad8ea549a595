"""Running a playbook's cases for an operator: pytest does it, and none of its words are shown."""

import os
import re
from collections.abc import Sequence
from typing import Any

from incidentio.cli import output
from incidentio.core.errors import NotFound
from infra.cases.model import ROOT

_RING = "tests/integration/playbooks"
_CLASS = re.compile(r"^(?:[a-z_]\w*\.)*[A-Z]\w*: ")
"""What Python writes before a message: `AssertionError: `, `incidentio.core.errors.InvalidInput: `."""
_PAGES = "tests/unit/playbooks/test_library.py"
"""What its files must hold, and the cases it must have."""


def tried(names: Sequence[str]) -> bool:
    """Whether all that was tried of the playbooks `names` (none: of all) did as it promises; told a line each.

    Raises:
        NotFound: this is no checkout, or `make setup` has not been run in it.
    """
    if not (ROOT / _RING).is_dir() or not (ROOT / "build" / "emulator").is_dir():
        raise NotFound("trying a playbook needs a checkout of incidentio in which `make setup` has been run")
    try:
        import pytest  # noqa: PLC0415 - of the development environment
    except ImportError:
        raise NotFound("trying a playbook needs the development environment: run `make setup`") from None
    told = _Told(names)
    os.chdir(ROOT)
    # Without its own terminal pytest knows none of the options that `make test` gives it.
    pytest.main([_PAGES, _RING, "-o", "addopts=", "-p", "no:terminal", "-p", "no:cacheprovider"], plugins=[told])
    output.say(f"{told.passed} of {told.passed + told.failed} did as they should")
    return bool(told.passed) and not told.failed


class _Told:
    """A plugin of pytest that keeps the tests of some playbooks and tells of each in words."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._words: dict[str, str] = {}
        self._about: dict[str, str] = {}
        self._wrong: set[str] = set()
        """Playbooks whose files are wrong: what they do is not tried."""
        self.passed = self.failed = 0

    def pytest_collection_modifyitems(self, config: Any, items: list[Any]) -> None:
        kept = [item for item in items if _of(item) and (not self._names or _of(item) in self._names)]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept
        self._about = {item.nodeid: _of(item) for item in items}
        self._words = {item.nodeid: _in_words(item) for item in items}

    def pytest_runtest_protocol(self, item: Any) -> bool | None:
        """True: the test is done with, without having run."""
        return True if _of(item) in self._wrong and not item.nodeid.startswith(_PAGES) else None

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" and report.passed:
            self.passed += 1
            output.emit_line(f"ok      {self._words[report.nodeid]}")
        elif report.failed:
            self.failed += 1
            if report.nodeid.startswith(_PAGES):
                self._wrong.add(self._about[report.nodeid])
            output.emit_line(f"failed  {self._words[report.nodeid]}")
            output.emit_line(f"        {_reason(report)}")

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.failed += 1
            output.emit_text(str(report.longrepr))


def _of(item: Any) -> str:
    """The playbook a test is about; empty: it is about none."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return str(getattr(parameters.get("playbook"), "name", "") or parameters.get("name", ""))


def _in_words(item: Any) -> str:
    """The case's name; of a test that every playbook gets, what it is called."""
    case = item.callspec.params.get("case")
    what = item.originalname.removeprefix("test_").replace("_", " ")
    return f"{_of(item)}: {case.name if case else what}"


def _reason(report: Any) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    message = str(crash.message if crash else report.longrepr).strip()
    return _CLASS.sub("", message.partition("\n")[0]) or message
