import json
from collections.abc import Callable
from typing import Any

from click.testing import Result

from tests.unit.cli.conftest import ScriptedApi

Run = Callable[..., Result]
NODE = {
    "name": "prometheus", "kind": "alertmanager", "path": "/webhooks/alertmanager", "mode": "live", "service": None,
    "environment": None, "severity": None, "signed": False, "created_at": "2026-11-23T08:00:00.000Z",
    "created_by": "1:user/ana", "revoked_at": None, "revoked_by": None, "last_used_on": "2026-11-24",
    "keys": [{"id": "0a1b2c3d", "created_at": "2026-11-23T08:00:00.000Z", "created_by": "1:user/ana"}],
}  # fmt: skip
SHOWN: dict[str, Any] = {"integration": NODE, "key": "iio_prometheus_00", "signing_secret": None}


def test_create_asks_for_what_was_given_and_shows_the_key(run: Run, api: ScriptedApi) -> None:
    api.answers["POST", "/integrations"] = SHOWN
    done = run("integrations", "create", "prometheus", "--kind", "alertmanager", "--service", "checkout")
    assert api.asked[-1].body == {"name": "prometheus", "kind": "alertmanager", "service": "checkout"}
    assert "iio_prometheus_00" in done.stdout
    assert "/webhooks/alertmanager" in done.stdout
    assert "not shown again" in done.stderr
    assert "signing secret" not in done.stdout


def test_create_names_the_kinds_there_are(run: Run) -> None:
    done = run("integrations", "create", "prometheus", "--kind", "nagios")
    assert done.exit_code != 0
    assert "alertmanager" in done.stderr


def test_a_signing_secret_is_shown_with_the_key(run: Run, api: ScriptedApi) -> None:
    api.answers["POST", "/integrations"] = {**SHOWN, "signing_secret": "whsec_AAAA"}
    done = run("integrations", "create", "canary", "--kind", "signals", "--signed", "--json")
    assert api.asked[-1].body == {"name": "canary", "kind": "signals", "signed": True}
    assert json.loads(done.stdout)["signing_secret"] == "whsec_AAAA"


def test_list_tells_keys_and_who_revoked(run: Run, api: ScriptedApi) -> None:
    gone = {**NODE, "name": "old", "keys": [], "revoked_at": "2026-11-24T01:00:00.000Z", "revoked_by": "1:user/bo"}
    api.answers["GET", "/integrations"] = {"items": [NODE, gone], "next": None}
    text = run("integrations", "list").stdout
    assert "0a1b2c3d of 2026-11-23" in text
    assert "revoked 2026-11-24 by 1:user/bo" in text


def test_rotate_revoke_and_changes(run: Run, api: ScriptedApi) -> None:
    api.answers["POST", "/integrations/prometheus/rotate"] = SHOWN
    api.answers["DELETE", "/integrations/prometheus"] = {**NODE, "keys": []}
    change = {"action": "rotated", "by": "1:user/ana", "at": "2026-11-23T08:00:00.000Z", "keys": ["0a1b2c3d"]}
    api.answers["GET", "/integrations/prometheus/changes"] = {"items": [change], "next": None}
    run("integrations", "rotate", "prometheus", "--drop-old")
    assert api.asked[-1].body == {"drop_old": True}
    assert "revoked" in run("integrations", "revoke", "prometheus").stdout
    assert "rotated" in run("integrations", "changes", "prometheus").stdout
