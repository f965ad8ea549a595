"""From an error to its HTTP answer: the one table, and the one shape of an error body."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from incidentio.core.errors import (
    Conflict,
    Forbidden,
    Gone,
    IncidentioError,
    InvalidInput,
    NotFound,
    TooLarge,
    Unavailable,
)

STATUS: dict[type[IncidentioError], int] = {
    InvalidInput: 400,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Gone: 410,
    TooLarge: 413,
    Unavailable: 503,
}

MEANING = {
    400: "The request is wrong: `message` says what, where, and what would be right.",
    403: "The caller may not do this.",
    404: "No such thing.",
    409: "The request does not fit the present state, or `If-Match` is stale.",
    410: "It was used or has expired, and will not come back.",
    413: "A text is over its limit; `details` holds `limit` and `actual`.",
    500: "A defect of ours; quote `details.correlation_id`.",
    503: "Something we depend on failed or is throttled: try again.",
}


class ErrorDetail(BaseModel):
    model_config = ConfigDict(defer_build=True)

    code: str = Field(description="Stable, for programs.")
    message: str = Field(description="One sentence for people.")
    details: dict[str, Any] = Field(description="What the code's readers need, such as `version` or `legal`.")


class ErrorBody(BaseModel):
    """Every answer that is not a success."""

    model_config = ConfigDict(defer_build=True)

    error: ErrorDetail


def status_of(error: IncidentioError) -> int:
    """The nearest class in the table decides. What AWS refused to *us* is never the caller's fault."""
    if "aws_code" in error.details:
        return STATUS[Unavailable]
    return next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), 500)


def body_of(code: str, message: str, **details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "details": details}}


def validation_body(errors: list[dict[str, Any]]) -> dict[str, Any]:
    """pydantic's findings as one sentence, with each field and what would be right in `details.errors`."""
    found = [{"field": _field(e.get("loc", ())), "problem": _problem(e)} for e in errors[:20]]
    message = "; ".join(f"{e['field']}: {e['problem']}" for e in found[:3])
    return body_of("invalid_input", message or "the request is not valid", errors=found)


def _field(loc: Any) -> str:
    parts = [str(part)[:40] for part in loc if part is not None]
    return ".".join(parts[1:] if len(parts) > 1 and parts[0] == "body" else parts) or "body"


def _problem(error: dict[str, Any]) -> str:
    message = str(error.get("msg", "is not valid")).removeprefix("Value error, ")
    return message[:1].lower() + message[1:300]
