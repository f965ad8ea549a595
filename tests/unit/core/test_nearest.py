"""Near matches of a name that is none."""

from incidentio.core.nearest import nearest, no_playbook

NAMES = ["scale-out-service", "scale-out-service", "throttle-api", "throttle-function", "throttle-queue", "unthrottle"]


def test_each_name_is_shown_once_and_three_at_most() -> None:
    assert nearest("scale-out-servce", NAMES) == " (did you mean scale-out-service?)"
    assert nearest("throttle", NAMES).count(",") == 2
    assert nearest("zzz", NAMES) == ""


def test_the_others_are_one_command_away() -> None:
    said = no_playbook("throttle-functoin", NAMES)
    assert said.startswith("there is no playbook 'throttle-functoin' (did you mean throttle-function")
    assert said.endswith("?). List them: incidentio playbooks list")
    assert no_playbook("x", []) == "there is no playbook 'x': there is none at all"
