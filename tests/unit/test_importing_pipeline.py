"""The pipeline: windows follow from the file, and what each kind of document does to the shop."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import define, evolve, field

from orderflow.adapters.clock import FixedClock
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.inventory.documents import SkuChange, SkuQuantity
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import LineKind, OrderContent, OrderLine
from orderflow.domain.orders.state import AwaitingStock, Completed
from orderflow.domain.parties.party import Person
from orderflow.domain.values import PartyRef
from orderflow.importing.documents import (
    AdjustmentDocument,
    CancellationDocument,
    CancelledLine,
    Document,
    OrderDocument,
    Party,
    ReceiptDocument,
    RejectedDocument,
    RejectedRow,
)
from orderflow.importing.pipeline import WINDOW, Pipeline
from orderflow.importing.summary import rejections, summarise
from orderflow.importing.wiring import import_workflow, shop_for, start_clock
from orderflow.shop import OrderFlow

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
TAX = TaxCategory.of("S", "20")
ANN = Party(PartyRef("ann", 1), Person("Ann"))


def order(number: int, *lines: tuple[str, int], kind: LineKind = LineKind.GOODS, party: Party = ANN) -> OrderDocument:
    """An order of (SKU, quantity) at 3.00 each, an hour after the one before."""
    made = [OrderLine.of(n, s, q, Price.of("3.00", "EUR"), TAX, kind=kind) for n, (s, q) in enumerate(lines, start=1)]
    content = OrderContent(
        "EUR", tuple(made), TaxPolicy(), customer="ann", number=f"A-{number}", channel="web", external_id=f"A-{number}",
        bill_to=party.ref, ship_to=party.ref, country="DE",
    )  # fmt: skip
    return OrderDocument(f"A-{number}", BEGIN + timedelta(hours=number), number, content, party)


def receipt(number: int, *items: tuple[str, int], location: str = "main") -> ReceiptDocument:
    """A receipt of (SKU, quantity)."""
    moved = tuple([SkuQuantity(sku, location, quantity) for sku, quantity in items])
    return ReceiptDocument(f"R-{number}", BEGIN + timedelta(hours=number), number, moved)


def adjustment(number: int, sku: str, quantity: int) -> AdjustmentDocument:
    """A change of one SKU."""
    return AdjustmentDocument(
        f"J-{number}", BEGIN + timedelta(hours=number), number, (SkuChange(sku, "main", quantity),)
    )


def cancellation(number: int, sku: str, quantity: int, party: Party = ANN) -> CancellationDocument:
    """Units of one SKU come back."""
    line = CancelledLine(sku, quantity, Price.of("3.00", "EUR"), TAX, goods=True)
    at = BEGIN + timedelta(hours=number)
    return CancellationDocument(f"C-{number}", at, number, "ann", "EUR", (line,), TaxPolicy(), party)


def rejected(number: int) -> RejectedDocument:
    """A line that could not be read."""
    rows = (RejectedRow(number, "bad_json", "is no JSON"), RejectedRow(number, "bad_json", "at all"))
    return RejectedDocument(f"line {number}", number, rows)


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

    def documents(self) -> Generator[Document]:
        """Each."""
        yield from self.listed


@define
class Bench:
    """A shop in memory to run documents through; ``told`` are the numbers of finished documents, window by window."""

    storage: MemoryStorage = field(factory=MemoryStorage)
    told: list[int] = field(factory=list)
    locations: tuple[str, ...] = ("main",)
    clock: FixedClock = field(factory=start_clock)

    @property
    def shop(self) -> OrderFlow:
        """The shop."""
        return shop_for(
            self.storage, import_workflow(), self.clock, notifier=MemoryNotifier(), locations=self.locations
        )

    def run(self, documents: Iterable[Document], *, receive: bool = False) -> Pipeline:
        """Run them."""
        pipeline = Pipeline(self.shop, Listed([*documents]), self.clock, "test", receive, self.told.append)
        pipeline.run()
        return pipeline

    def state(self, number: int) -> type[object]:
        """The class of an order's state."""
        return type(self.shop.orders.get(f"A-{number}"))


