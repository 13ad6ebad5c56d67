"""Credits of partial returns end exactly on the invoice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from attrs import define, evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.billing.credit_note import (
    CREDIT_NOTE,
    CreditedBefore,
    CreditLine,
    CreditNoteContent,
    DraftCreditNote,
    credited_sums,
)
from orderflow.domain.billing.invoice_state import Settled
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.price import Price
from orderflow.domain.money.split import Rounding
from orderflow.domain.money.tax import TaxCategory, TaxPolicy, TaxRounding
from orderflow.domain.orders.content import OrderContent, OrderLine
from orderflow.domain.parties.party import Person
from orderflow.domain.values import PartyRef
from orderflow.importing.documents import CancellationDocument, CancelledLine, Document, OrderDocument, Party
from orderflow.importing.pipeline import Pipeline
from orderflow.importing.wiring import import_workflow, shop_for, start_clock
from orderflow.shop import OrderFlow

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
ANN = Party(PartyRef("ann", 1), Person("Ann"))
VAT = TaxCategory.of("S", "20")
STAMP = Stamp(BEGIN, "tester", "c")

categories = st.sampled_from([TaxCategory.of("S", "20"), TaxCategory.of("S", "10"), TaxCategory.of("reduced", "8")])
prices = st.sampled_from(("0.33", "0.333", "0.335", "0.001", "1.005", "2.55", "7", "99.995", "1234.5"))
policies = st.builds(TaxPolicy, prices_include_tax=st.booleans(), rounding=st.sampled_from(Rounding))


@define
class Listed:
    """A source made of a list."""

    listed: list[Document]
    path: Path = Path("nowhere")
    channel: str = "web"
    timezone: str = "UTC"

    def count(self) -> int:
        """How many."""
        return len(self.listed)

    def documents(self) -> Iterator[Document]:
        """Each."""
        yield from self.listed


def content_of(lines: list[tuple[int, str, TaxCategory]], currency: str, policy: TaxPolicy) -> OrderContent:
    """An order of (quantity, price, tax), each line a SKU of its own."""
    made = [
        OrderLine.of(n, f"SKU{n}", quantity, Price.of(price, currency), tax, rounding=policy.rounding)
        for n, (quantity, price, tax) in enumerate(lines, start=1)
    ]
    ann = ANN.ref
    return OrderContent(
        currency, tuple(made), policy, "ann", "A-1", "web", "A-1", bill_to=ann, ship_to=ann, country="GB"
    )


@st.composite
def contents(draw: st.DrawFn) -> OrderContent:
    """One to three lines of odd prices."""
    line = st.tuples(st.integers(1, 9), prices, categories)
    return content_of(
        draw(st.lists(line, min_size=1, max_size=3)), draw(st.sampled_from(("GBP", "JPY"))), draw(policies)
    )


@st.composite
def returned_in_parts(draw: st.DrawFn) -> tuple[OrderContent, list[Counter[int]]]:
    """What was ordered, and its units by line as several returns give all of them back."""
    content = draw(contents())
    units = draw(st.permutations([line.line for line in content.lines for _ in range(line.quantity)]))
    cuts = sorted(draw(st.sets(st.integers(1, len(units)))) | {0, len(units)})
    return content, [Counter(units[begin:end]) for begin, end in pairwise(cuts)]


def worked(content: OrderContent, returns: list[Counter[int]]) -> tuple[OrderFlow, Pipeline]:
    """A shop that took the order through all its steps, then each return in turn."""
    documents: list[Document] = [OrderDocument("A-1", BEGIN, 1, content, ANN)]
    for number, units in enumerate(returns, start=1):
        sold = [content.lines[line - 1] for line in units]
        lines = tuple([CancelledLine(s.sku, units[s.line], s.price, s.tax, goods=True) for s in sold])
        at = BEGIN + timedelta(hours=number)
        documents.append(CancellationDocument(f"C-{number}", at, 1, "ann", content.currency, lines, content.tax, ANN))
    clock = start_clock()
    shop = shop_for(MemoryStorage(), import_workflow(), clock, notifier=MemoryNotifier())
    pipeline = Pipeline(shop, Listed(documents), clock, "test", receive=True)
    pipeline.run()
    return shop, pipeline


@given(returned_in_parts())
@settings(max_examples=60)
def test_partial_returns_of_everything_credit_exactly_the_invoice(
    case: tuple[OrderContent, list[Counter[int]]],
) -> None:
    """However the units come back, no credit is refused or below 0, and all together are the invoice, tax and all."""
    content, returns = case
    shop, pipeline = worked(content, returns)
    invoice = shop.invoices.get("A-1/1")
    assert isinstance(invoice, Settled)
    notes = [row.state.totals for row in shop.credit_notes.find(limit=100)]
    assert pipeline.refused == []
    assert len(notes) == len(returns)
    assert all(min(note.net_minor, note.tax_minor) >= 0 for note in notes)
    assert sum(note.gross_minor for note in notes) == invoice.amounts.credited == invoice.totals.gross_minor
    assert sum(note.tax_minor for note in notes) == invoice.totals.tax_minor
    assert shop.balance("ann", content.currency) == 0


def test_seven_returns_of_one_unit_credit_what_was_billed() -> None:
    """7 x 0.33 and 20 % are 2.77; rounded alone, seven notes would be 2.80."""
    _, notes = _one_by_one(TaxPolicy(), "0.33")
    assert (sum(notes), sorted(set(notes))) == (277, [39, 40])


def test_returns_of_a_price_with_tax_leave_nothing_owed() -> None:
    """7 x 0.333 with tax included are 2.33, and so are the seven notes; rounded alone, they would be 2.31."""
    shop, notes = _one_by_one(TaxPolicy(prices_include_tax=True), "0.333")
    assert sum(notes) == 233
    invoice = shop.invoices.get("A-1/1")
    assert isinstance(invoice, Settled)
    assert invoice.open_minor == 0


def _one_by_one(policy: TaxPolicy, price: str) -> tuple[OrderFlow, list[int]]:
    shop, _ = worked(content_of([(7, price, VAT)], "GBP", policy), [Counter({1: 1})] * 7)
    return shop, [row.state.totals.gross_minor for row in shop.credit_notes.find()]


def line(net_minor: int, invoice: str) -> CreditLine:
    """A unit of an invoice, or on account."""
    return CreditLine(1, "TEA", 1, net_minor, VAT, "O" if invoice else "", 1 if invoice else 0, invoice)


def terms(*lines: CreditLine, before: tuple[CreditedBefore, ...] = ()) -> CreditNoteContent:
    """A note of these lines."""
    return CreditNoteContent("cn", "ann", ANN.ref, "GBP", lines, TaxPolicy(), date(2026, 1, 5), before=before)


def test_each_invoice_and_what_is_on_account_is_a_part_of_its_own() -> None:
    """Tax is rounded for each part; the totals of a tax group are the parts' sums."""
    sums, shares = credited_sums(terms(line(33, "a/1"), line(33, "b/1"), line(33, "")))
    assert shares == (("a/1", 40), ("b/1", 40))
    assert (sums.net_minor, sums.tax_minor, sums.gross_minor) == (99, 21, 120)
    assert [(group.taxable_minor, group.tax_minor, group.gross_minor) for group in sums.groups] == [(99, 21, 120)]


