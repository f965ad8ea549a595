"""`incidentio backtest`: what would have been made of the last days."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from incidentio.cli import output
from incidentio.cli.backtest.attached import Attached, attached_by
from incidentio.cli.backtest.compare import Change, differences
from incidentio.cli.backtest.estate import Estate, History
from incidentio.cli.backtest.history import KEPT_DAYS, RIGHTS, CloudWatchHistory
from incidentio.cli.backtest.outcome import Outcome, outcome
from incidentio.cli.backtest.show import show, show_differences
from incidentio.cli.backtest.simulation import People, simulate
from incidentio.cli.configuration import bundle_of
from incidentio.cli.deployment import STACK, discover
from incidentio.cli.read_only import policy
from incidentio.cli.shell import Leaf, Shell, pass_shell
from incidentio.cli.timezone import zone_named
from incidentio.core.bundle import Bundle
from incidentio.core.duration import format_duration, parse_duration
from incidentio.core.errors import InvalidInput
from incidentio.core.night import Night
from infra.documents import load_bundle
from infra.local.environment import ROOT

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FAILS = {"hidden": {Change.HIDDEN}, "unpaged": {Change.HIDDEN, Change.UNPAGED}, "any": set(Change)}


@click.command(cls=Leaf)
@click.option("--days", type=click.IntRange(1, KEPT_DAYS), default=14, show_default=True, help="How far to look back.")
@click.option("--catalog", type=_FOLDER, help="services.yaml and routing.yaml (default: those that are deployed).")
@click.option("--against", type=_FOLDER, help="Another catalogue: prints what it would have changed.")
@click.option("--fail-on", type=click.Choice(list(_FAILS)), help="With --against: exit 1 if somebody would hear less.")
@click.option(
    "--attached",
    default="actions",
    show_default=True,
    help="Alarms taken as attached to us: those with an SNS action (actions), all, none, or with this topic's ARN.",
)
@click.option("--timezone", default="UTC", show_default=True, help="Where it is night from 22:00 to 07:00.")
@click.option("--ack-after", default="3m", show_default=True, help="When people acknowledge a page; never.")
@click.option("--resolve-after", default="15m", show_default=True, help="When people resolve what is mitigated; never.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Rows of each table; 0 for all.")
@click.option("--policy", "only_policy", is_flag=True, help="Print the IAM policy this needs, and do nothing.")
@pass_shell
def backtest(
    shell: Shell,
    *,
    days: int,
    catalog: Path | None,
    against: Path | None,
    fail_on: str | None,
    attached: str,
    timezone: str,
    ack_after: str,
    resolve_after: str,
    limit: int,
    only_policy: bool,
) -> None:
    """Replay the alarm history of this account and say what incidentio would have made of it.

    Only reads, and needs no deployment. Every state change goes through the code that would have handled it,
    with the clock of that day.
    """
    if only_policy:
        output.emit_json(policy(RIGHTS))
        return
    if fail_on and not against:
        raise InvalidInput("--fail-on needs --against, the catalogue to compare with")
    night, people, counted = (
        Night(zone_named(timezone)),
        People(_wait(ack_after), _wait(resolve_after)),
        attached_by(attached),
    )
    deployment = discover(shell.choice, directory=shell.directory)
    bundle = load_bundle(catalog, ROOT / "playbooks") if catalog else bundle_of(deployment)
    changed = load_bundle(against, ROOT / "playbooks") if against else None
    account = str(deployment.client("sts").get_caller_identity()["Account"])
    output.say(f"(reading {days} days of alarm history in account {account}, {deployment.region})")
    history = CloudWatchHistory(deployment.client("cloudwatch"), account=account, region=deployment.region)
    end = datetime.now(UTC)
    estate = history.read(end - timedelta(days=days), end)
    output.say(
        f"(taken for granted: a page is acknowledged after {_told(people.acknowledge_after)}, what is mitigated is "
        f"resolved after {_told(people.resolve_after)}; attached: {attached})"
    )
    stack = shell.stack or STACK
    found = _played(estate, history, bundle, attached=counted, stack=stack, people=people, night=night)
    report: dict[str, Any] = {"backtest": found.model_dump(mode="json")}
    changes = []
    if changed is not None:
        then = _played(estate, history, changed, attached=counted, stack=stack, people=people, night=night)
        changes = differences(found, then)
        report |= {"against": then.model_dump(mode="json"), "differences": [d.model_dump() for d in changes]}
    if shell.as_json:
        output.emit_json(report)
    else:
        show(found, limit=limit)
        if against:
            show_differences(
                changes, catalog=str(catalog or "the deployed catalogue"), against=str(against), limit=limit
            )
    if fail_on and any(d.change in _FAILS[fail_on] for d in changes):
        raise click.exceptions.Exit(1)


def _played(
    estate: Estate, history: History, bundle: Bundle, *, attached: Attached, stack: str, people: People, night: Night
) -> Outcome:
    simulated = simulate(estate, history, bundle, attached=attached, own_prefix=stack, people=people)
    return outcome(estate, simulated, night)


def _wait(text: str) -> timedelta | None:
    try:
        return None if text == "never" else parse_duration(text)
    except ValueError as error:
        raise InvalidInput(f"{error}, or never") from None


def _told(wait: timedelta | None) -> str:
    return "never" if wait is None else format_duration(wait)
