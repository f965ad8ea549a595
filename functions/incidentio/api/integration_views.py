"""Integrations on the wire: what is asked, and what is shown. A key is shown once, its hash never."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from incidentio.api.requests import Clean, Name, SeverityField
from incidentio.core.integration import NAME_PATTERN, PATHS, Integration, IntegrationKind
from incidentio.core.severity import Severity
from incidentio.core.signal import Mode


class NewIntegration(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    name: Annotated[str, Field(pattern=NAME_PATTERN, description="Small letters, digits and dashes."), Clean]
    kind: IntegrationKind = Field(description="What it speaks: its key opens only the route of that.")
    mode: Mode = Field(default=Mode.LIVE, description="`monitor`: shows what would be done, and tells nobody.")
    service: Name | None = Field(default=None, description="Of signals that name none.")
    environment: Name | None = Field(default=None, description="Of signals that name none.")
    severity: SeverityField | None = None
    signed: bool = Field(default=False, description="Each request carries a Standard Webhooks signature as well.")


class Rotation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    drop_old: bool = Field(default=False, description="The key before stops working at once.")


class KeyView(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    id: str
    created_at: str
    created_by: str


class IntegrationView(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    kind: IntegrationKind
    path: str = Field(description="Where it sends to, below the stack's output WebhookUrl.")
    mode: Mode
    service: str | None
    environment: str | None
    severity: Severity | None
    signed: bool
    keys: list[KeyView] = Field(description="Live keys, the newest first; none when it is revoked.")
    created_at: str
    created_by: str
    revoked_at: str | None
    revoked_by: str | None
    last_used_on: str | None = Field(description="A day, UTC.")


class IntegrationList(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    items: list[IntegrationView]
    next: str | None = None


class ShownOnce(BaseModel):
    """`key` and `signing_secret` cannot be read again."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    integration: IntegrationView
    key: str
    signing_secret: str | None = None


class IntegrationChange(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    action: str
    by: str
    at: str
    keys: list[str] = Field(description="Ids of the keys that are alive from then on.")


class IntegrationChanges(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)

    items: list[IntegrationChange]
    next: str | None = None


def integration_view(integration: Integration, *, used_on: str | None = None) -> IntegrationView:
    shown = integration.model_dump(exclude={"keys"})
    keys = [KeyView(id=key.id, created_at=key.created_at, created_by=key.created_by) for key in integration.keys]
    return IntegrationView(**shown, path=PATHS[integration.kind], keys=keys, last_used_on=used_on)
