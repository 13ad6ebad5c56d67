"""The book: machines, reactions and follow-ups, checked together."""

from __future__ import annotations

from typing import Any

import pytest

from orderflow.domain.book import Book, FollowUp, Reaction
from orderflow.domain.credit import CREDIT_NOTE
from orderflow.domain.follow_ups import NOTICES
from orderflow.domain.invoice import messages as inv
from orderflow.domain.invoice.machine import INVOICE
from orderflow.domain.machine import refuse
from orderflow.domain.order import messages as om
from orderflow.domain.order.machine import ORDER
from orderflow.domain.shipment import messages as sm
from orderflow.domain.standard import standard_book
from orderflow.domain.stock import messages as st
from orderflow.domain.stock.machine import STOCK
from orderflow.errors import DefinitionError

BOOK = standard_book()


def nothing(happened: Any) -> tuple[Any, ...]:
    """A reaction that tells nobody."""
    return ()


def test_the_standard_book_holds_a_machine_for_each_kind() -> None:
    """Every command belongs to one kind, and what only reactions may send is internal."""
    assert BOOK.kind_of[om.PlaceOrder] == "order"
    assert om.DispatchShipment in BOOK.internal
    assert st.Allocate in BOOK.internal
    assert st.ReceiveGoods not in BOOK.internal
    assert {om.RecordSettlement, om.RecordUnbilling, om.RecordPrepayment, sm.DropCancelledItems} < BOOK.internal
    assert BOOK.only("order").internal >= {om.RecordSettlement}
    assert BOOK.extended().internal == BOOK.internal
    assert om.PlaceOrder not in BOOK.internal


def test_notices_are_chosen_by_template() -> None:
    """A book tells the customer what it is asked to, and nothing else."""
    quiet, loud = standard_book(()), standard_book(["invoice_issued"])
    assert len(loud.follow_ups) == len(quiet.follow_ups) + 1
    assert len(BOOK.follow_ups) == len(quiet.follow_ups) + len(NOTICES)


BREACHES = {
    "two machines of one kind": lambda: Book((ORDER, ORDER)),
    "no machine has the event GoodsReceived": lambda: Book(
        (ORDER,), [Reaction(st.GoodsReceived, (("order", om.ConfirmOrder),), nothing)]
    ),
    "OrderPlaced tells stock, which has no machine": lambda: Book(
        (ORDER,), [Reaction(om.OrderPlaced, (("stock", st.Allocate),), nothing)]
    ),
    "OrderPlaced tells stock ConfirmOrder, which it does not take": lambda: Book(
        (ORDER, STOCK), [Reaction(om.OrderPlaced, (("stock", om.ConfirmOrder),), nothing)]
    ),
    "InvoiceIssued of invoice tells order, down the order of locks": lambda: Book(
        (ORDER, INVOICE), [Reaction(inv.InvoiceIssued, (("order", om.RecordSettlement),), nothing)]
    ),
    "no machine has the event InvoiceIssued": lambda: Book(
        (ORDER,), (), [FollowUp(inv.InvoiceIssued, ("mail",), nothing)]
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_book_that_contradicts_itself_is_refused(breach: str) -> None:
    """A reaction that names what is not there, or would lock downwards, is a DefinitionError that names it."""
    with pytest.raises(DefinitionError, match=breach):
        BREACHES[breach]()


def test_a_held_row_may_be_told_against_the_order_of_locks() -> None:
    """What the settlement holds already is locked already."""
    held = Reaction(inv.InvoiceIssued, (("order", om.RecordSettlement),), nothing, held=True)
    assert om.RecordSettlement in Book((ORDER, INVOICE), [held]).internal


def test_a_guarded_book_asks_the_guard_of_that_command() -> None:
    """A guard narrows one command of one machine; the rest stays as it was."""
    closed = BOOK.guarded(om.PlaceOrder, lambda state, command, stamp: refuse("closed", "the shop is closed"))
    assert closed.machines["order"] is not ORDER
    assert closed.machines["stock"] is STOCK
    assert closed.fingerprint == BOOK.fingerprint
    with pytest.raises(DefinitionError, match="no machine takes OrderPlaced"):
        BOOK.guarded(om.OrderPlaced, lambda state, command, stamp: None)


def test_an_extended_book_has_more_in_it() -> None:
    """Reactions and follow-ups are added, a machine of a known kind takes its place."""
    more = BOOK.extended(
        reactions=[Reaction(om.OrderPlaced, (("stock", st.Backorder),), nothing)],
        follow_ups=[FollowUp(om.OrderPlaced, ("mail",), nothing)],
    )
    assert len(more.reactions) == len(BOOK.reactions) + 1
    assert len(more.follow_ups) == len(BOOK.follow_ups) + 1
    assert more.fingerprint != BOOK.fingerprint


def test_a_smaller_book_keeps_what_stays_among_its_machines() -> None:
    """Only the machines named, with the reactions and follow-ups that concern nothing else."""
    small = BOOK.only("order", "stock")
    assert set(small.machines) == {"order", "stock"}
    kinds = {kind for reaction in small.reactions for kind, _ in reaction.tells}
    assert kinds == {"stock"}
    assert all(item.event in {*ORDER.events, *STOCK.events} for item in small.follow_ups)


def test_a_book_cannot_be_changed() -> None:
    """Machines of a book are read only."""
    with pytest.raises(TypeError):
        BOOK.machines["order"] = CREDIT_NOTE  # type: ignore[index]
