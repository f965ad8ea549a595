from datetime import UTC, datetime

import pytest
from rich.console import Console

from incidentio.cli import output

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LONG_ID = "APR-7K3F9A-0123456789ABCDEFGHJK7"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_is_terminal", lambda: True)
    monkeypatch.setattr(output, "_console", lambda: Console(width=60, highlight=False, markup=False, emoji=False))


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("2026-11-23T07:59:48.000Z", "12s"),
        ("2026-11-23T07:58:30Z", "1m"),
        ("2026-11-23T06:30:00Z", "90m"),
        ("2026-11-22T10:00:00Z", "22h"),
        ("2026-11-20T08:00:00Z", "3d"),
        ("2026-11-23T08:00:05Z", "0s"),
        (None, ""),
    ],
)
def test_how_long_ago(at: str | None, shown: str) -> None:
    assert output.ago(at, NOW) == shown


def test_what_people_copy_stays_whole_in_a_narrow_terminal(terminal: None, capsys: pytest.CaptureFixture[str]) -> None:
    output.emit_table(["approval", "status", "why"], [(LONG_ID, "pending", "word " * 40)], empty="")
    shown = capsys.readouterr().out
    assert LONG_ID in shown
    assert "pending" in shown
    assert shown.count("word") == 40


def test_markup_in_a_cell_is_shown_and_not_obeyed(terminal: None, capsys: pytest.CaptureFixture[str]) -> None:
    output.emit_table(["title"], [("[bold]x[/bold] :boom:",)], empty="")
    assert "[bold]x[/bold] :boom:" in capsys.readouterr().out


def test_outside_a_terminal_a_row_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit_table(["id", "title"], [("INC-7K3F9A", "word " * 100)], empty="")
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_facts_leave_out_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    output.emit_facts({"status": "resolved", "service": None, "roles": ""})
    assert capsys.readouterr().out == "status  resolved\n"
