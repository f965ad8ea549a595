"""`make deploy`: bootstraps the account where needed, then deploys the app with the CDK CLI."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

ROOT = Path(__file__).resolve().parent.parent
CDK = ROOT / "build" / "cdk" / "node_modules" / ".bin" / "cdk"
ACCOUNT_ROLE = "account_cloudwatch_role"
BOOTSTRAP_VERSION_PARAMETER = "/cdk-bootstrap/hnb659fds/version"


class DeployError(Exception):
    """The deployment cannot start; the message says what to do."""


def target_environment(session: boto3.Session) -> tuple[str, str]:
    """Return the account id and Region the caller's AWS profile points at, or raise DeployError."""
    region = session.region_name
    if not region:
        raise DeployError("No AWS Region is set: export AWS_REGION, or add `region` to your AWS profile.")
    try:
        identity = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise DeployError(f"No usable AWS credentials (set AWS_PROFILE, or run `aws sso login`): {error}") from error
    return str(identity["Account"]), region


def is_bootstrapped(session: boto3.Session) -> bool:
    """Return whether `cdk bootstrap` has been run in this account and Region."""
    ssm = session.client("ssm")
    try:
        ssm.get_parameter(Name=BOOTSTRAP_VERSION_PARAMETER)
    except ssm.exceptions.ParameterNotFound:
        return False
    return True


def can_log_requests(session: boto3.Session) -> bool:
    """Return whether API Gateway may write to CloudWatch Logs in this account and Region, which access logs need."""
    return bool(session.client("apigateway").get_account().get("cloudwatchRoleArn"))


def sets_logging_role(cdk_arguments: list[str], *, written: Path = ROOT / "cdk.json") -> bool:
    """Return whether the stack sets that role: by an argument, or by the context `written` in cdk.json."""
    chosen = json.loads(written.read_text())["context"].get(ACCOUNT_ROLE, False)
    for argument in cdk_arguments:
        name, _, value = argument.rpartition("=")
        if name.endswith(ACCOUNT_ROLE):
            chosen = value
    return str(chosen).lower() == "true"


def deploy(*, page_email: str | None, cdk_arguments: list[str], forward_to: str | None = None) -> int:
    """Deploy every stack of the app, or what forwards to one elsewhere; return the exit code of the CDK CLI."""
    # boto3 itself reads AWS_DEFAULT_REGION only; the CDK and the AWS CLI read both.
    session = boto3.Session(region_name=os.environ.get("AWS_REGION") or None)
    account, region = target_environment(session)
    given = {"page_email": page_email, "forward_to": forward_to}
    context = [part for name, value in given.items() if value for part in ("-c", f"{name}={value}")]
    environment = {
        **os.environ,
        "CDK_DEFAULT_ACCOUNT": account,
        "CDK_DEFAULT_REGION": region,
        "AWS_REGION": region,
    }
    if not forward_to and not sets_logging_role(cdk_arguments) and not can_log_requests(session):
        raise DeployError(
            "API Gateway has no CloudWatch Logs role in this account and Region, so the API's access logs would be "
            f'refused. Let this stack set one for the whole account: make deploy CDK_ARGS="-c {ACCOUNT_ROLE}=true"'
        )
    what = f"what forwards to {forward_to}" if forward_to else "incidentio"
    print(f"Deploying {what} to account {account}, {region}", flush=True)
    if not is_bootstrapped(session):
        subprocess.run([CDK, "bootstrap", f"aws://{account}/{region}", *context], cwd=ROOT, env=environment, check=True)
    return subprocess.run(
        [CDK, "deploy", "--all", *context, *cdk_arguments], cwd=ROOT, env=environment, check=False
    ).returncode


def main() -> int:
    """Parse the command line and deploy."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description=__doc__)
    parser.add_argument("--page-email", help="subscribe this address to pages")
    parser.add_argument("--forward-to", help="only forward what happens here to this signals bus (its ARN)")
    arguments, cdk_arguments = parser.parse_known_args()
    try:
        return deploy(page_email=arguments.page_email, forward_to=arguments.forward_to, cdk_arguments=cdk_arguments)
    except DeployError as error:
        print(error, file=sys.stderr)
    except ProfileNotFound as error:
        print(f"{error}: check AWS_PROFILE and your AWS configuration.", file=sys.stderr)
    except (BotoCoreError, ClientError) as error:
        print(f"AWS did not answer as expected: {error}", file=sys.stderr)
    except subprocess.CalledProcessError as error:
        print("`cdk bootstrap` failed; its message is above.", file=sys.stderr)
        return int(error.returncode)
    return 1


if __name__ == "__main__":
    sys.exit(main())
