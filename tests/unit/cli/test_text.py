import pytest

from incidentio.cli.text import inert, inert_block


@pytest.mark.parametrize(
    "hostile",
    ["\x1b[2J", "\x1b]52;c;ZXZpbA==\x07", "\x9b31m", "a\rb", "\u202egnp", "\u2066x\u2069", "\x00", "\x7f", "a\u2028b"],
)
def test_nothing_that_steers_a_terminal_is_left(hostile: str) -> None:
    assert all(character.isprintable() for character in inert(hostile))


def test_text_for_people_stays_as_it_is() -> None:
    assert inert("café → 12 % über «limit» 👩‍💻 日本") == "café → 12 % über «limit» 👩‍💻 日本"


def test_one_line_stays_one_line() -> None:
    assert inert("first\nsecond\tthird") == "first second third"


def test_a_block_keeps_its_lines() -> None:
    assert inert_block("# one\n\n\x1b[1mtwo") == "# one\n\n\N{REPLACEMENT CHARACTER}[1mtwo"


def test_a_limit_is_marked() -> None:
    assert inert("0123456789", limit=5) == "0123…"
