"""`call-webhook`: set a value in a service of the team's own, such as a flag or a share of traffic, by https.

What that service answers is our contract with it. GET tells `{"value": "on"}`; POST of `{"value": "off", "if": "on"}`
sets it where it is still `on`, and answers 409 where it is not. The README of the playbook has it in full.
"""

import json
import shlex
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field
from typing_extensions import override

from incidentio.core.errors import Conflict, Forbidden, InvalidInput, NotFound, Unavailable
from incidentio.mitigate.actions.action import Action, Call, Change, Commands, Parameters, Place, Statement, Value
from incidentio.mitigate.actions.literal import literal

SECRETS = "incidentio/webhooks"
LONGEST = 256


class Webhook(Parameters):
    value: Annotated[str, Field(pattern=r"^[ -~]{1,200}$", description="what to set")]
    secret: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9_-]{0,64}$",
        description=f"secret below {SECRETS}/ that is sent as bearer token; empty: none",
    )


class CallWebhook(Action[Webhook]):
    name = "call-webhook"
    target_type = "Custom::Webhook"
    target_pattern = r"[a-z0-9.-]{1,253}(:[0-9]{1,5})?/[A-Za-z0-9._~/-]{0,200}"
    parameters: ClassVar[type[Parameters]] = Webhook

    @classmethod
    @override
    def permissions(cls, given: Mapping[str, Any], place: Place) -> tuple[Statement, ...]:
        if not given.get("secret"):
            return ()
        # Secrets Manager puts six characters of its own behind the name.
        secret = place.arn("secretsmanager", f"secret:{SECRETS}/{literal(given['secret'], '*')}-??????")
        return (Statement(actions=("secretsmanager:GetSecretValue",), resources=(secret,)),)

    @property
    @override
    def subject(self) -> str:
        return f"value of {self._url}"

    @property
    @override
    def resource(self) -> str:
        return f"value at {self._url}"

    @property
    def _url(self) -> str:
        return f"https://{self.target}"

    def _asked(self, call: Call, method: str, body: Mapping[str, Any] | None = None) -> str:
        """The body of the answer.

        Raises: what the status means to us.
        """
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.given.secret:
            headers["Authorization"] = f"Bearer {self._token(call)}"
        sent = None if body is None else json.dumps(body)
        answer = call("https", "request", method=method, url=self._url, headers=headers, body=sent)
        if 200 <= answer["status"] < 300:
            return str(answer["body"])
        raise _MEANING.get(answer["status"], Unavailable if answer["status"] >= 500 else InvalidInput)(
            f"{method} {self._url} answered {answer['status']}"
            + (": redirects are not followed" if 300 <= answer["status"] < 400 else "")
        )

    def _token(self, call: Call) -> str:
        """Raises Conflict: the secret is no text."""
        name = f"{SECRETS}/{self.given.secret}"
        secret = call("secretsmanager", "get_secret_value", SecretId=name).get("SecretString", "").strip()
        if not secret:
            raise Conflict(f"secret {name} holds no text: a bearer token is one")
        return str(secret)

    @override
    def read(self, call: Call) -> Value:
        try:
            told = json.loads(self._asked(call, "GET"))
            value = told["value"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise Conflict(f'GET {self._url} does not answer {{"value": "…"}}') from None
        if not isinstance(value, str) or not 0 < len(value) <= LONGEST or not value.isprintable():
            raise Conflict(f"the value of {self._url} is not a text of 1 to {LONGEST} printable characters")
        return value

    @override
    def wanted(self, before: Value) -> Value:
        if before == self.given.value:
            raise Conflict(f"{self.subject} is {before} already")
        return self.given.value

    @override
    def guard(self, call: Call, change: Change) -> None:
        """What may be called is listed by the deployment; the service itself carries no tag."""

    @override
    def write(self, call: Call, value: Value) -> None:
        """The service compares too: nobody's change between our look and this call is overwritten."""
        now = self.read(call)
        if now != value:
            self._asked(call, "POST", {"value": value, "if": now})

    @override
    def commands(self, change: Change | None, *, keep: str = "BEFORE") -> Commands:
        token = ""
        if self.given.secret:
            get = f"aws secretsmanager get-secret-value --secret-id {SECRETS}/{self.given.secret}"
            get = f"{get} --region {self.place.region} --query SecretString --output text"
            token = f' -H "Authorization: Bearer $({get})"'
        curl = f"curl -fsS{token}"

        def post(value: str) -> str:
            return f"{curl} --json {value} {self._url}"

        do = shlex.quote(json.dumps({"value": self.given.value}))
        if change:
            return Commands(do=(post(do),), undo=(post(shlex.quote(json.dumps({"value": change.before}))),))
        return Commands(
            look=(f"{keep}=$({curl} {self._url})",),
            do=(post(do),),
            undo=(post(f'"${keep}"'),),
        )


_MEANING = {
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    408: Unavailable,
    429: Unavailable,
}
