"""M17, M24, M27, M28 and prices with many decimals: what is rounded where, said once."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from money_shop import MoneyShop, every_currency

from orderflow import OrderContent, OrderLine, Price, TaxCategory, TaxPolicy
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.billing.credit_note import AccountLine, CreditItem, CreditNoteContent
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.engine.text import writer
from orderflow.domain.money.split import Rounding
from orderflow.domain.money.tax import DatedRate, TaxGroup, TaxRounding, Totals
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, InvoiceBasis, LineKind, PayBefore, totals_of
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.domain.values import CreditIntent, PartyRef
from orderflow.errors import CommandRefused, InputError
from orderflow.ports.storage import Storage

VAT = TaxCategory.of("S", 20)
levels = pytest.mark.parametrize("level", list(TaxRounding))


@every_currency
@levels
@pytest.mark.parametrize("included", [False, True])
@pytest.mark.parametrize("price", [113, 112, 1])
def test_m17_credits_one_by_one_end_on_what_was_billed(
    storage: Storage, currency: str, level: TaxRounding, included: bool, price: int
) -> None:
    """3 x 1.13 at 20 % credited one by one, at each level, with tax and without: nothing is left."""
    shop = MoneyShop(storage, currency).confirmed("O", (3, price), tax=TaxPolicy(level, included))
    shop.send("O", 3)
    invoice = shop.bill("O")
    billed = shop.bill_of(invoice).totals
    notes = [shop.issued(shop.credit(invoice, 1)).totals for _ in range(3)]
    assert sum(note.tax_minor for note in notes) == billed.tax_minor
    assert sum(note.net_minor for note in notes) == billed.net_minor
    assert min(note.gross_minor for note in notes) >= 0
    assert (shop.open(invoice), shop.owes()) == ([0], 0)


@given(
    level=st.sampled_from(TaxRounding),
    included=st.booleans(),
    roundings=st.tuples(st.sampled_from(Rounding), st.sampled_from([None, *Rounding])),
    lines=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 400)), min_size=1, max_size=3),
    picks=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3), st.integers(0, 400)), max_size=6),
)
def test_m17_credits_in_any_order_end_on_what_was_billed(
    level: TaxRounding,
    included: bool,
    roundings: tuple[Rounding, Rounding | None],
    lines: list[tuple[int, int]],
    picks: list[tuple[int, int, int]],
) -> None:
    """Units and reductions of any lines, then all the rest: no credit is below 0, and nothing is left."""
    policy = TaxPolicy(level, included, *roundings)
    shop = MoneyShop(MemoryStorage()).confirmed("O", *lines, tax=policy)
    for number, (units, _) in enumerate(lines, start=1):
        shop.send("O", units, number)
    invoice = shop.bill("O")
    for line, units, amount in picks:
        try:
            shop.note(CreditItem(invoice, line, units, 0 if units else amount))
        except Exception:  # noqa: BLE001 - what does not fit is refused
            continue
    rest = [CreditItem(invoice, line.line, units) for line, units, _ in shop.bill_of(invoice).left() if units]
    if rest:
        shop.note(*rest)
    assert (shop.bill_of(invoice).amounts.credited, shop.owes()) == (shop.bill_of(invoice).totals.gross_minor, 0)


@every_currency
@pytest.mark.parametrize("included, gross", [(False, 271), (True, 226)])
def test_m19_what_is_to_be_credited_is_what_was_billed(
    storage: Storage, currency: str, included: bool, gross: int
) -> None:
    """All of a prepaid order is billed, and cancelled: it owes the customer exactly that, tax and all."""
    shop = MoneyShop(storage, currency)
    shop.confirmed("O", (2, 113), tax=TaxPolicy(prices_include_tax=included), invoice_basis=InvoiceBasis.ORDERED)
    shop.pay(gross, order="O")
    shop.bill("O")
    shop.handle("O", CancelUnits("not wanted", CancelledBy.CUSTOMER))
    assert (shop.owes(), shop.exposure()) == (0, -gross)


def test_m24_amounts_and_tax_round_each_their_own_way() -> None:
    """Line amounts half up, tax down: 3 at 0.335 are 1.01, and 19 % of it 0.19."""
    policy = TaxPolicy(rounding=Rounding.HALF_UP, tax_rounding=Rounding.DOWN)
    line = OrderLine.of(1, "TEA", 3, Price.of("0.335", "EUR"), TaxCategory.of("S", 19), policy=policy)
    sums = totals_of(OrderContent("EUR", (line,), policy))
    assert (line.net_minor, sums.tax_minor) == (101, 19)
    up = evolve(policy, tax_rounding=Rounding.UP)
    assert totals_of(OrderContent("EUR", (line,), up)).tax_minor == 20


BOTH = TaxCategory.of("GST", 5, ("PST", 7))


def test_m24_two_taxes_on_one_line() -> None:
    """5 % and 7 % of 0.70, taxes half up: 0.04 and 0.05, each shown on its own; the 0.70 count once."""
    line = OrderLine.of(1, "TEA", 1, Price.of("0.70", "CAD"), BOTH)
    sums = totals_of(OrderContent("CAD", (line,), TaxPolicy()))
    assert [(group.category.code, group.taxable_minor, group.tax_minor) for group in sums.groups] == [
        ("GST", 70, 4), ("PST", 70, 5)
    ]  # fmt: skip
    assert (sums.net_minor, sums.tax_minor, sums.gross_minor) == (70, 9, 79)


def test_m24_a_tax_that_several_lines_share_is_rounded_once() -> None:
    """0.70 with both taxes and 0.70 with the first only: 5 % of 1.40 are 0.07, and not twice 0.04."""
    price, gst = Price.of("0.70", "CAD"), TaxCategory.of("GST", 5)
    lines = (OrderLine.of(1, "TEA", 1, price, BOTH), OrderLine.of(2, "BOOK", 1, price, gst))
    sums = totals_of(OrderContent("CAD", lines, TaxPolicy()))
    assert [(group.category.code, group.tax_minor) for group in sums.groups] == [("GST", 7), ("PST", 5)]
    assert (sums.net_minor, sums.gross_minor) == (140, 152)
    both = TaxGroup(TaxCategory.of("PST", 7), 70, 5, 75, 70)
    assert both.with_more(both) == TaxGroup(TaxCategory.of("PST", 7), 140, 10, 150, 140)


def test_what_is_not_rounded_for_cash_is_written_without_it() -> None:
    """A document of a shop that knows nothing of it reads and looks as before."""
    sums = totals_of(OrderContent("CAD", (OrderLine.of(1, "TEA", 1, Price.of("0.70", "CAD"), BOTH),), TaxPolicy()))
    assert "rounding" not in writer(Totals)(sums)


def test_m24_goods_with_tax_and_shipping_without_in_one_order() -> None:
    """12.00 with 20 % inside and 5.00 with 20 % on top: 18.00 to pay, of them 3.00 tax."""
    goods, shipping = TaxCategory.of("S", 20, included=True), TaxCategory.of("S", 20)
    lines = (
        OrderLine.of(1, "TEA", 1, Price.of("12.00", "GBP"), goods),
        OrderLine.of(2, "POST", 1, Price.of("5.00", "GBP"), shipping, kind=LineKind.CHARGE),
    )
    sums = totals_of(OrderContent("GBP", lines, TaxPolicy()))
    assert (sums.net_minor, sums.tax_minor, sums.gross_minor) == (1500, 300, 1800)
    assert sums.by_rate == (TaxGroup(TaxCategory.of("S", 20), 1500, 300, 1800),)


@pytest.mark.parametrize("included", [False, True])
def test_m24_prices_of_one_kind_are_rounded_together(*, included: bool) -> None:
    """The category may say what the policy says too: 20 % of twice 1.13 are rounded once."""
    price, policy = Price.of("1.13", "GBP"), TaxPolicy(prices_include_tax=included)
    said = TaxCategory.of("S", 20, included=included)
    apart, together = [
        totals_of(
            OrderContent("GBP", tuple(OrderLine.of(n, "TEA", 1, price, tax) for n, tax in enumerate(taxes, 1)), policy)
        )
        for taxes in ((said, VAT), (VAT, VAT))
    ]
    assert apart == together


@pytest.mark.parametrize("category", [VAT, BOTH, TaxCategory.of("S", 20, included=True)])
def test_m24_all_of_a_prepaid_order_comes_back(storage: Storage, category: TaxCategory) -> None:
    """Once nothing of a group is charged any more, all its tax is to be credited."""
    shop = MoneyShop(storage)
    shop.order_of("O", OrderLine.of(1, "TEA", 1, shop.price(1000), category))
    order: Any = shop.orders.get("O")
    total = order.totals.gross_minor
    shop.pay(total, order="O")
    shop.send("O", 1)
    invoice = shop.bill("O")
    shop.take_back("O", 1)
    assert (shop.owes(), shop.exposure()) == (0, -total)
    shop.credit(invoice, 1)
    assert (shop.owes(), shop.exposure()) == (-total, -total)


MIXED = (
    BOTH,
    TaxCategory.of("GST", 5),
    TaxCategory.of("S", 19, included=True),
    TaxCategory.of("S", 19),
    TaxCategory.of("S", 7, included=True),
)


@levels
@pytest.mark.parametrize("prepaid", [False, True])
@pytest.mark.parametrize("coin, by_rounding", [(0, False), (5, False), (0, True), (5, True)])
@settings(max_examples=30)
@given(
    lines=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 400), st.sampled_from(MIXED)), min_size=1, max_size=4),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(1, 3)), max_size=8),
)
def test_m24_bills_and_credits_of_mixed_lines_end_exactly(
    level: TaxRounding,
    prepaid: bool,
    coin: int,
    by_rounding: bool,
    lines: list[tuple[int, int, TaxCategory]],
    steps: list[tuple[bool, int, int]],
) -> None:
    """Billed in parts and credited in parts, in any order: prepaid, the bills sum to the total; in the end all is 0."""
    shop = MoneyShop(MemoryStorage())
    tax = TaxPolicy(level, cash_rounding_minor=coin, round_parts=by_rounding)
    made = [
        OrderLine.of(n, "TEA", units, shop.price(minor), category)
        for n, (units, minor, category) in enumerate(lines, start=1)
    ]
    shop.order_of("O", *made, tax=tax, invoice_basis=InvoiceBasis.ORDERED)
    order: Any = shop.orders.get("O")
    total = order.totals.gross_minor
    if prepaid and total:
        shop.pay(total, order="O")
    for is_bill, place, units in steps:
        with suppress(CommandRefused):
            if is_bill:
                shop.bill("O", units, 1 + place % len(made))
            else:
                shop.credit("O/1", units, line=1 + place % len(made), intent=CreditIntent.REBILL)
    with suppress(CommandRefused):
        shop.bill("O")
    invoices = [f"O/{n}" for n in range(1, 1 + len(shop.progress("O").bills))]
    charged = sum(
        shop.bill_of(invoice).totals.gross_minor - shop.bill_of(invoice).amounts.credited for invoice in invoices
    )
    if prepaid:
        assert charged == total
    assert (shop.owes(), coin and charged % coin) == (charged - (total if prepaid else 0), 0)
    for invoice in invoices:
        rest = [CreditItem(invoice, line.line, units) for line, units, _ in shop.bill_of(invoice).left() if units]
        if rest:
            shop.note(*rest)
    assert shop.owes() == (-total if prepaid else 0)


CASH = TaxPolicy(cash_rounding_minor=5)


def test_m24_a_sum_is_rounded_for_cash_outside_of_its_tax(storage: Storage) -> None:
    """8.35 and 20 % are 10.02, to be paid 10.00 (BT-114: -0.02); the tax stays 1.67."""
    shop = MoneyShop(storage).confirmed("O", (1, 835), tax=CASH, pay_before=PayBefore.SHIP)
    shop.pay(1000, order="O")
    shop.send("O", 1)
    invoice = shop.bill("O")
    sums = shop.bill_of(invoice).totals
    assert (sums.net_minor, sums.tax_minor, sums.rounding_minor, sums.gross_minor) == (835, 167, -2, 1000)
    assert (shop.open(invoice), shop.owes(), shop.exposure()) == ([0], 0, 0)
    note = shop.issued(shop.credit(invoice, 1)).totals
    assert (note.net_minor, note.tax_minor, note.rounding_minor, note.gross_minor) == (835, 167, -2, 1000)


@pytest.mark.parametrize("prepaid, bills", [(True, [335, 335, 330]), (False, [335, 335, 335])])
def test_m24_parts_are_rounded_for_cash(storage: Storage, prepaid: bool, bills: list[int]) -> None:
    """Three parts of 3.34: paid beforehand they sum to 10.00, as the order does; else each is rounded by itself."""
    shop = MoneyShop(storage, rate=0).confirmed("O", (3, 334), tax=CASH)
    if prepaid:
        shop.pay(1000, order="O")
    made = []
    for _ in range(3):
        shop.send("O", 1)
        made.append(shop.bill_of(shop.bill("O")).totals.gross_minor)
    assert (made, shop.owes()) == (bills, sum(bills) - (1000 if prepaid else 0))


def test_m24_several_taxes_need_prices_without_tax(storage: Storage) -> None:
    """They are refused where they are placed, and a code stands once."""
    shop = MoneyShop(storage).placed("O", (1, 1000))
    line = OrderLine.of(1, "TEA", 1, Price.of("10.00", "GBP"), BOTH)
    inside = evolve(shop.orders.get("O").content, lines=(line,), tax=TaxPolicy(prices_include_tax=True))
    for content, path in (
        (inside, "content.lines[0].tax"),
        (
            evolve(inside, tax=TaxPolicy(), lines=(evolve(line, tax=evolve(BOTH, included=True)),)),
            "content.lines[0].tax.included",
        ),
    ):
        with pytest.raises(InputError) as caught:
            shop.handle("A", PlaceOrder(content))
        assert [(fault.path, fault.code) for fault in caught.value.faults] == [(path, "not_possible")]
    on_account = AccountLine(1, "GOODWILL", 1, 500, BOTH)
    note = CreditNoteContent("cn", "ann", PartyRef("ann", 1), "GBP", date(2026, 4, 1), on_account=(on_account,))
    assert note.account_totals().gross_minor == 560
    inside_note = evolve(note, tax=TaxPolicy(prices_include_tax=True))
    assert [(fault.path, fault.code) for fault in faults_of(inside_note)] == [("on_account[0].tax", "not_possible")]
    with pytest.raises(InputError, match="names a code a second time"):
        TaxCategory.of("GST", 5, ("GST", 7))


def test_m27_a_discount_larger_than_its_line_is_refused(storage: Storage) -> None:
    """Where it is placed, with the path of the discount; one as large as the line is a gift."""
    shop = MoneyShop(storage).placed("O", (1, 1000))
    content = shop.orders.get("O").content
    gift, more = [
        OrderLine.of(1, "TEA", 1, Price.of("10.00", "GBP"), VAT, discount_minor=discount) for discount in (1000, 1001)
    ]
    shop.handle("A", PlaceOrder(evolve(content, lines=(gift,))))
    with pytest.raises(InputError) as caught:
        shop.handle("B", PlaceOrder(evolve(content, lines=(more,))))
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [
        ("content.lines[0].discount_minor", "out_of_range")
    ]


def test_m28_a_rounding_is_said_once() -> None:
    """A line is made by the policy of its order; one made by another policy does not recompute."""
    up, down = TaxPolicy(rounding=Rounding.UP), TaxPolicy(rounding=Rounding.DOWN)
    line = OrderLine.of(1, "TEA", 1, Price.of("0.335", "EUR"), VAT, policy=up)
    assert faults_of(OrderContent("EUR", (line,), up)) == ()
    assert [fault.code for fault in faults_of(OrderContent("EUR", (line,), down))] == ["does_not_recompute"]


@pytest.mark.parametrize("by_unit, net", [(False, 3167), (True, 3168)])
def test_a_price_of_many_decimals_is_rounded_by_line_or_by_unit(by_unit: bool, net: int) -> None:
    """3 at 10.555: 31.67 rounded by line, 31.68 where each unit is rounded first; the content says which."""
    policy = TaxPolicy(round_unit_prices=by_unit)
    line = OrderLine.of(1, "TEA", 3, Price.of("10.555", "EUR"), VAT, policy=policy)
    assert line.net_minor == net
    assert faults_of(OrderContent("EUR", (line,), policy)) == ()
    other = TaxPolicy(round_unit_prices=not by_unit)
    assert [fault.code for fault in faults_of(OrderContent("EUR", (line,), other))] == ["does_not_recompute"]


RATES = (DatedRate("S", date(2019, 1, 1), Decimal(19)), DatedRate("S", date(2026, 7, 1), Decimal(16)))


@pytest.mark.parametrize("prepaid", [False, True])
@pytest.mark.parametrize("included", [False, True])
def test_m25_the_rate_follows_the_tax_point(storage: Storage, prepaid: bool, included: bool) -> None:
    """Ordered in June at 19 %, billed in part, the rest in July: 16 %; returned in August: credited at 16 %."""
    shop = MoneyShop(storage, rate=19)
    shop.time.set(datetime(2026, 6, 30, 12, tzinfo=UTC))
    shop.confirmed("O", (2, 10000), tax=TaxPolicy(prices_include_tax=included, rates=RATES))
    if prepaid:
        shop.pay(1, order="O")
    shop.send("O", 1)
    june = shop.bill_of(shop.bill("O")).totals
    shop.time.set(datetime(2026, 7, 1, 12, tzinfo=UTC))
    shop.send("O", 1)
    invoice = shop.bill("O")
    july = shop.bill_of(invoice).totals
    assert [[group.rate for group in sums.groups] for sums in (june, july)] == [[19], [16]]
    assert july.tax_minor == (1379 if included else 1600)
    shop.time.set(datetime(2026, 8, 1, 12, tzinfo=UTC))
    shop.take_back("O", 1)
    note = shop.issued(shop.credit(invoice, 1)).totals
    assert (note.groups, shop.open(invoice)) == (july.groups, [0])
