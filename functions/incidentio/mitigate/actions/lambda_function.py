"""A Lambda function as several actions look at it."""

from typing_extensions import override

from incidentio.mitigate.actions.action import Action, Call, P, Reach

NAME = r"[A-Za-z0-9_-]{1,64}"


class OnFunction(Action[P]):
    """An action on one function, of as many as the Region has: `lambda:GetAccountSettings` says how many."""

    target_type = "AWS::Lambda::Function"
    target_pattern = NAME

    @override
    def reach(self, call: Call) -> Reach:
        return Reach(targets=1, of=max(1, call("lambda", "get_account_settings")["AccountUsage"]["FunctionCount"]))
