"""``orderflow requeue`` and ``discard``: effects that were given up are sent again, or closed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from orderflow.cli.options import database, moment, writing
from orderflow.domain.engine.workflow import Workflow
from orderflow.errors import NotFound


@click.command()
@click.argument("id", required=False)
@click.option("--topic", default="", help="All of this topic, such as buy_label or notify.")
@click.option("--since", metavar="TIME", callback=moment, help="All that were given up at this time or later.")
@click.option("--all", "everything", is_flag=True, help="All.")
@database
def requeue(
    id: str | None,  # noqa: A002 - what it is
    topic: str,
    since: datetime | None,
    db: Path,
    tenant: str,
    workflow: Workflow | None,
    *,
    everything: bool,
) -> None:
    """Have dead letters sent again by the shop's worker: the one with this ID, or all that the options name.

    `orderflow worklist dead_letters` lists them, with their ids. They go to the end of their lanes. Those of topics of
    your own, which `relay` does not carry out, are sent again only if the topic is named.
    """
    many = bool(topic or since or everything)
    if many is (id is not None):
        raise click.UsageError("name one dead letter by its ID, or many by --topic, --since or --all")
    with writing(db, tenant, workflow) as shop:
        if id is not None:
            with _listed():
                shop.effects.requeue(id)
        count = 1 if id is not None else len(shop.effects.requeue_all(topic=topic, since=since))
    click.echo(f"to be sent again: {count}")


@contextmanager
def _listed() -> Generator[None]:
    """Say where the ids of dead letters are found."""
    try:
        yield
    except NotFound as error:
        raise click.ClickException(
            f"no dead letter {error.key.id!r}: `orderflow worklist dead_letters` lists them, each with its message's id"
        ) from error


@click.command()
@click.argument("id")
@click.option("--by", default="", help="Who closes it.")
@database
def discard(
    id: str,  # noqa: A002 - what it is
    by: str,
    db: Path,
    tenant: str,
    workflow: Workflow | None,
) -> None:
    """Close the dead letter with this ID: it is not sent again.

    Refused where a label may have been bought or money moved: requeue it, so that its outcome is asked for.
    """
    with writing(db, tenant, workflow) as shop, _listed():
        shop.effects.discard(id, by=by)
    click.echo("closed")
