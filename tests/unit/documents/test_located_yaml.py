"""YAML with lines: what it means, where it stands, and what is refused before anything is built from it."""

from pathlib import Path
from typing import Any

import pytest

from infra.located_yaml import DEEPEST, MOST_BYTES, Unreadable, read


def document(folder: Path, text: str | bytes) -> Any:
    path = folder / "x.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path)


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        document(folder, text)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on: resolved", {"on": "resolved"}),
        ("x: on", {"x": "on"}),
        ("x: no", {"x": "no"}),
        ("x: 22:00", {"x": "22:00"}),
        ("x: 2026-01-01", {"x": "2026-01-01"}),
        ("x: 1.2.0", {"x": "1.2.0"}),
        ("x: 1_000", {"x": "1_000"}),
        ("x: 017", {"x": 17}),
        ("x: -3", {"x": -3}),
        ("x: 1.5", {"x": 1.5}),
        ("x: true", {"x": True}),
        ("x: ~", {"x": None}),
        ("x:", {"x": None}),
        ("x: '5'", {"x": "5"}),
        ("5: x", {"5": "x"}),
        ("a: &a [1]\nb: *a", {"a": [1], "b": [1]}),
        ("# nothing", None),
        ("", None),
    ],
)
def test_words_mean_what_they_look_like(tmp_path: Path, text: str, value: Any) -> None:
    assert document(tmp_path, text).data == value


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ((), "x.yaml:1: wrong"),
        (("a",), "x.yaml:1: a: wrong"),
        (("a", "b", 1), "x.yaml:4: a.b[1]: wrong"),
        (("a", "b", 1, "c"), "x.yaml:4: a.b[1].c: wrong"),
        (("a", "missing"), "x.yaml:1: a.missing: wrong"),
        (("a", "b", 0, "int"), "x.yaml:3: a.b[0]: wrong"),
        (("other",), "x.yaml:1: other: wrong"),
    ],
)
def test_a_problem_stands_at_its_line_or_the_nearest_above(tmp_path: Path, at: Any, told: str) -> None:
    found = document(tmp_path, "a:\n  b:\n    - 1\n    - c: 2\n")
    assert str(found.problem(at, "wrong")).endswith(told)


def test_every_key_written_twice_is_told(tmp_path: Path) -> None:
    told = refusal(tmp_path, "a: 1\nb: {c: 1, c: 2}\na: 3\n").splitlines()
    assert [line.split("x.yaml")[1] for line in told] == [
        ":2: c: this key is already on line 2",
        ":3: a: this key is already on line 1",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1\nb: }", ":2: "),
        ("a: 'open", ":1: "),
        ("? [a]\n: 1", ":1: a key must be a plain word"),
        ("a: !!python/object:os.system x", ":1: could not determine a constructor"),
        (b"\xff\xfe\x00a", "not UTF-8"),
        ("a: 1\n---\nb: 2", "but found another document"),
        ("&a [*a]", f"nested deeper than {DEEPEST} levels"),
        ("[" * 3000, f"nested deeper than {DEEPEST} levels"),
        ("x" * (MOST_BYTES + 1), f"at most {MOST_BYTES} are read"),
        ("a: \x01", "unacceptable character"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, text: str | bytes, told: str) -> None:
    assert told in refusal(tmp_path, text)


def test_a_few_lines_cannot_become_millions_of_values(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "more than" in refusal(tmp_path, "\n".join(lines))
