"""Who may send signals over HTTP: making, rotating and revoking integrations. Every change keeps who made it.

The record of a change is written with it; the API's own log has a line for each call, with its caller.
"""

import re
from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any

from incidentio.api.calls import Api, Call
from incidentio.api.integration_views import (
    IntegrationView,
    NewIntegration,
    Rotation,
    ShownOnce,
    integration_view,
)
from incidentio.core.errors import Conflict, InvalidInput, NotFound
from incidentio.core.ids import iso
from incidentio.core.integration import (
    NAME_PATTERN,
    PARTITION,
    USED,
    Integration,
    SigningSecret,
    integration_from,
    new_key,
    new_signing_secret,
    rotated,
)
from incidentio.core.ports import ABSENT, Condition, Key, Put, Record, Refused

_TRIES = 5


def listed(api: Api) -> list[IntegrationView]:
    """All of them, revoked ones too, in order of their names."""
    used = {key.sk: str(body["used_on"]) for key, body in api.table.query(USED)}
    found = (integration_from(body) for _, body in api.table.query(PARTITION))
    return [integration_view(each, used_on=used.get(each.name)) for each in found]


def created(api: Api, call: Call, wanted: NewIntegration) -> ShownOnce:
    """A new integration, or a revoked one made anew; its key and secret are shown here and never again.

    Raises:
        Conflict: there is one of this name. A repeat of the request that made it gets a new key for the lost one.
        InvalidInput: it is to be signed, and its contract knows no signatures.
    """
    if wanted.signed and wanted.kind != "signals":
        raise InvalidInput(f"{wanted.kind} cannot sign what it sends: `signed` is for kind signals", field="signed")

    def made(before: Integration | None) -> Integration:
        if before and before.keys and not _by_same_request(before, call):
            raise Conflict(f"there is an integration {wanted.name} already: rotate its key, or choose another name")
        return Integration(**wanted.model_dump(), created_at=iso(call.at), created_by=call.actor.id)

    return _with_new_key(api, call, wanted.name, "created", made, alone=True)


def rotated_keys(api: Api, call: Call, name: str, wanted: Rotation) -> ShownOnce:
    """A new key, and secret where there is one; the one before stays alive unless `drop_old`.

    Raises:
        NotFound: no such integration.
    """
    name = _checked(name)
    return _with_new_key(api, call, name, "rotated", lambda before: _alive(before, name), alone=wanted.drop_old)


def revoked(api: Api, call: Call, name: str) -> IntegrationView:
    """None of its keys opens the door any more. What it sent stays.

    Raises:
        NotFound: no such integration.
    """
    told = {"keys": (), "revoked_at": iso(call.at), "revoked_by": call.actor.id}
    stored = api.table.get(_key(_checked(name)))
    if stored and not stored["keys"]:
        integration = integration_from(stored)
    else:
        integration = _changed(api, call, name, "revoked", lambda before: _alive(before, name).model_copy(update=told))
    if integration.signed:
        api.secrets.delete(name)
    return integration_view(integration)


def _with_new_key(
    api: Api, call: Call, name: str, action: str, before: Callable[[Integration | None], Integration], *, alone: bool
) -> ShownOnce:
    key, kept = new_key(name, at=iso(call.at), by=call.actor.id, request=call.key)

    def decide(stored: Integration | None) -> Integration:
        integration = before(stored)
        keys = rotated(integration.keys, kept, same_request=lambda each: _same(each.request, call), alone=alone)
        return integration.model_copy(update={"keys": keys})

    integration = _changed(api, call, name, action, decide)
    secret = _new_secret(api, call, name, alone) if integration.signed else None
    return ShownOnce(integration=integration_view(integration), key=key, signing_secret=secret)


def _new_secret(api: Api, call: Call, name: str, alone: bool) -> str:
    new = SigningSecret(new_signing_secret(), call.key)
    kept = api.secrets.get(name)
    api.secrets.put(name, rotated(kept, new, same_request=lambda each: _same(each.request, call), alone=alone))
    return new.secret


def _changed(
    api: Api, call: Call, name: str, action: str, decide: Callable[[Integration | None], Integration]
) -> Integration:
    """Write what `decide` makes of the stored integration together with the record of the change."""
    stored = api.table.get(_key(name))
    for _ in range(_TRIES):
        after = decide(integration_from(stored) if stored else None)
        when: Condition = {"keys": stored["keys"]} if stored else ABSENT
        change = {"action": action, "by": call.actor.id, "at": iso(call.at), "keys": [key.id for key in after.keys]}
        try:
            api.table.write(
                Put(Record(_key(name), after.model_dump(mode="json")), when),
                Put(Record(_change_key(name, iso(call.at)), change)),
            )
        except Refused as refused:
            stored = refused.current
            continue
        return after
    raise Conflict(f"integration {name} is being changed by somebody else: try again")


def changes(api: Api, name: str) -> list[Mapping[str, Any]]:
    """Who did what to it, oldest first.

    Raises:
        NotFound: there never was one.
    """
    found = [body for _, body in api.table.query(f"INTEGRATION#{_checked(name)}", "CHANGE#")]
    if not found:
        raise _unknown(name)
    return found


def _alive(stored: Integration | None, name: str) -> Integration:
    if stored is None or not stored.keys:
        raise _unknown(name)
    return stored


def _key(name: str) -> Key:
    return Key(PARTITION, name)


def _change_key(name: str, at: str) -> Key:
    return Key(f"INTEGRATION#{name}", f"CHANGE#{at}#{token_hex(4)}")


def _checked(name: str) -> str:
    if not re.fullmatch(NAME_PATTERN, name):
        raise _unknown(name)
    return name


def _unknown(name: str) -> NotFound:
    return NotFound(f"there is no integration {name[:40]!r}: `incidentio integrations list` shows those there are")


def _by_same_request(integration: Integration, call: Call) -> bool:
    return len(integration.keys) == 1 and _same(integration.keys[0].request, call)


def _same(request: str | None, call: Call) -> bool:
    return call.key is not None and request == call.key
