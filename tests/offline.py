"""AWS clients for tests that stub their answers: the models are loaded once for all of them."""

from functools import cache
from typing import Any

import botocore.session


@cache
def session() -> botocore.session.Session:
    return botocore.session.get_session()


def offline_client(service: str, *, region: str = "eu-west-1") -> Any:
    """A new client with credentials that nobody accepts."""
    return session().create_client(service, region_name=region, aws_access_key_id="x", aws_secret_access_key="x")