def test_earlier_credits_of_an_invoice_add_up_and_leave_others_alone() -> None:
    """Two earlier notes gave 7 of tax each on 33; the third gives the 6 that are left of 99, but on account 7."""
    before = (CreditedBefore("a/1", VAT, 33, 7), CreditedBefore("a/1", VAT, 33, 7))
    sums, shares = credited_sums(terms(line(33, "a/1"), line(33, ""), before=before))
    assert shares == (("a/1", 39),)
    assert sums.tax_minor == 6 + 7


def test_tax_rounded_on_lines_does_not_look_back() -> None:
    """Where tax is rounded on each line or unit, what earlier notes credited changes nothing."""
    drafted = terms(line(33, "a/1"), before=(CreditedBefore("a/1", VAT, 33, 7),))
    for mode in (TaxRounding.PER_LINE, TaxRounding.PER_UNIT):
        policy = TaxPolicy(mode)
        assert credited_sums(evolve(drafted, tax=policy)) == credited_sums(evolve(drafted, tax=policy, before=()))


@pytest.mark.parametrize(
    "drafted",
    [
        terms(line(-5, "a/1"), line(50, "")),
        terms(line(-5, "a/1"), line(50, "b/1")),
        terms(line(33, "a/1"), before=(CreditedBefore("a/1", VAT, 33, 60),)),
    ],
    ids=["rest on account", "rest of another invoice", "untrue tax before"],
)
def test_no_invoice_is_credited_less_than_nothing(drafted: CreditNoteContent) -> None:
    """A note that would take back what an invoice was credited is refused, though its lines sum to more than 0."""
    refusals = CREDIT_NOTE.explain(ABSENT, DraftCreditNote(drafted), STAMP)
    assert [refusal.code for refusal in refusals] == ["negative_credit"]
