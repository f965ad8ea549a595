"""Signals of our own form, as another program sends them."""

import json
from datetime import UTC, datetime
from typing import Any

from tests.e2e.world import World


def signal(world: World, name: str, state: str = "firing", **fields: Any) -> str:
    """Send one signal of this test through the signal topic; returns its dedup key."""
    key, title = f"{name}/{world.tag}", f"{name} {world.tag}"
    told = {"incidentio": "signal/v1", "dedup_key": key, "state": state, "title": title}
    told |= {"changed_at": datetime.now(UTC).isoformat(), "severity": "SEV2", "tags": {"run": world.tag}}
    world.client("sns").publish(TopicArn=world.outputs["SignalTopicArn"], Message=json.dumps(told | fields))
    return key
