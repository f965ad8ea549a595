"""A small AWS estate in memory, behind the actions' port. Every call is checked against botocore's service model."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore import xform_name
from botocore.validate import ParamValidator

from incidentio.core.errors import NotFound
from incidentio.mitigate.actions import Action, Place, prepared
from tests.offline import session

PLACE = Place(partition="aws", account="111122223333", region="eu-west-1")
ARN = PLACE.arn

TARGETS = {
    "set-reserved-concurrency": f"AWS::Lambda::Function|{PLACE.account}|{PLACE.region}|checkout",
    "set-alias-version": f"AWS::Lambda::Function|{PLACE.account}|{PLACE.region}|checkout",
    "set-desired-count": f"AWS::ECS::Service|{PLACE.account}|{PLACE.region}|shop/web",
    "cap-function": f"AWS::Lambda::Function|{PLACE.account}|{PLACE.region}|checkout",
    "reserve-concurrency": f"AWS::Lambda::Function|{PLACE.account}|{PLACE.region}|checkout",
    "slow-event-sources": f"AWS::Lambda::Function|{PLACE.account}|{PLACE.region}|checkout",
    "raise-table-capacity": f"AWS::DynamoDB::Table|{PLACE.account}|{PLACE.region}|orders",
    "throttle-stage": f"AWS::ApiGateway::Stage|{PLACE.account}|{PLACE.region}|shop/live",
    "throttle-usage-plan": f"AWS::ApiGateway::Stage|{PLACE.account}|{PLACE.region}|shop/live",
    "disable-rule": f"AWS::Lambda::Function|{PLACE.account}|{PLACE.region}|checkout",
    "disable-schedule": f"AWS::Lambda::Function|{PLACE.account}|{PLACE.region}|checkout",
}
GIVEN: dict[str, dict[str, Any]] = {
    "set-reserved-concurrency": {"value": 10},
    "set-desired-count": {"add": 2, "max": 10},
    "disable-rule": {"rule": "loop"},
    "disable-schedule": {"schedule": "nightly"},
}


def action(name: str, **given: Any) -> Action[Any]:
    return prepared(name, given or GIVEN[name], TARGETS[name], PLACE)


@cache
def _operations(service: str) -> dict[str, Any]:
    model = session().get_service_model(service)
    return {xform_name(name): model.operation_model(name) for name in model.operation_names}


def iam_action(service: str, operation: str) -> str:
    """`lambda`, `put_function_concurrency` → `lambda:PutFunctionConcurrency`."""
    return f"{service}:{_operations(service)[operation].name}"


@dataclass
class Estate:
    """One function, one service, one rule and one schedule. `calls` lists what was asked, in order."""

    reserved: int | None = 50
    unreserved: int = 950
    quota: int = 1000
    functions: int = 12
    desired: int = 4
    running: int = 4
    services: int = 7
    strategy: str = "REPLICA"
    rule: str = "ENABLED"
    managed_by: str | None = None
    fed: int = 1
    schedule: dict[str, Any] = field(
        default_factory=lambda: {
            "Name": "nightly",
            "GroupName": "default",
            "Arn": ARN("scheduler", "schedule/default/nightly"),
            "State": "ENABLED",
            "ScheduleExpression": "rate(1 hour)",
            "ScheduleExpressionTimezone": "Europe/Berlin",
            "Description": "kept",
            "KmsKeyArn": ARN("kms", "key/1"),
            "ActionAfterCompletion": "NONE",
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
            "Target": {
                "Arn": ARN("lambda", "function:checkout"),
                "RoleArn": "arn:aws:iam::111122223333:role/scheduler",
                "Input": '{"kept": true}',
                "RetryPolicy": {"MaximumRetryAttempts": 3},
            },
            "CreationDate": "then",
            "LastModificationDate": "then",
        }
    )
    tags: dict[str, str] = field(default_factory=dict)
    gone: bool = False
    failing: dict[str, Exception] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def __call__(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        model = _operations(service)[operation]
        report = ParamValidator().validate(parameters, model.input_shape)
        assert not report.has_errors(), report.generate_report()
        self.calls.append(iam_action(service, operation))
        if operation in self.failing:
            raise self.failing[operation]
        if self.gone and not operation.startswith(
            ("list_tags", "get_account", "describe_services", "describe_clusters")
        ):
            raise NotFound(f"{service} {operation}: ResourceNotFoundException")
        answer: dict[str, Any] = getattr(self, f"_{operation}")(parameters)
        return answer

    @property
    def writes(self) -> list[str]:
        return [c for c in self.calls if c.split(":")[1].startswith(("Put", "Delete", "Update", "Disable", "Enable"))]

    def value(self, name: str) -> Any:
        return {
            "set-reserved-concurrency": self.reserved,
            "set-desired-count": self.desired,
            "disable-rule": self.rule,
            "disable-schedule": self.schedule["State"],
        }[name]

    def somebody_sets(self, name: str, value: Any) -> None:
        match name:
            case "set-reserved-concurrency":
                self.reserved = value
            case "set-desired-count":
                self.desired = value
            case "disable-rule":
                self.rule = value
            case "disable-schedule":
                self.schedule["State"] = value

    # Lambda

    def _get_function_concurrency(self, _: Any) -> dict[str, Any]:
        return {} if self.reserved is None else {"ReservedConcurrentExecutions": self.reserved}

    def _put_function_concurrency(self, p: Any) -> dict[str, Any]:
        self.reserved = p["ReservedConcurrentExecutions"]
        return {"ReservedConcurrentExecutions": self.reserved}

    def _delete_function_concurrency(self, _: Any) -> dict[str, Any]:
        self.reserved = None
        return {}

    def _list_tags(self, _: Any) -> dict[str, Any]:
        return {"Tags": self.tags}

    def _get_account_settings(self, _: Any) -> dict[str, Any]:
        return {
            "AccountLimit": {"ConcurrentExecutions": self.quota, "UnreservedConcurrentExecutions": self.unreserved},
            "AccountUsage": {"FunctionCount": self.functions},
        }

    # ECS

    def _describe_services(self, p: Any) -> dict[str, Any]:
        if self.gone:
            return {"services": [], "failures": [{"arn": p["services"][0], "reason": "MISSING"}]}
        service = {
            "status": "ACTIVE",
            "desiredCount": self.desired,
            "runningCount": self.running,
            "schedulingStrategy": self.strategy,
            "tags": [{"key": k, "value": v} for k, v in self.tags.items()],
        }
        return {"services": [service], "failures": []}

    def _describe_clusters(self, _: Any) -> dict[str, Any]:
        return {"clusters": [{"activeServicesCount": self.services}]}

    def _update_service(self, p: Any) -> dict[str, Any]:
        self.desired = p["desiredCount"]
        return {}

    # EventBridge

    def _describe_rule(self, p: Any) -> dict[str, Any]:
        rule = {"Name": p["Name"], "Arn": ARN("events", f"rule/{p['Name']}"), "State": self.rule}
        return rule | ({"ManagedBy": self.managed_by} if self.managed_by else {})

    def _disable_rule(self, _: Any) -> dict[str, Any]:
        self.rule = "DISABLED"
        return {}

    def _enable_rule(self, _: Any) -> dict[str, Any]:
        self.rule = "ENABLED"
        return {}

    def _list_targets_by_rule(self, _: Any) -> dict[str, Any]:
        return {"Targets": [{"Id": str(n), "Arn": ARN("lambda", f"function:f{n}")} for n in range(self.fed)]}

    def _list_tags_for_resource(self, _: Any) -> dict[str, Any]:
        return {"Tags": [{"Key": k, "Value": v} for k, v in self.tags.items()]}

    # Scheduler

    def _get_schedule(self, _: Any) -> dict[str, Any]:
        return dict(self.schedule)

    def _update_schedule(self, p: Any) -> dict[str, Any]:
        fixed = {k: self.schedule[k] for k in ("Arn", "CreationDate", "LastModificationDate")}
        self.schedule = {"State": "ENABLED", "ActionAfterCompletion": "NONE", **p, **fixed}
        return {"ScheduleArn": fixed["Arn"]}
