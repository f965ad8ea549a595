"""What each function needs from its environment: one validated model per function, read once per cold start."""

import os
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from incidentio.core.errors import InvalidInput

Text = Annotated[str, StringConstraints(min_length=1)]


class Settings(BaseModel):
    """Field names are the environment variables' names in lower case."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class TableSettings(Settings):
    table_name: Text
    stack_prefix: Text


class IngestSettings(TableSettings):
    ingest_dlq_url: Text
    signal_topic_arn: Text


class WebhookSettings(TableSettings):
    ingest_queue_url: Text


class PublisherSettings(Settings):
    event_bus_name: Text


class TriageSettings(TableSettings):
    pass


class ConductorSettings(TableSettings):
    state_machine_prefix: Text


class ControlSettings(TableSettings):
    kill_switch_parameter: Text


class ActionSettings(Settings):
    playbook: Text
    outbound: str = ""


class CommunicateSettings(TableSettings):
    page_topic_arn: Text
    ticket_topic_arn: Text
    test_topic_arn: Text
    api_url: Text


class LearnSettings(TableSettings):
    archive_bucket: Text
    retention_mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"
    retention_days: int = 365


class SweeperSettings(TableSettings):
    ingest_queue_url: Text
    signal_topic_arn: Text
    signal_function_arn: Text
    reconcile_seconds: int = 300


class ApiSettings(TableSettings):
    archive_bucket: Text
    retention_mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"
    retention_days: int = 365


S = TypeVar("S", bound=Settings)


def settings(model: type[S]) -> S:
    """The environment as `model`.

    Raises:
        InvalidInput: names every missing or wrong variable.
    """
    given = {name: os.environ[name.upper()] for name in model.model_fields if name.upper() in os.environ}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False))
        raise InvalidInput(f"this function's environment is incomplete: {wrong}") from None
