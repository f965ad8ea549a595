import json
from typing import Any

from botocore.stub import Stubber

from incidentio.cli.people import hire
from tests.offline import offline_client


def test_a_person_may_call_the_api_and_nothing_else() -> None:
    iam = offline_client("iam", region="us-east-1")
    granted: dict[str, Any] = {}
    iam.meta.events.register("before-parameter-build.iam.PutUserPolicy", lambda params, **_: granted.update(params))
    key = {"UserName": "approver", "AccessKeyId": "AKIA" + "0" * 12, "Status": "Active", "SecretAccessKey": "secret"}
    with Stubber(iam) as answers:
        answers.add_client_error("create_user", "EntityAlreadyExists", "there already")
        answers.add_response("put_user_policy", {})
        answers.add_response("create_access_key", {"AccessKey": key})
        credentials = hire(iam, "approver")
    (statement,) = json.loads(granted["PolicyDocument"])["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    assert (credentials.access_key, credentials.secret_key) == (key["AccessKeyId"], "secret")