@pytest.fixture
def bench() -> Bench:
    """An empty shop."""
    return Bench()


def test_a_window_holds_fifty_orders_at_most(bench: Bench) -> None:
    """Orders that follow each other are worked together, up to the bound; the end of the file closes the last."""
    bench.run(order(n, ("TEA", 1)) for n in range(1, 2 * WINDOW + 8))
    assert bench.told == [WINDOW, 2 * WINDOW, 2 * WINDOW + 7]


def test_every_other_document_closes_the_window(bench: Bench) -> None:
    """A cancellation, an adjustment, a receipt or a rejected line stands between the orders around it."""
    bench.run([
        receipt(0, ("TEA", 9)), order(1, ("TEA", 1)), order(2, ("TEA", 1)), cancellation(3, "TEA", 1),
        adjustment(4, "TEA", -1), rejected(5), order(6, ("TEA", 1)),
    ])  # fmt: skip
    assert bench.told == [1, 3, 4, 5, 6, 7]


def test_an_order_goes_through_all_six_steps_at_its_own_time(bench: Bench) -> None:
    """It ends completed, delivered, billed; its facts carry the document's time, not the window's."""
    pipeline = bench.run([receipt(0, ("TEA", 9)), order(1, ("TEA", 2)), order(2, ("TEA", 1))])
    shop = bench.shop
    first = shop.rows("order").get("A-1")
    assert (type(first), first.placed_at) == (Completed, BEGIN + timedelta(hours=1))
    assert first.progress.lines[0].delivered == 2
    assert shop.invoices.get("A-1/1").totals.gross_minor == 720
    assert (pipeline.worked, pipeline.refused) == (2, [])
    assert shop.storage.pending() == 0


def test_an_older_file_is_recorded_after_what_is_there(bench: Bench) -> None:
    """Its orders keep their own times; when they were recorded follows the order of the runs (I46)."""
    bench.run([receipt(5, ("TEA", 9)), order(6, ("TEA", 2))])
    shop = bench.shop
    late = [entry.at for entry in shop.stock.history("TEA@main")]
    bench.clock.set(BEGIN)
    pipeline = Pipeline(bench.shop, Listed([order(1, ("TEA", 1))]), bench.clock, "another file")
    pipeline.run()
    assert shop.rows("order").get("A-1").placed_at == BEGIN + timedelta(hours=1)
    times = [entry.at for entry in shop.stock.history("TEA@main")]
    assert times == sorted(times)
    assert times[len(late) :] == [late[-1]] * 2


def test_services_need_no_shipment(bench: Bench) -> None:
    """An order without goods is billed and completed straight away."""
    bench.run([order(1, ("TUNING", 1), kind=LineKind.SERVICE)])
    assert bench.state(1) is Completed
    assert bench.shop.shipments.find() == []


def test_what_one_location_lacks_comes_from_another_in_a_shipment_of_its_own() -> None:
    """An order that no location can serve alone is split, and is still one order with one invoice."""
    bench = Bench(locations=("tokyo", "osaka"))
    bench.run([
        receipt(0, ("TEA", 1), location="tokyo"), receipt(1, ("CUP", 1), location="osaka"),
        order(2, ("TEA", 1), ("CUP", 1)),
    ])  # fmt: skip
    assert bench.state(2) is Completed
    assert [row.key.id for row in bench.shop.shipments.find()] == ["A-2/1", "A-2/2"]
    assert [row.key.id for row in bench.shop.invoices.find()] == ["A-2/1"]


def test_a_receipt_serves_those_that_wait_first_come_first_served(bench: Bench) -> None:
    """Back-orders are filled in the order they came; who gets nothing goes on waiting."""
    bench.run([order(1, ("TEA", 2)), order(2, ("TEA", 2)), order(3, ("TEA", 2)), receipt(4, ("TEA", 4))])
    assert [bench.state(n) for n in (1, 2, 3)] == [Completed, Completed, AwaitingStock]


