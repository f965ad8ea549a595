"""The boundary of action functions, asked by somebody whom a policy allows far too much."""

import uuid
from typing import Any

import pytest

from incidentio.core.errors import Forbidden
from incidentio.mitigate.actions import Statement
from infra.cases.estate import Aws
from infra.cases.estates.function import Function
from infra.local.environment import ACCOUNT, REGION
from tests.integration.caller import caller, clients


def _table(target: dict[str, Any], name: str) -> None:
    client = clients(target)("dynamodb")
    if name in client.list_tables()["TableNames"]:
        return
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )


def test_our_own_table_is_out_of_reach_and_others_are_not(emulator: dict[str, Any]) -> None:
    for name in ("incidentio", "orders"):
        _table(emulator, name)
    call = caller(emulator, [Statement(("dynamodb:DescribeTable",), ("*",))], bounded=True)
    assert call("dynamodb", "describe_table", TableName="orders")
    with pytest.raises(Forbidden):
        call("dynamodb", "describe_table", TableName="incidentio")


def test_of_iam_only_what_is_named_is_allowed(emulator: dict[str, Any]) -> None:
    call = caller(emulator, [Statement(("iam:ListUsers",), ("*",))], bounded=True)
    assert call("iam", "list_users")
    with pytest.raises(Forbidden):
        call("iam", "list_roles")


def test_what_carries_our_tag_is_out_of_reach_and_others_are_not(emulator: dict[str, Any]) -> None:
    """Lambda is one of the services for which the emulator knows the condition."""
    call = caller(emulator, [Statement(("lambda:ListTags",), ("*",))], bounded=True)
    for tags, name in (({}, "theirs"), ({"incidentio:system": "x"}, "ours")):
        made = Function(Aws(clients(emulator), f"{name}-{uuid.uuid4().hex[:8]}", ACCOUNT, REGION), {}, tags)
        try:
            if tags:
                with pytest.raises(Forbidden):
                    call("lambda", "list_tags", Resource=made.aws.arn("lambda", f"function:{made.target}"))
            else:
                call("lambda", "list_tags", Resource=made.aws.arn("lambda", f"function:{made.target}"))
        finally:
            made.leave()


@pytest.mark.parametrize(
    ("only_allowed", "value", "refused"), [(True, "no", True), (True, "allowed", False), (False, "no", False)]
)
def test_iam_too_refuses_what_is_tagged_otherwise_where_the_tag_is_required(
    emulator: dict[str, Any], only_allowed: bool, value: str, refused: bool
) -> None:
    allowed = [Statement(("lambda:ListTags",), ("*",))]
    call = caller(emulator, allowed, bounded=True, only_allowed=only_allowed)
    aws = Aws(clients(emulator), f"tagged-{uuid.uuid4().hex[:8]}", ACCOUNT, REGION)
    made = Function(aws, {}, {"incidentio:automation": value})
    try:
        if refused:
            with pytest.raises(Forbidden):
                call("lambda", "list_tags", Resource=aws.arn("lambda", f"function:{made.target}"))
        else:
            call("lambda", "list_tags", Resource=aws.arn("lambda", f"function:{made.target}"))
    finally:
        made.leave()
