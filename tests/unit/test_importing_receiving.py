"""The smallest receipts that serve every document, and the mark of how far a run has come."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.documents import SkuChange, SkuQuantity
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import LineKind, OrderContent, OrderLine
from orderflow.domain.parties.party import Person
from orderflow.domain.values import PartyRef
from orderflow.errors import InvariantBroken
from orderflow.importing.documents import AdjustmentDocument, OrderDocument, Party
from orderflow.importing.progress import PROGRESS, ProgressRecorded, RecordProgress, Run
from orderflow.importing.receiving import StockForecast

AT = datetime(2026, 1, 5, tzinfo=UTC)
STAMP = Stamp(AT, "batch", "c-1")
TAX = TaxCategory.of("S", "20")


def order(*lines: tuple[str, int], kind: LineKind = LineKind.GOODS) -> OrderDocument:
    """An order of (SKU, quantity)."""
    made = [OrderLine.of(n, sku, q, Price.of("1", "EUR"), TAX, kind=kind) for n, (sku, q) in enumerate(lines, start=1)]
    return OrderDocument("1", AT, 1, OrderContent("EUR", tuple(made), TaxPolicy()), Party(PartyRef("ann", 1), Person()))


def adjustment(*changes: tuple[str, int]) -> AdjustmentDocument:
    """An adjustment of (SKU, signed quantity)."""
    return AdjustmentDocument("2", AT, 1, tuple([SkuChange(sku, "main", quantity) for sku, quantity in changes]))


def shelf() -> StockForecast:
    """Ten of TEA on hand, four of them free; no CUP was ever there."""
    return StockForecast("main", {"TEA": StockLevel(on_hand=10, allocated=6), "CUP": ABSENT})


def test_what_exceeds_the_available_stock_comes_in() -> None:
    """Lines of one SKU are summed first; what is there is used before anything is received."""
    receipt = shelf().receipt_for_order(order(("TEA", 3), ("CUP", 2), ("TEA", 3)))
    assert receipt is not None
    assert (receipt.items, receipt.reference) == ((SkuQuantity("TEA", "main", 2), SkuQuantity("CUP", "main", 2)), "1")


def test_a_later_order_finds_what_earlier_ones_have_left() -> None:
    """Orders of a window are served one after the other."""
    shared = shelf()
    assert shared.receipt_for_order(order(("TEA", 3))) is None
    for wanted, missing in ((3, 2), (1, 1)):
        receipt = shared.receipt_for_order(order(("TEA", wanted)))
        assert receipt is not None
        assert receipt.items == (SkuQuantity("TEA", "main", missing),)


def test_charges_need_no_stock() -> None:
    """Only goods are received."""
    assert shelf().receipt_for_order(order(("POST", 1), kind=LineKind.CHARGE)) is None


def test_an_adjustment_is_served_net_of_its_lines() -> None:
    """What an adjustment takes and gives of one SKU is summed; a positive sum needs nothing."""
    assert shelf().receipt_for_adjustment(adjustment(("TEA", -9), ("TEA", 5))) is None
    assert shelf().receipt_for_adjustment(adjustment(("CUP", 5))) is None
    receipt = shelf().receipt_for_adjustment(adjustment(("CUP", -2)))
    assert receipt is not None
    assert receipt.items == (SkuQuantity("CUP", "main", 2),)


def test_progress_counts_documents_and_windows() -> None:
    """Each mark is a window more."""
    state: object = ABSENT
    for documents, accepted in ((50, 49), (57, 56)):
        event, state = PROGRESS.step(state, RecordProgress(documents, accepted), STAMP)
        assert event == ProgressRecorded(documents, accepted)
    assert state == Run(57, 56, 2)


def test_progress_never_goes_back() -> None:
    """The same mark again, or an earlier one, is refused with a code."""
    for documents in (57, 50):
        assert [r.code for r in PROGRESS.explain(Run(57, 57, 2), RecordProgress(documents, 50), STAMP)] == [
            "not_further"
        ]


@pytest.mark.parametrize("impossible", [Run(1, 1, 2), Run(1, 2, 1)])
def test_no_more_windows_or_accepted_documents_than_documents(impossible: Run) -> None:
    """A window holds a document at least, and what was accepted is among the documents."""
    with pytest.raises(InvariantBroken):
        PROGRESS.check(impossible)