def test_a_receipt_reaches_those_that_wait_behind_many_others(bench: Bench) -> None:
    """However many wait for other goods, nobody waits in vain for what has come in."""
    waiting = [order(n, ("CUP", 1)) for n in range(1, WINDOW + 10)]
    bench.run([*waiting, order(99, ("TEA", 1)), receipt(100, ("TEA", 1))])
    assert bench.state(99) is Completed
    assert bench.state(1) is AwaitingStock


def test_an_order_that_waits_in_part_is_shipped_and_billed_in_parts(bench: Bench) -> None:
    """What is there goes now, the rest when it comes, each with its shipment and its invoice."""
    bench.run([receipt(0, ("TEA", 1)), order(1, ("TEA", 3)), receipt(2, ("TEA", 2))])
    assert bench.state(1) is Completed
    grosses = [row.state.totals.gross_minor for row in bench.shop.invoices.find()]
    assert grosses == [360, 720]


def test_receiving_serves_every_document(bench: Bench) -> None:
    """With receipts of the shortfall no order waits and no adjustment takes what is not there."""
    pipeline = bench.run([order(1, ("TEA", 2)), order(2, ("TEA", 2)), adjustment(3, "TEA", -3)], receive=True)
    assert (bench.state(1), bench.state(2), pipeline.refused) == (Completed, Completed, [])
    summary = summarise(bench.shop, "UTC")
    assert (summary["stock"]["receipts"], summary["stock"]["net_out"]) == (7, 7)


def test_a_refused_step_is_remembered_and_hurts_no_other(bench: Bench) -> None:
    """An adjustment of what is not there is refused with its reason; the run goes on."""
    pipeline = bench.run([adjustment(1, "TEA", -1), receipt(2, ("CUP", 1)), order(3, ("CUP", 1))])
    assert pipeline.refused == [("web/J-1/adjust", "below_zero: a change by -1 would take 0 below 0")]
    assert bench.state(3) is Completed


def test_a_rejected_line_is_kept_with_its_codes_each_once(bench: Bench) -> None:
    """An interrupted import knows what became of each line."""
    bench.run([rejected(1), order(2, ("TEA", 1)), rejected(3)])
    assert [*rejections(bench.shop)] == [("web/line 1", 1, ("bad_json",)), ("web/line 3", 3, ("bad_json",))]


def test_running_a_finished_file_again_changes_nothing(bench: Bench) -> None:
    """No command, no version, no message more."""
    documents: list[Document] = [
        receipt(0, ("TEA", 1)),
        order(1, ("TEA", 3)),
        cancellation(2, "CUP", 1),
        receipt(3, ("TEA", 2)),
    ]
    bench.run(documents)
    before = [*bench.storage.entries(0, 1000)]
    again = bench.run(documents)
    assert [*bench.storage.entries(0, 1000)] == before
    assert (again.worked, again.refused) == (0, [])


def test_a_file_that_has_grown_goes_on_after_what_is_done(bench: Bench) -> None:
    """Only the new documents are worked, and earlier ones are still known to match cancellations."""
    documents: list[Document] = [receipt(0, ("TEA", 9)), order(1, ("TEA", 3)), adjustment(2, "TEA", -1)]
    bench.run(documents)
    again = bench.run([*documents, order(3, ("TEA", 1)), cancellation(4, "TEA", 4)])
    assert (again.worked, again.refused) == (1, [])
    assert bench.told == [1, 2, 3, 4, 5]
    assert summarise(bench.shop, "UTC")["returns"]["units_matched"] == 4


def test_a_return_is_settled_by_the_run_that_credits_it(bench: Bench) -> None:
    """Nothing more is to be credited for it, so nobody need look at it; a second run has nothing left to settle."""
    documents: list[Document] = [receipt(0, ("TEA", 9)), order(1, ("TEA", 3)), cancellation(2, "TEA", 1)]
    for _ in range(2):
        assert bench.run(documents).refused == []
        assert [type(row.state).__name__ for row in bench.shop.returns.find()] == ["Settled"]
    assert bench.shop.worklist("can_advance") == bench.shop.worklist("returns_to_credit") == []


