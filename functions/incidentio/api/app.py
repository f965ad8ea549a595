"""The HTTP API, composed: routes, errors, and a way to call it without HTTP."""

import binascii
import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
    ResponseValidationError,
)

from incidentio.api import errors
from incidentio.api.calls import BODY_LIMIT, REVIEW_BODY_LIMIT, Api
from incidentio.api.resolver import Resolver
from incidentio.core.archive import Archive, RetentionMode
from incidentio.core.bundle import Bundle
from incidentio.core.errors import Conflict, IncidentioError, InvalidInput
from incidentio.core.ports import Clock, Refused, Stale, Table

if TYPE_CHECKING:
    from incidentio.core.integration import SigningSecrets

_LOG = logging.getLogger(__name__)


def create_app(
    *,
    table: Table,
    archive: Archive,
    secrets: "SigningSecrets",
    bundle: Bundle,
    clock: Clock,
    account: str,
    region: str,
    retention_mode: RetentionMode = "GOVERNANCE",
    retention_days: int = 365,
    unexpected: Callable[[str, Exception], None] | None = None,
) -> APIGatewayRestResolver:
    """The whole API over these adapters.

    `unexpected` is told of every error that is a defect of ours, with its correlation id; the
    caller sees only the id. By default it goes to the standard log.
    """
    api = Api(table, archive, secrets, bundle, clock, account, region, retention_mode, retention_days)
    app = Resolver(api)
    app.use([_known_parameters])
    _answer_errors(app, unexpected or _log)
    return app


def handle(app: APIGatewayRestResolver, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer one API Gateway proxy event; nothing a caller sends makes this raise."""
    correlation_id = _correlation_id(event)
    oversize = _oversize(event)
    answer = oversize or app.resolve(event, context)
    answer.setdefault("multiValueHeaders", {})["x-correlation-id"] = [correlation_id]
    return answer


def dispatch(  # noqa: PLR0917 - reads like a request line
    app: APIGatewayRestResolver,
    method: str,
    path: str,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    user_arn: str = "",
) -> tuple[int, dict[str, Any]]:
    """Call the API in this process: same routes, same core, no network but the table's.

    `body` is anything JSON can hold. Returns the HTTP status and the decoded answer.
    """
    event = {
        "httpMethod": method.upper(),
        "path": path,
        "headers": {"content-type": "application/json", **(headers or {})},
        "queryStringParameters": dict(query or {}),
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {"requestId": "direct", "stage": "", "path": path, "identity": {"userArn": user_arn}},
    }
    answer = handle(app, event, None)
    return answer["statusCode"], json.loads(answer["body"])


def _known_parameters(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Refuse a query parameter no route knows: a misspelt filter would answer with everything."""
    route = app.context["_route"]
    if route.summary is None:  # none of ours: on its way to the 404
        return next_middleware(app)
    known = {field.alias for field in route.dependant.query_params}
    for name in app.current_event.query_string_parameters:
        if name not in known:
            valid = ", ".join(sorted(known)) or "none"
            raise InvalidInput(f"unknown query parameter {name[:40]!r}: this takes {valid}", valid=sorted(known))
    return next_middleware(app)


def _answer_errors(app: APIGatewayRestResolver, unexpected: Callable[[str, Exception], None]) -> None:
    def ours(error: IncidentioError) -> Response[Any]:
        return _json(errors.status_of(error), errors.body_of(error.code, error.message, **error.details))

    def invalid(error: RequestValidationError) -> Response[Any]:
        return _json(400, errors.validation_body(list(error.errors())))

    def undecodable(_error: Exception) -> Response[Any]:
        return _json(400, errors.body_of(InvalidInput.code, "the body is not UTF-8 text"))

    def outrun(_error: Exception) -> Response[Any]:
        return _json(409, errors.body_of(Conflict.code, "somebody else changed it at the same time: read it again"))

    def no_route(_error: NotFoundError) -> Response[Any]:
        asked = f"{app.current_event.http_method[:10]} {app.current_event.path[:200]}"
        return _json(404, errors.body_of("not_found", f"there is no {asked}: GET /openapi.json lists what there is"))

    def defect(error: Exception) -> Response[Any]:
        correlation_id = _correlation_id(app.current_event.raw_event)
        unexpected(correlation_id, error)
        message = "something went wrong on our side; nothing about your request needs to change"
        return _json(500, errors.body_of("internal_error", message, correlation_id=correlation_id))

    answers: list[tuple[list[type[Exception]], Callable[[Any], Response[Any]]]] = [
        ([IncidentioError], ours),
        ([RequestValidationError, RequestUnsupportedContentType], invalid),
        ([UnicodeDecodeError, binascii.Error], undecodable),
        ([Refused, Stale], outrun),
        ([NotFoundError], no_route),
        ([ResponseValidationError, Exception], defect),
    ]
    for kinds, answer in answers:
        app.exception_handler(kinds)(answer)


def _json(status: int, body: Mapping[str, Any]) -> Response[Any]:
    return Response(status_code=status, content_type="application/json", body=json.dumps(body, default=str))


def _correlation_id(event: Mapping[str, Any]) -> str:
    context = event.get("requestContext")
    return str(context.get("requestId") or "unknown") if isinstance(context, Mapping) else "unknown"


def _oversize(event: Mapping[str, Any]) -> dict[str, Any] | None:
    limit = REVIEW_BODY_LIMIT if str(event.get("path", "")).rstrip("/").endswith("/postmortem/review") else BODY_LIMIT
    actual = len(event.get("body") or "")
    if actual <= limit:
        return None
    body = errors.body_of(
        "too_large", f"the body has {actual} characters: at most {limit} are read", limit=limit, actual=actual
    )
    return {
        "statusCode": 413,
        "body": json.dumps(body),
        "isBase64Encoded": False,
        "multiValueHeaders": {"Content-Type": ["application/json"]},
    }


def _log(correlation_id: str, error: Exception) -> None:
    _LOG.error("unexpected error, correlation id %s", correlation_id, exc_info=error)
