"""The hourly anchor, run by the deployed function under its own role."""

import json
from datetime import datetime

from incidentio.core.archive import anchor_key
from incidentio.core.timeline import GENESIS
from tests.e2e.world import World


def test_the_anchor_of_this_hour_is_written_and_locked(world: World) -> None:
    world.alice.post("/incidents", {"title": f"anchored {world.tag}"})
    functions = world.client("lambda")
    (learn,) = [
        function["FunctionName"]
        for page in functions.get_paginator("list_functions").paginate()
        for function in page["Functions"]
        if function["Handler"] == "incidentio.learn.handler.handler"
    ]
    answer = functions.invoke(FunctionName=learn, Payload=json.dumps({"anchor": True}))
    assert "FunctionError" not in answer, answer["Payload"].read()
    assert set(json.loads(answer["Payload"].read())) == {"anchor"}  # null when this hour was anchored before
    storage, bucket = world.client("s3"), world.outputs["ArchiveBucketName"]
    keys = [item["Key"] for item in storage.list_objects_v2(Bucket=bucket, Prefix="anchors/")["Contents"]]
    newest = max(keys)
    anchored = json.loads(storage.get_object(Bucket=bucket, Key=newest)["Body"].read())
    assert newest == anchor_key(datetime.fromisoformat(anchored["at"]))
    assert all(head["seq"] >= 1 and head["head_hash"] != GENESIS for head in anchored["incidents"].values())
    assert storage.get_object_retention(Bucket=bucket, Key=newest)["Retention"]["Mode"] == "GOVERNANCE"
    named = max(anchored["incidents"], key=lambda incident_id: anchored["incidents"][incident_id]["seq"])
    verified = world.alice.get(f"/incidents/{named}/verify")
    assert verified["ok"] is True
    assert verified["anchor"]["key"] == newest