def test_a_customer_of_two_addresses_stays_who_it_was_when_a_run_goes_on(bench: Bench) -> None:
    """A customer is registered with the first party it is met with, however the run was cut."""
    elsewhere = Party(PartyRef("ann-abroad", 1), Person("Ann"))
    documents: list[Document] = [order(1, ("TEA", 1)), adjustment(2, "TEA", 1), order(3, ("TEA", 1), party=elsewhere)]
    bench.run(documents[:2])
    bench.run([*documents, cancellation(4, "TEA", 1, elsewhere)])
    registered = [*bench.shop.customers.history("ann")]
    assert len(registered) == 1


def test_the_recorded_time_never_goes_back(bench: Bench) -> None:
    """A document that is earlier than those before it is recorded no earlier, in one go or resumed."""
    late = order(20, ("TEA", 1))
    documents: list[Document] = [late, adjustment(21, "TEA", 2), order(3, ("TEA", 1))]
    resumed = Bench()
    resumed.run(documents[:2])
    for each in (bench, Bench(storage=resumed.storage)):
        each.run(documents)
        at = [entry.at for entry in each.storage.entries(0, 1000)]
        assert at == sorted(at)


def test_another_document_under_a_known_number_is_told(bench: Bench) -> None:
    """A document whose number is known with other content changes nothing and is listed; the run goes on."""
    first = receipt(1, ("TEA", 1))
    pipeline = bench.run([first, evolve(first, items=(SkuQuantity("TEA", "main", 2),)), order(2, ("TEA", 1))])
    assert [command_id.rpartition("/")[2] for command_id, _ in pipeline.refused] == ["receive"]
    assert bench.shop.stock.level("TEA").on_hand == 0


def test_each_number_of_an_invoice_follows_the_one_before(bench: Bench) -> None:
    """Invoices are numbered in the order of the file without a gap."""
    bench.run([receipt(0, ("TEA", 99)), *(order(n, ("TEA", 1)) for n in range(1, 12)), adjustment(12, "TEA", 1)])
    numbers = [row.state.number for row in bench.shop.rows("invoice").find()]
    assert numbers == [f"{n:06}" for n in range(1, 12)]


def test_the_sums_are_read_back_by_month_of_the_shops_zone(bench: Bench) -> None:
    """Sales less cancellations, month by month, and what customers owe."""
    turn = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    bench.run([receipt(0, ("TEA", 9)), order(1, ("TEA", 2)), evolve(order(2, ("TEA", 1)), at=turn)])
    utc, tokyo = summarise(bench.shop, "UTC"), summarise(bench.shop, "Asia/Tokyo")
    assert utc["amounts"]["by_month"] == {"2026-01": "10.80"}
    assert tokyo["amounts"]["by_month"] == {"2026-01": "7.20", "2026-02": "3.60"}
    assert utc["balances"]["total"] == "10.80"
    assert utc["amounts"]["sales"] == "10.80"


def test_sums_of_several_currencies_stand_apart(bench: Bench) -> None:
    """There is no total over currencies."""
    yen = order(2, ("TEA", 1))
    line = OrderLine.of(1, "TEA", 1, Price.of("330", "JPY"), TAX)
    bench.run([
        receipt(0, ("TEA", 9)), order(1, ("TEA", 2)),
        evolve(yen, content=evolve(yen.content, currency="JPY", lines=(line,))),
    ])  # fmt: skip
    summary = summarise(bench.shop, "UTC")
    assert summary["amounts"] is None
    assert summary["balances"]["total"] is None
    assert {code: sums["net"] for code, sums in summary["amounts_by_currency"].items()} == {"EUR": "7.20", "JPY": "396"}
