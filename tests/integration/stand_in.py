"""Operations that the emulator lacks, answered by the estate; the shapes of calls and answers are botocore's."""

from typing import Any

from botocore import xform_name
from botocore.model import Shape
from botocore.validate import ParamValidator

from incidentio.mitigate.actions.action import Call
from infra.cases.estate import Estate
from tests.offline import session


def stood_in(call: Call, estate: Estate) -> Call:
    """`call`, with the operations of `estate.stands_in` answered by it."""

    def answered(service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        if f"{service}.{operation}" not in estate.stands_in:
            return call(service, operation, **parameters)
        if service == "https":
            beyond: dict[str, Any] = getattr(estate, operation)(**parameters)
            return beyond
        model = session().get_service_model(service)
        shapes = next(model.operation_model(name) for name in model.operation_names if xform_name(name) == operation)
        _checked(parameters, shapes.input_shape)
        answer: dict[str, Any] = getattr(estate, operation)(**parameters)
        _checked(answer, shapes.output_shape)
        return answer

    return answered


def _checked(given: dict[str, Any], shape: Shape | None) -> None:
    if shape is None:
        assert not given
        return
    report = ParamValidator().validate(given, shape)
    assert not report.has_errors(), report.generate_report()
