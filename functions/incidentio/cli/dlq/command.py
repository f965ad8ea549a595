"""`incidentio dlq`: look at dead letters, send them where they belong, or give them up on the record."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import click

from incidentio.aws.table import DynamoTable
from incidentio.cli import output
from incidentio.cli.dlq.discard import discard, discarded
from incidentio.cli.dlq.letters import QUEUES, Letter, held
from incidentio.cli.dlq.redrive import redrive
from incidentio.cli.shell import Group, Leaf, Shell, pass_shell
from incidentio.core.errors import InvalidInput, NotFound
from incidentio.core.person import person_from_arn
from incidentio.core.routing import Routing

_QUEUE = click.option("--queue", type=click.Choice(list(QUEUES)), help="Of this one only.")


@click.group(cls=Group)
def dlq() -> None:
    """Dead letters: what could not be handled, why, and the way back."""


@dlq.command("list", cls=Leaf)
@_QUEUE
@click.option("--discarded", "given_up", is_flag=True, help="Those that were given up, and by whom.")
@pass_shell
def list_letters(shell: Shell, queue: str | None, given_up: bool) -> None:
    """Every dead letter, oldest first, with the reason."""
    if given_up:
        rows = [row for row in discarded(_table(shell), limit=100) if queue in (None, row["queue"])]
        if shell.as_json:
            output.emit_json({"items": rows})
        else:
            cells = [(r["queue"], output.moment(r["at"]), r["by"], r["reason"], r["dead_because"]) for r in rows]
            output.emit_table(["queue", "discarded", "by", "reason", "was dead because"], cells, empty="none")
        return
    with held(shell.deployment.client("sqs"), shell.deployment.outputs, _queues(queue)) as letters:
        if shell.as_json:
            output.emit_json({"items": [_facts(letter) for letter in letters]})
        else:
            seen = [(le.id, le.queue, output.ago(le.sent_at.isoformat()), le.why) for le in letters]
            output.emit_table(["id", "queue", "since", "reason"], seen, empty="no dead letters")


@dlq.command(cls=Leaf)
@click.argument("id")
@pass_shell
def show(shell: Shell, id: str) -> None:
    """One of them, redacted. ID may be cut short."""
    with held(shell.deployment.client("sqs"), shell.deployment.outputs, _queues(None)) as letters:
        (letter,) = _chosen(letters, (id,))
        if shell.as_json:
            output.emit_json({**_facts(letter), "body": letter.shown()})
        else:
            output.emit_facts(_facts(letter))
            output.emit_text(letter.shown())


@dlq.command("redrive", cls=Leaf)
@click.argument("ids", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All of them (with --queue: of that queue).")
@_QUEUE
@pass_shell
def send_again(shell: Shell, ids: tuple[str, ...], every: bool, queue: str | None) -> None:
    """Send them where they belong; each is deleted once it was taken there."""
    if bool(ids) is every:
        raise InvalidInput("say which: ids from `incidentio dlq list`, or --all")
    deployment = shell.deployment
    with held(deployment.client("sqs"), deployment.outputs, _queues(queue)) as letters:
        wanted = letters if every else _chosen(letters, ids)
        results = [redrive(letter, deployment.client, deployment.outputs) for letter in wanted]
    if shell.as_json:
        output.emit_json({"items": [asdict(result) for result in results]})
    else:
        cells = [("ok" if r.done else "fail", r.id, r.queue, r.went) for r in results]
        output.emit_table(["", "id", "queue", "to"], cells, empty="no dead letters")
    if not all(result.done for result in results):
        raise click.exceptions.Exit(1)


@dlq.command("discard", cls=Leaf)
@click.argument("ids", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why, for the record.")
@pass_shell
def give_up(shell: Shell, ids: tuple[str, ...], reason: str) -> None:
    """Delete them, on the record: who, when, why, and their redacted text."""
    if not reason.strip():
        raise InvalidInput("--reason is empty: say why these are not needed")
    deployment, table = shell.deployment, _table(shell)
    sqs = deployment.client("sqs")
    by = person_from_arn(str(deployment.client("sts").get_caller_identity()["Arn"]))
    with held(sqs, deployment.outputs, _queues(None)) as letters:
        wanted = _chosen(letters, ids)
        for letter in wanted:
            discard(letter, sqs, table, by=str(by), reason=reason, now=datetime.now(UTC))
    if shell.as_json:
        output.emit_json({"discarded": [letter.id for letter in wanted]})
    else:
        output.emit_line(f"discarded {len(wanted)}; `incidentio dlq list --discarded` keeps the record")


def _table(shell: Shell) -> DynamoTable:
    return DynamoTable(shell.deployment.client("dynamodb"), shell.deployment.output("TableName"), Routing())


def _queues(name: str | None) -> Sequence[str]:
    return [name] if name else list(QUEUES)


def _facts(letter: Letter) -> dict[str, str]:
    return {"id": letter.id, "queue": letter.queue, "sent_at": letter.sent_at.isoformat(), "reason": letter.why}


def _chosen(letters: Sequence[Letter], ids: Sequence[str]) -> list[Letter]:
    """Raises: NotFound, InvalidInput: the beginning of an id fits none, or several."""
    chosen: dict[str, Letter] = {}
    for id in ids:
        found = [letter for letter in letters if letter.id.startswith(id)]
        if not found:
            raise NotFound(f"there is no dead letter {id[:60]}: `incidentio dlq list` shows those there are")
        if len(found) > 1:
            raise InvalidInput(f"{id[:60]} fits {len(found)} dead letters: give more of the id")
        chosen[found[0].id] = found[0]
    return list(chosen.values())
