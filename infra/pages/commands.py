"""`commands.md` of a playbook: how to do and undo it with plain `aws` commands, for the night when we are down."""

from collections.abc import Iterator, Mapping

from incidentio.core.errors import IncidentioError
from incidentio.core.playbook import Parameter, Playbook
from incidentio.core.targets import target_id
from incidentio.mitigate.actions import Commands, Place, commands_for
from infra.cases.estates import estate_of

_PLACE = Place(partition="aws", account="ACCOUNT", region="REGION")


def commands_page(playbook: Playbook, examples: Mapping[str, int | str]) -> str:
    """`examples` are parameters that a case of the playbook is given: like those its estate names, they fit where a
    parameter's own name would not.

    Raises:
        IncidentioError: an action takes neither.
    """
    target, values, commands = example_commands(playbook, examples)
    return "\n".join(_page(playbook, target, values, commands))


def example_commands(
    playbook: Playbook, examples: Mapping[str, int | str]
) -> tuple[str, dict[str, int | str], Commands]:
    """The target, parameters and commands of the page: of the estate's example, with a value for every parameter."""
    estate = estate_of(playbook)
    target, known = estate.example, {**examples, **estate.named}
    values = {name: _value(name, parameter, known.get(name)) for name, parameter in playbook.parameters.items()}
    named = target_id(playbook.targets.type, account=_PLACE.account, region=_PLACE.region, name=target)
    first: IncidentioError | None = None
    for chosen in (values, {**values, **known}):
        try:
            return target, chosen, commands_for(playbook, target=named, values=chosen, place=_PLACE)
        except IncidentioError as error:
            first = first or error
    assert first is not None  # noqa: S101 - both ways failed
    raise first


def _value(name: str, parameter: Parameter, example: int | str | None) -> int | str:
    if parameter.type == "integer":
        known = (parameter.default, example, parameter.minimum, parameter.maximum, 1)
        return next(value for value in known if value is not None)
    for candidate in (parameter.default, name.upper(), name, example, "x"):
        try:
            if candidate not in (None, ""):
                return parameter.checked(name, candidate)
        except ValueError:
            continue
    return ""


def _page(playbook: Playbook, target: str, values: Mapping[str, int | str], commands: Commands) -> Iterator[str]:
    yield f"# {playbook.name}, by hand"
    yield ""
    yield f"Made from `playbook.yaml` by `make pages`. For `{target}` and these parameters; for yours:"
    yield ""
    given = "".join(f" --param {name}=…" for name in values)
    yield "```sh"
    yield f"incidentio playbooks commands {playbook.name} --target …{given}"
    yield "```"
    yield ""
    if values:
        yield ", ".join(f"`{name}` = `{value}`" for name, value in values.items()) + "."
        yield ""
    yield "Nothing here is checked, approved or locked: you are the envelope."
    yield "Look first, in bash, and keep what it says."
    if commands.do:
        yield "After a look that failed or found nothing, the others do nothing."
    yield ""
    for title, lines in (("look", commands.look), ("do", commands.do), ("undo", commands.undo)):
        if lines:
            yield "```sh"
            yield f"# {title}"
            yield from lines
            yield "```"
            yield ""
