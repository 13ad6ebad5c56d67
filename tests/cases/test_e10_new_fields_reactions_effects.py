"""E10: a release adds a field with a default, a reaction and an effect: what the one before has written stays good.

Retried commands are still known, rows and journal are read with the default, and ``verify`` finds nothing: it asks
decisions again of the workflow they were made by only, and counts the others in a note.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from attrs import frozen
from small_shop import NOON, content, small_shop

from orderflow import (
    CommandMismatch,
    ConfirmOrder,
    OrderFlow,
    PartyRef,
    PlaceOrder,
    ReceiveGoods,
    Request,
    SqliteStorage,
    Workflow,
    standard_workflow,
)
from orderflow.adapters.storage.audit import SqliteAudit
from orderflow.audit.verify import Report, verify
from orderflow.domain.engine.bounds import Id, Name
from orderflow.domain.engine.decide import Envelope
from orderflow.domain.engine.machine import Absent, Machine, rule
from orderflow.domain.engine.record import Command, Event, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Effect, EventContext, Send, asks, on, tells
from orderflow.domain.orders.placing import OrderConfirmed
from orderflow.errors import Key
from orderflow.flows.handle import fingerprint

ANN = PartyRef("ann", 1)


class Release(NamedTuple):
    """One release of a shop's own workflow: a card that is written for a guest."""

    workflow: Workflow
    write_card: Any
    card: Any


def machine(write: Any, written: Any, card: Any, evolve: Any) -> Machine:
    """The life of a card."""
    return Machine("card", rules=(rule(Absent, write, written, card, evolve),), final=(card,))


def first() -> Release:
    """A card has a name on it."""

    @frozen(eq=False, repr=False)
    class _Card:
        name: Id

    class WriteCard(_Card, Command):
        __slots__ = ()

    class CardWritten(_Card, Event):
        __slots__ = ()

    class Card(_Card, Record):
        __slots__ = ()

    cards = machine(WriteCard, CardWritten, Card, lambda state, event: Card(event.name))
    return Release(standard_workflow().extended(machines=(cards,)), WriteCard, Card)


def second() -> Release:
    """A card has a language too; every confirmed order gets one, and each is printed."""

    @frozen(eq=False, repr=False)
    class _Card:
        name: Id
        language: Name = "en"

    class WriteCard(_Card, Command):
        __slots__ = ()

    class CardWritten(_Card, Event):
        __slots__ = ()

    class Card(_Card, Record):
        __slots__ = ()

    def thanks(h: EventContext) -> Iterator[Send]:
        yield Send(h.key.beside("card", h.key.id), WriteCard(h.after.content.customer, "fr"))

    def prints(h: EventContext) -> Iterator[Effect]:
        yield Effect("print_card", h.key)

    cards = machine(WriteCard, CardWritten, Card, lambda state, event: Card(event.name, event.language))
    table = (on(OrderConfirmed, tells(thanks, WriteCard)), on(CardWritten, asks(prints, "print_card")))
    return Release(standard_workflow().extended(machines=(cards,), table=table), WriteCard, Card)


OLD, NEW = first(), second()


def opened(path: Path, release: Release) -> OrderFlow:
    """The shop on its file, under one release."""
    return small_shop(SqliteStorage(path, release.workflow.machines.values()), workflow=release.workflow)


def requests(release: Release) -> list[Request]:
    """What was asked under the first release, and is asked again under the second."""
    return [
        Request("guest", release.write_card("ann"), "card"),
        Request("A", PlaceOrder(content(2, bill_to=ANN, ship_to=ANN)), "place"),
        Request("A", ConfirmOrder(), "confirm"),
        Request("CUP@main", ReceiveGoods(4), "receive"),
    ]


