"""Lambda entry of every playbook's action function: one operation on one step, asked by its state machine."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from incidentio.aws.clients import client, credentials
from incidentio.aws.errors import translated
from incidentio.aws.settings import Settings, Text, settings
from incidentio.core.redaction import redact, redact_data
from incidentio.mitigate.actions.action import Place
from incidentio.mitigate.actions.request import answer, parse_request


class ActionSettings(Settings):
    playbook: Text
    outbound: str = ""


logger = Logger()


@cache
def _settings() -> ActionSettings:
    return settings(ActionSettings)


def _call(service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
    if service == "https":
        return _beyond_aws(operation, parameters)
    with translated(f"{service} {operation}"):
        result: dict[str, Any] = getattr(client(service), operation)(**parameters)
        return result


def _beyond_aws(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """What few playbooks need, so that the others do not load it."""
    if operation == "eks_token":
        from incidentio.aws.eks_token import eks_token  # noqa: PLC0415

        return {"token": eks_token(client("sts"), credentials(), **parameters)}
    from incidentio.aws import outbound  # noqa: PLC0415
    from incidentio.core.outbound import destinations  # noqa: PLC0415

    return outbound.request(**parameters, listed=destinations(_settings().outbound))


def _place(function_arn: str) -> Place:
    """The function acts where it lives; its own ARN says where that is."""
    _, partition, _, region, account, *_ = function_arn.split(":")
    return Place(partition=partition, account=account, region=region)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    request = parse_request(event)
    result = answer(request, call=_call, place=_place(context.invoked_function_arn))
    logger.info(
        redact(result.get("summary") or f"{request.op} of {request.action}", limit=1000),
        playbook=_settings().playbook,
        run_id=request.run_id,
        step=request.step,
        op=request.op,
        action=request.action,
        target=request.target,
        error=redact_data(result["error"]) if result.get("error") else None,
    )
    return result
