"""The API's address for those who get a page: its AWS host name leads nowhere, the emulator serves it on loopback."""

from aws_cdk import Fn

from infra.local.environment import api_url
from infra.stack import IncidentioStack

TOLD = "the outputs and what is written to people name the API by its address on loopback"


def redirect(stack: IncidentioStack, endpoint: str) -> None:
    """Give communicate, which links to the API, the address on loopback."""
    _, parts = stack.resolve(stack.api.url)["Fn::Join"]
    api, stage = (part["Ref"] for part in (parts[1], parts[-2]))
    stack.communicate.function.function.add_environment(
        "API_URL", Fn.sub(api_url(endpoint, f"${{{api}}}", f"${{{stage}}}"))
    )
