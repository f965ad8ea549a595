"""What each function needs from its environment: a model of its own in its handler, read once per cold start."""

import os
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from incidentio.core.errors import InvalidInput

Text = Annotated[str, StringConstraints(min_length=1)]


class Settings(BaseModel):
    """Field names are the environment variables' names in lower case."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class TableSettings(Settings):
    table_name: Text
    stack_prefix: Text


S = TypeVar("S", bound=Settings)


def settings(model: type[S]) -> S:
    """The environment as `model`.

    Raises:
        InvalidInput: names every missing or wrong variable.
    """
    given = {name: os.environ[name.upper()] for name in model.model_fields if name.upper() in os.environ}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False))
        raise InvalidInput(f"this function's environment is incomplete: {wrong}") from None