@pytest.fixture
def released(tmp_path: Path) -> Iterator[tuple[Path, OrderFlow, list[Any]]]:
    """A file written under the first release, opened under the second, and the first answers."""
    path = tmp_path / "shop.db"
    shop = opened(path, OLD)
    answers = shop.handle_many(requests(OLD))
    assert not any(isinstance(answer, Exception) for answer in answers)
    shop.storage.close()  # type: ignore[attr-defined]
    shop = opened(path, NEW)
    yield path, shop, answers
    shop.storage.close()  # type: ignore[attr-defined]


Released = tuple[Path, OrderFlow, list[Any]]


def audited(path: Path, *workflows: Workflow) -> Report:
    """The verifier's report."""
    with SqliteAudit(path, workflows[0].machines.values()) as source:
        return verify(source, *workflows)


def test_e10_the_releases_differ() -> None:
    """The second release has another workflow, by which nothing of the first was decided."""
    assert OLD.workflow.fingerprint != NEW.workflow.fingerprint


def test_e10_retried_commands_are_known(released: Released) -> None:
    """The same commands under their ids give the first answers, and change nothing."""
    _, shop, answers = released
    before = [*shop.storage.entries(0, 100)]
    assert shop.handle_many(requests(NEW)) == answers
    assert [shop.handle(r.id, r.command, command_id=r.command_id) for r in requests(NEW)] == answers
    assert [*shop.storage.entries(0, 100)] == before


def test_e10_a_known_id_with_the_new_field_is_another_command(released: Released) -> None:
    """What says more than the first command did is a mismatch."""
    _, shop, _ = released
    with pytest.raises(CommandMismatch):
        shop.handle("guest", NEW.write_card("ann", "fr"), command_id="card")


def test_e10_old_rows_and_events_have_the_default(released: Released) -> None:
    """A field that was not there when a row was written has its default."""
    _, shop, _ = released
    assert shop.rows("card").get("guest") == NEW.card("ann", "en")
    [entry] = shop.rows("card").history("guest")
    assert entry.event.language == "en"


def test_e10_new_reactions_and_effects_are_for_what_comes(released: Released) -> None:
    """What is decided now tells and asks by the new table; what was decided before is not told again."""
    path, shop, _ = released
    shop.handle("B", PlaceOrder(content(1, bill_to=ANN, ship_to=ANN)))
    shop.handle("B", ConfirmOrder())
    assert shop.rows("card").get("B") == NEW.card("ann", "fr")
    assert [row.key.id for row in shop.rows("card").find()] == ["guest", "B"]
    report = audited(path, NEW.workflow)
    assert [finding for finding in report.findings if finding.violations] == []


def test_e10_verify_of_the_old_database_is_clean(released: Released) -> None:
    """No decision of the old release is held against the new one; how many were not asked stands in a note."""
    path, shop, _ = released
    report = audited(path, NEW.workflow)
    assert report.violations == 0
    assert report.unknown == ()
    assert dict(report.unasked)[OLD.workflow.fingerprint] > 0
    shop.handle("CUP@main", ReceiveGoods(1))
    assert audited(path, NEW.workflow, OLD.workflow).unasked == ()


#: Fingerprints are stored: one that changes makes every command before the change unknown to its retry.
PINNED = {
    "1:ea3c883fd3379462c68eae58": ("order", "A", ConfirmOrder()),
    "1:cdeedd054db4e3f7c30eb178": ("order", "A", PlaceOrder(content(2, bill_to=ANN, ship_to=ANN, channel="web"))),
    "1:4b7d25c97c2b7e34d8241788": ("stock", "TEA@main", ReceiveGoods(5, document="GR-1")),
}


@pytest.mark.parametrize("pinned", PINNED)
def test_e10_fingerprints_never_change(pinned: str) -> None:
    """What a command's fingerprint is, it stays, whatever fields with defaults its class gets."""
    kind, row, command = PINNED[pinned]
    stamp = Stamp(NOON, "anybody", "c")
    assert fingerprint(Envelope(Key("main", kind, row), command, stamp)) == pinned
