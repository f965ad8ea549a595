"""The `incidentio` command."""

import click

from incidentio.cli.shell import Root

_COMMANDS = {
    "incidents": "incidentio.cli.incidents:incidents",
    "approvals": "incidentio.cli.approvals:approvals",
    "playbooks": "incidentio.cli.playbooks:playbooks",
    "silences": "incidentio.cli.silences:silences",
    "maintenance": "incidentio.cli.maintenance:maintenance",
    "deploys": "incidentio.cli.deploys:deploys",
    "hands-off": "incidentio.cli.hands_off:hands_off",
    "postmortem": "incidentio.cli.postmortem:postmortem",
    "adopt": "incidentio.cli.adopt.command:adopt",
    "reports": "incidentio.cli.reports:reports",
    "backtest": "incidentio.cli.backtest.command:backtest",
    "integrations": "incidentio.cli.integrations:integrations",
    "dlq": "incidentio.cli.dlq.command:dlq",
    "doctor": "incidentio.cli.doctor.command:doctor",
    "test-page": "incidentio.cli.test_page:test_page",
    "local": "incidentio.cli.local:local",
    "demo": "incidentio.cli.demo.command:demo",
}


@click.group(cls=Root, modules=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="incidentio")
def main() -> None:
    """From alarm to archived postmortem.

    The deployment is found by --endpoint, --profile, --region or --stack; else INCIDENTIO_API_URL;
    else a local target (.incidentio/local.json); else the stack incidentio in your AWS account.
    """
