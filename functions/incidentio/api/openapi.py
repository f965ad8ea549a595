"""The OpenAPI document: made from the routes once per process, completed with what they all share."""

import json
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayRestResolver

from incidentio.api.calls import MAX_IDEMPOTENCY_KEY
from incidentio.api.errors import MEANING, ErrorBody

VERSION = "1.0.0"
_TITLE = "incidentio"
_ABOUT = (
    "The incident API. Every call is signed with Signature Version 4 for the service `execute-api`. "
    'Errors have one shape: `{"error": {"code", "message", "details"}}`.'
)
_WRITES = ("post", "patch", "put", "delete")
_IAM = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": "AWS Signature Version 4, service execute-api.",
    "x-amazon-apigateway-authtype": "awsSigv4",
}
_HEADERS = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The same key from the same caller acts once; a repeat gets the present state.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY},
    },
    {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The `version` the caller read; another one is refused with 409.",
        "schema": {"type": "string", "pattern": r'^(W/)?"?[0-9]{1,9}"?$|^\*$'},
    },
]


def document(app: APIGatewayRestResolver) -> dict[str, Any]:
    """The whole document, as JSON-ready data."""
    made: dict[str, Any] = json.loads(
        app.get_openapi_json_schema(title=_TITLE, version=VERSION, description=_ABOUT, openapi_version="3.1.0")
    )
    made.pop("servers", None)
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        schemas.pop(unused, None)
    error = ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(error.pop("$defs"))
    schemas["ErrorBody"] = error
    made["components"]["securitySchemes"] = {"iam": _IAM}
    made["security"] = [{"iam": []}]
    for item in made["paths"].values():
        for method, operation in item.items():
            _complete(method, operation)
    return made


def _complete(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    responses.pop("500", None)
    for status, meaning in MEANING.items():
        responses[str(status)] = {
            "description": meaning,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
        }
    if method in _WRITES:
        operation.setdefault("parameters", []).extend(_HEADERS)
