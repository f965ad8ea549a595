"""The actions' port for one test: what AWS answers is written down; it and what is asked fit botocore's models."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from botocore import xform_name
from botocore.validate import ParamValidator

from tests.offline import session

Answer = Mapping[str, Any] | Exception | Callable[..., Mapping[str, Any]]


class Answers:
    """`Answers(describe_services={…})`: the same answer each time, an error to raise, or a function of the parameters.

    `asked` lists (operation, parameters).
    """

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        _fits(parameters, _operation(service, operation).input_shape)
        self.asked.append((operation, parameters))
        answer = self.answers[operation]
        if isinstance(answer, Exception):
            raise answer
        found = dict(answer(**parameters) if callable(answer) else answer)
        if shape := _operation(service, operation).output_shape:
            _fits(found, shape)
        return found

    def of(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of each call of that operation."""
        return [parameters for name, parameters in self.asked if name == operation]


@cache
def _operation(service: str, operation: str) -> Any:
    model = session().get_service_model(service)
    return next(model.operation_model(name) for name in model.operation_names if xform_name(name) == operation)


def _fits(given: dict[str, Any], shape: Any) -> None:
    report = ParamValidator().validate(given, shape)
    assert not report.has_errors(), report.generate_report()
