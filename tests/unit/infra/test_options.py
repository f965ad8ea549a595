from pathlib import Path
from typing import Any

import pytest

from infra.options import ROOT, OptionError, Options, options_from


def test_without_context_the_defaults_hold() -> None:
    assert options_from({}) == Options()


def test_values_come_as_json_or_as_text_of_the_command_line(tmp_path: Path) -> None:
    read = options_from(
        {
            "catalog": str(tmp_path),
            "playbooks": f"{tmp_path}, tests",
            "reserved_concurrency": "true",
            "account_cloudwatch_role": True,
            "retention_mode": "compliance",
            "retention_days": "30",
            "page_email": "oncall@example.com",
            "stack_name": "second",
        }
    )
    assert read.catalog == tmp_path
    assert read.playbooks == (ROOT / "playbooks", tmp_path, ROOT / "tests")
    assert (read.reserved_concurrency, read.account_cloudwatch_role, read.destroy_data) == (True, True, False)
    assert (read.retention_mode, read.retention_days) == ("COMPLIANCE", 30)
    assert (read.page_email, read.stack_name) == ("oncall@example.com", "second")


def test_the_local_target_may_be_hurried_and_keeps_nothing() -> None:
    read = options_from({"local": "true", "pace": "0.1"})
    assert (read.local, read.pace, read.destroy_data) == (True, 0.1, True)


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ({"destroy_data": "yes"}, "destroy_data is true or false, not 'yes'"),
        ({"retention_mode": "forever"}, "GOVERNANCE or COMPLIANCE"),
        ({"retention_days": "0"}, "retention_days is at least 1"),
        ({"retention_days": "ten"}, "retention_days is a number, not 'ten'"),
        ({"page_email": "me"}, "page_email is an e-mail address"),
        ({"organization_id": "123"}, "organization_id is the id of an organization"),
        ({"outbound": "10.0.0.1"}, "outbound: '10.0.0.1' is no destination"),
        ({"outbound": "flags"}, "outbound: 'flags' is no destination"),
        ({"outbound": "flags.shop.example=10.0.0.1/8"}, "has host bits set"),
        ({"forward_to": "incidentio"}, "forward_to is the ARN of a signals bus"),
        ({"stack_name": "1st"}, "stack_name is a letter"),
        ({"catalog": "nowhere"}, "which is no folder"),
        ({"playbooks": "nowhere"}, "which is no folder"),
        ({"pace": "0.5"}, "for the local target only"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(context: dict[str, Any], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        options_from(context)


@pytest.mark.parametrize(
    ("name", "near"), [("page-email", "page_email"), ("catalogue", "catalog"), ("retentionDays", "retention_days")]
)
def test_a_misspelt_key_names_the_nearest(name: str, near: str) -> None:
    with pytest.raises(OptionError, match=f"there is no context {name}: did you mean {near}"):
        options_from({name: "x"})


def test_keys_of_the_cdk_and_of_other_apps_are_left_alone() -> None:
    others = ("aws:cdk:enable-path-metadata", "@aws-cdk/core:stackRelativeExports", "cli-telemetry", "nonsense")
    assert options_from(dict.fromkeys(others, "1")) == Options()
