"""What a cancellation is matched to, and what it becomes: a return, and a credit note."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime

import pytest

from orderflow.domain.billing.credit_note import AccountLine, CreditItem
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import OrderContent, OrderLine
from orderflow.domain.parties.party import Person
from orderflow.domain.returns.receiving import ReturnedUnits, UnmatchedReturn
from orderflow.domain.values import PartyRef
from orderflow.importing.cancelling import credit_note_of, return_of
from orderflow.importing.documents import CancellationDocument, CancelledLine, OrderDocument, Party
from orderflow.importing.matching import Match, Matcher

AT = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
ANN = Party(PartyRef("ann", 1), Person("Ann"))
TAX = TaxCategory.of("S", "20")


def order(number: str, *lines: tuple[str, int, str], customer: str = "ann") -> OrderDocument:
    """An order of (SKU, quantity, price)."""
    made = [OrderLine.of(n, sku, q, Price.of(p, "EUR"), TAX) for n, (sku, q, p) in enumerate(lines, start=1)]
    return OrderDocument(
        number, AT, 1, OrderContent("EUR", tuple(made), TaxPolicy(), customer=customer, number=number), ANN
    )


def cancellation(*lines: tuple[str, int, str], customer: str = "ann", goods: bool = True) -> CancellationDocument:
    """A cancellation of (SKU, quantity, price)."""
    made = tuple([CancelledLine(sku, q, Price.of(p, "EUR"), TAX, goods) for sku, q, p in lines])
    return CancellationDocument("C-1", AT, 9, customer, "EUR", made, TaxPolicy(), ANN, "main")


Seen = Callable[..., Matcher]


@pytest.fixture
def matcher() -> Iterator[Seen]:
    """Makes one that has seen some orders."""
    with ExitStack() as opened:

        def seen(*orders: OrderDocument) -> Matcher:
            made = opened.enter_context(closing(Matcher()))
            for each in orders:
                made.bought(each)
            return made

        yield seen


def units_of(found: Matcher, *lines: tuple[str, int, str], customer: str = "ann") -> list[list[tuple[str, int, int]]]:
    """(order, line, units) of what a cancellation of these lines is matched to."""
    matches = found.given_back(cancellation(*lines, customer=customer))
    return [[(match.order, match.line, match.quantity) for match in parts] for parts in matches]


def test_units_are_matched_first_in_first_out_over_orders(matcher: Seen) -> None:
    """What was bought first is given back first, and what exceeds it matches nothing."""
    found = matcher(order("1", ("TEA", 2, "3.00")), order("2", ("CUP", 1, "5.00"), ("TEA", 4, "3.00")))
    assert units_of(found, ("TEA", 3, "3.00")) == [[("1", 1, 2), ("2", 2, 1)]]
    assert units_of(found, ("TEA", 5, "3.00")) == [[("2", 2, 3), ("", 0, 2)]]
    assert units_of(found, ("TEA", 1, "3.00")) == [[("", 0, 1)]]


def test_customer_sku_and_price_must_agree(matcher: Seen) -> None:
    """Another price, SKU or customer matches nothing; a guest never does, nor a line that was free."""
    found = matcher(order("1", ("TEA", 2, "3.00"), ("MAP", 1, "0")), order("2", ("CUP", 1, "5.00"), customer=""))
    for line in (("TEA", 1, "2.99"), ("CUP", 1, "3.00"), ("MAP", 1, "0")):
        assert units_of(found, line) == [[("", 0, 1)]]
    assert units_of(found, ("TEA", 1, "3.00"), customer="bob") == [[("", 0, 1)]]
    assert units_of(found, ("CUP", 1, "5.00"), customer="") == [[("", 0, 1)]]


def test_two_lines_of_a_cancellation_share_what_was_bought(matcher: Seen) -> None:
    """The second line of a SKU gets what the first has left."""
    found = matcher(order("1", ("TEA", 3, "3.00")))
    assert units_of(found, ("TEA", 2, "3.00"), ("TEA", 2, "3.00")) == [[("1", 1, 2)], [("1", 1, 1), ("", 0, 1)]]


def test_goods_come_back_matched_or_not() -> None:
    """Units of an order return to it; the others come into stock all the same."""
    returned = return_of(cancellation(("TEA", 3, "3.00")), [[Match("1", 2, 2), Match("", 0, 1)]])
    assert returned is not None
    assert returned.units == (ReturnedUnits("1", 2, 2),)
    assert returned.unmatched == (UnmatchedReturn("TEA", 1),)
    assert (returned.location, returned.customer) == ("main", "ann")


def test_what_is_no_goods_does_not_come_back() -> None:
    """A cancelled charge is money only."""
    assert return_of(cancellation(("POST", 1, "3.00"), goods=False), [[Match("", 0, 1)]]) is None


def test_a_credit_note_is_linked_to_the_orders_invoice() -> None:
    """Matched units name the order's invoice and its line, as the invoice computes; the rest is on account, priced."""
    parts = [Match("1", 1, 1), Match("1", 2, 1), Match("", 0, 2)]
    content = credit_note_of(cancellation(("TEA", 4, "3.00")), [parts], "UTC").content
    assert content.items == (CreditItem("1/1", 1, 1, own_line=1), CreditItem("1/1", 2, 1, own_line=1))
    assert content.on_account == (AccountLine(1, "TEA", 2, 600, TAX),)


def test_a_credit_note_is_dated_in_the_shops_zone() -> None:
    """Half past eleven at night in UTC is the next day in Tokyo."""
    document = cancellation(("TEA", 1, "3.00"))
    assert credit_note_of(document, [[Match("", 0, 1)]], "UTC").content.dated == date(2026, 3, 31)
    assert credit_note_of(document, [[Match("", 0, 1)]], "Asia/Tokyo").content.dated == date(2026, 4, 1)
