"""What a cancellation is matched to, and what it becomes: a return, and a credit note that adds up."""

from __future__ import annotations

from datetime import UTC, date, datetime

from orderflow.batch.cancelling import credit_note_of, return_of
from orderflow.batch.documents import CancellationDocument, CancelledLine, OrderDocument, Party
from orderflow.batch.matching import Match, Matcher
from orderflow.domain.keys import PartyRef
from orderflow.domain.order.values import Basket, OrderLine
from orderflow.domain.party import Person
from orderflow.domain.price import Price
from orderflow.domain.returns import Loose, ReturnedUnits
from orderflow.domain.tax import TaxCategory, TaxPolicy

AT = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
ANN = Party(PartyRef("ann", 1), Person("Ann"))
TAX = TaxCategory.of("S", "20")


def order(number: str, *lines: tuple[str, int, str], customer: str = "ann") -> OrderDocument:
    """An order of (SKU, quantity, price)."""
    made = [OrderLine.of(n, sku, q, Price.of(p, "EUR"), TAX) for n, (sku, q, p) in enumerate(lines, start=1)]
    return OrderDocument(number, AT, 1, Basket("EUR", tuple(made), TaxPolicy(), customer=customer, number=number), ANN)


def cancellation(*lines: tuple[str, int, str], customer: str = "ann", goods: bool = True) -> CancellationDocument:
    """A cancellation of (SKU, quantity, price)."""
    made = tuple([CancelledLine(sku, q, Price.of(p, "EUR"), TAX, goods) for sku, q, p in lines])
    return CancellationDocument("C-1", AT, 9, customer, "EUR", made, TaxPolicy(), ANN, "main")


def matcher(*orders: OrderDocument) -> Matcher:
    """One that has seen these orders."""
    made = Matcher()
    for each in orders:
        made.bought(each)
    return made


def test_units_are_matched_first_in_first_out_over_orders() -> None:
    """What was bought first is given back first, and what exceeds it matches nothing."""
    found = matcher(order("1", ("TEA", 2, "3.00")), order("2", ("CUP", 1, "5.00"), ("TEA", 4, "3.00")))
    assert found.given_back(cancellation(("TEA", 3, "3.00"))) == [[Match("1", 1, 2), Match("2", 2, 1)]]
    assert found.given_back(cancellation(("TEA", 5, "3.00"))) == [[Match("2", 2, 3), Match("", 0, 2)]]
    assert found.given_back(cancellation(("TEA", 1, "3.00"))) == [[Match("", 0, 1)]]


def test_customer_sku_and_price_must_agree() -> None:
    """Another price, SKU or customer matches nothing; a guest never does, nor a line that was free."""
    found = matcher(order("1", ("TEA", 2, "3.00"), ("MAP", 1, "0")), order("2", ("CUP", 1, "5.00"), customer=""))
    for line in (("TEA", 1, "2.99"), ("CUP", 1, "3.00"), ("MAP", 1, "0")):
        assert found.given_back(cancellation(line)) == [[Match("", 0, 1)]]
    assert found.given_back(cancellation(("TEA", 1, "3.00"), customer="bob")) == [[Match("", 0, 1)]]
    assert found.given_back(cancellation(("CUP", 1, "5.00"), customer="")) == [[Match("", 0, 1)]]


def test_two_lines_of_a_cancellation_share_what_was_bought() -> None:
    """The second line of a SKU gets what the first has left."""
    found = matcher(order("1", ("TEA", 3, "3.00")))
    assert found.given_back(cancellation(("TEA", 2, "3.00"), ("TEA", 2, "3.00"))) == [
        [Match("1", 1, 2)], [Match("1", 1, 1), Match("", 0, 1)],
    ]  # fmt: skip


def test_goods_come_back_matched_or_loose() -> None:
    """Units of an order return to it; the others come into stock all the same."""
    returned = return_of(cancellation(("TEA", 3, "3.00")), [[Match("1", 2, 2), Match("", 0, 1)]])
    assert returned is not None
    assert returned.units == (ReturnedUnits("1", 2, 2),)
    assert returned.loose == (Loose("TEA", 1),)
    assert (returned.location, returned.customer) == ("main", "ann")


def test_what_is_no_goods_does_not_come_back() -> None:
    """A cancelled charge is money only."""
    assert return_of(cancellation(("POST", 1, "3.00"), goods=False), [[Match("", 0, 1)]]) is None


def test_the_parts_of_a_line_sum_to_its_amount() -> None:
    """However a line is cut by its matches, its amounts end on price times quantity, rounded once."""
    parts = [Match("1", 1, 1), Match("2", 1, 1), Match("", 0, 1)]
    note = credit_note_of(cancellation(("TEA", 3, "0.335")), [parts], "UTC")
    assert [line.net_minor for line in note.terms.lines] == [34, 33, 34]
    assert sum(line.net_minor for line in note.terms.lines) == 101
    assert [line.invoice for line in note.terms.lines] == ["1/1", "2/1", ""]


def test_a_credit_note_is_dated_in_the_shops_zone() -> None:
    """Half past eleven at night in UTC is the next day in Tokyo."""
    document = cancellation(("TEA", 1, "3.00"))
    assert credit_note_of(document, [[Match("", 0, 1)]], "UTC").terms.dated == date(2026, 3, 31)
    assert credit_note_of(document, [[Match("", 0, 1)]], "Asia/Tokyo").terms.dated == date(2026, 4, 1)
