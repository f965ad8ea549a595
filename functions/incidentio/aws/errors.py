"""What AWS error codes mean in our own tree: the one mapping table."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from incidentio.core.errors import Conflict, Forbidden, IncidentioError, InvalidInput, NotFound, TooLarge, Unavailable

_MEANING: dict[str, type[IncidentioError]] = {
    "ResourceNotFoundException": NotFound,
    "ResourceNotFound": NotFound,
    "NotFound": NotFound,
    "NotFoundException": NotFound,
    "NoSuchDistribution": NotFound,
    "NoSuchEntity": NotFound,
    "NoSuchHostedZone": NotFound,
    "NoSuchKey": NotFound,
    "NoSuchBucket": NotFound,
    "ParameterNotFound": NotFound,
    "ExecutionDoesNotExist": NotFound,
    "ApplicationDoesNotExistException": NotFound,
    "DeploymentDoesNotExistException": NotFound,
    "DeploymentGroupDoesNotExistException": NotFound,
    "DBInstanceNotFound": NotFound,
    "DBClusterNotFoundFault": NotFound,
    "AWS.SimpleQueueService.NonExistentQueue": NotFound,
    "ClusterNotFoundException": NotFound,
    "ServiceNotFoundException": NotFound,
    "InvalidInstanceID.NotFound": NotFound,
    "InvalidInstanceID.Malformed": InvalidInput,
    "InvalidGroup.NotFound": NotFound,
    "InvalidRouteTableID.NotFound": NotFound,
    "InvalidRouteTableId.Malformed": InvalidInput,
    "InvalidGroupId.Malformed": InvalidInput,
    "OperationNotPermitted": Forbidden,
    "UnauthorizedOperation": Forbidden,
    "WAFLimitsExceededException": InvalidInput,
    "WAFNonexistentItemException": NotFound,
    "InvalidDocument": NotFound,
    "AutomationDefinitionNotFoundException": NotFound,
    "AccessDenied": Forbidden,
    "AccessDeniedException": Forbidden,
    "AuthorizationError": Forbidden,
    "UnrecognizedClientException": Forbidden,
    "ManagedRuleException": Forbidden,
    "ClientException": InvalidInput,
    "UnsupportedOperation": InvalidInput,
    "ValidationError": InvalidInput,
    "BadRequestException": InvalidInput,
    "ValidationException": InvalidInput,
    "InvalidInput": InvalidInput,
    "InvalidParameter": InvalidInput,
    "InvalidParameterValue": InvalidInput,
    "InvalidParameterException": InvalidInput,
    "InvalidParameterValueException": InvalidInput,
    "InvalidAutomationExecutionParametersException": InvalidInput,
    "InvalidAutomationStatusUpdateException": Conflict,
    "RequestEntityTooLarge": TooLarge,
}


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Run an AWS call; its failure becomes one of ours, naming `what` was tried.

    A code that is not in the table (throttling, internal errors, time-outs) is Unavailable: it may
    succeed later, and the queue or the caller decides how often to try.
    """
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        raise _MEANING.get(code, Unavailable)(f"{what}: {code}", aws_code=code) from error
    except BotoCoreError as error:
        raise Unavailable(f"{what}: {type(error).__name__}") from error
