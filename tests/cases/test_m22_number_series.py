"""M22: no two documents show the same number; series restart by themselves; dates do not run backwards."""

from __future__ import annotations

from datetime import date, datetime
from threading import Barrier, Thread
from typing import Any

import pytest
from money_shop import MoneyShop

from orderflow import Ack, InputError, MemoryStorage, OrderFlow, Request, SqliteStorage
from orderflow.domain.billing.credit_note import AccountLine, CreditNoteContent, DraftCreditNote
from orderflow.domain.billing.numbering import ClosePeriod, OpenSeries, Restart, Series
from orderflow.domain.billing.prefixes import HeldPrefix, prefix_id
from orderflow.domain.orders.billing import BillUnits
from orderflow.domain.values import LineQuantity, PartyRef
from orderflow.errors import CommandRefused, Key
from orderflow.ports.storage import Storage

NEW_YEAR = date(2027, 1, 1)


class Books(MoneyShop):
    """A shop with an order of 50 units that have been sent, billed one by one."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage, "EUR")
        self.confirmed("O", (50, 1000)).confirmed("B", (50, 1000), customer="bob")
        for order in "OB":
            self.send(order, 50)

    def at(self, on: str) -> Books:
        """At noon of a day."""
        self.time.set(datetime.fromisoformat(f"{on}T12:00:00+00:00"))
        return self

    def number(self, series: str, order: str = "O") -> str:
        """The number of one more unit's invoice."""
        invoice = f"{order}/{1 + len(self.progress(order).bills)}"
        self.handle(order, self.billing(invoice, series))
        state: Any = self.invoices.get(invoice)
        return str(state.number)

    def billing(self, invoice: str, series: str) -> BillUnits:
        """The command that bills one unit."""
        return BillUnits(invoice, series, units=(LineQuantity(1, 1),))

    def drafted(self, on: date, series: str) -> str:
        """The number of a credit note of that date."""
        lines = (AccountLine(1, "TEA", 1, 100, self.tax),)
        content = CreditNoteContent(series, "ann", PartyRef("ann", 1), "EUR", on, (), lines)
        note = self._next("n", "credit_note")
        self.handle(note, DraftCreditNote(content))
        return self.issued(note).number

    def series(self, name: str) -> Series:
        """A series as it stands."""
        key = self.key("series", name)
        state = self.read([key])[key].state
        assert isinstance(state, Series)
        return state


@pytest.fixture
def books(storage: Storage) -> Books:
    """Books in April 2026."""
    return Books(storage)


def test_m22_two_series_with_one_prefix(books: Books) -> None:
    """The second is refused when it is opened, also in the same group; given back, the prefix is free."""
    books.handle("a", OpenSeries("26-"))
    assert books.refused("b", OpenSeries("26-", 500, 8, Restart.YEAR)) == ("prefix_taken",)
    one, two = books.handle_many([Request("c", OpenSeries("27-")), Request("d", OpenSeries("27-"))])
    assert isinstance(one, Ack)
    assert isinstance(two, CommandRefused)
    assert two.codes == ("prefix_taken",)
    books.handle("a", OpenSeries("28-"))
    books.handle("b", OpenSeries("26-"))
    assert [books.number(series) for series in "abc"] == ["28-000001", "26-000001", "27-000001"]
    books.handle("c2", OpenSeries("29-"))
    books.handle("c2", OpenSeries("29-", 5))
    assert books.number("c2") == "29-000005"
    held = books.rows("number_prefix").history(prefix_id("29-"))
    assert [type(entry.event).__name__ for entry in held] == ["PrefixClaimed", "PrefixClaimed"]


def test_m22_prefixes_that_unicode_holds_to_be_one(books: Books) -> None:
    """A letter with its accent, and a letter and an accent, print the same."""
    books.handle("a", OpenSeries("\u00c9-"))
    assert books.refused("b", OpenSeries("E\u0301-")) == ("prefix_taken",)


@pytest.mark.parametrize("prefix", ["2", "26", "R-2026/", "R-2026-04/", "inv#", "#", "2026/", "\uff12"])
def test_m22_a_prefix_that_could_be_read_in_two_ways(books: Books, prefix: str) -> None:
    """What ends like the prefix of other texts is no prefix."""
    with pytest.raises(InputError) as caught:
        books.handle("a", OpenSeries(prefix))
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [("prefix", "ambiguous")]


def test_m22_without_a_prefix(books: Books) -> None:
    """Series that nobody opens print their own name, all but the invoices' usual one; no other may be without."""
    assert [books.number(series) for series in ("inv", "invoice", "x", "inv")] == [
        "inv#000001", "000001", "x#000001", "inv#000002"
    ]  # fmt: skip
    assert books.refused("bare", OpenSeries("")) == ("prefix_missing",)
    assert books.refused("bare", OpenSeries("", restart=Restart.YEAR)) == ("prefix_missing",)
    books.handle("bare", OpenSeries("INV/"))
    assert books.number("bare") == "INV/000001"


def test_m22_the_usual_series_may_say_where_it_starts(books: Books) -> None:
    """A shop that comes from elsewhere goes on counting."""
    books.handle("invoice", OpenSeries("", 4711, 4))
    assert [books.number("invoice"), books.number("invoice")] == ["4711", "4712"]


def test_m22_a_series_used_once_gets_no_prefix(books: Books) -> None:
    """Opened or not, it keeps its pattern; one that has numbered nothing may still get one."""
    books.number("inv")
    assert books.refused("inv", OpenSeries("R-")) == ("series_in_use",)
    books.handle("a", OpenSeries("A-"))
    books.handle("b", ClosePeriod(date(2026, 3, 31)))
    books.handle("b", OpenSeries("B-", 7))
    assert [books.number("a"), books.number("b")] == ["A-000001", "B-000007"]
    assert books.refused("a", OpenSeries("C-")) == ("series_in_use",)
    books.handle("c", OpenSeries("C-"))
    assert books.refused("b", ClosePeriod(date(2026, 3, 31))) == ("already_closed",)


@pytest.mark.parametrize(
    "restart, numbers",
    [
        (Restart.NEVER, ["R-098", "R-099", "R-100", "R-101", "R-102"]),
        (Restart.YEAR, ["R-2026/098", "R-2026/099", "R-2026/100", "R-2027/098", "R-2027/099"]),
        (Restart.MONTH, ["R-2026-04/098", "R-2026-04/099", "R-2026-12/098", "R-2027-01/098", "R-2027-02/098"]),
    ],
)
def test_m22_a_new_year(books: Books, restart: Restart, numbers: list[str]) -> None:
    """A series begins anew by itself, by the documents' dates; the year is printed."""
    books.handle("inv", OpenSeries("R-", 98, 3, restart))
    days = ["2026-04-02", "2026-04-30", "2026-12-31", "2027-01-01", "2027-02-01"]
    assert [books.at(day).number("inv") for day in days] == numbers


def test_m22_a_document_dated_before_the_last_one(books: Books) -> None:
    """It is refused unless the series allows it; the same day is no matter."""
    books.handle("free", OpenSeries("F-", backdating=True))
    note = books.drafted(date(2026, 4, 3), "inv")
    assert books.drafted(date(2026, 4, 3), "inv") == "inv#000002"
    assert note == "inv#000001"
    with pytest.raises(CommandRefused) as caught:
        books.drafted(date(2026, 4, 2), "inv")
    assert caught.value.codes == ("dated_back",)
    dated = [date(2026, 4, 3), date(2026, 4, 1), date(2026, 4, 2)]
    assert [books.drafted(on, "free") for on in dated] == ["F-000001", "F-000002", "F-000003"]


def test_m22_a_document_dated_into_last_year(books: Books) -> None:
    """Where documents may be dated back, each year goes on counting for itself."""
    books.handle("free", OpenSeries("F-", 1, 2, Restart.YEAR, backdating=True))
    days = [date(2026, 12, 30), NEW_YEAR, date(2026, 12, 31), NEW_YEAR, date(2025, 6, 1), date(2025, 5, 1), NEW_YEAR]
    assert [books.drafted(on, "free") for on in days] == [
        "F-2026/01", "F-2027/01", "F-2026/02", "F-2027/02", "F-2025/01", "F-2025/02", "F-2027/03"
    ]  # fmt: skip


def test_m22_one_customer_is_closed(books: Books) -> None:
    """Only his documents are refused; a period closed for all is closed for him as well, and never opened again."""
    books.at("2026-04-10").handle("inv", ClosePeriod(date(2026, 4, 10), "ann"))
    assert books.refused("O", books.billing("O/1", "inv")) == ("period_closed",)
    assert books.number("inv", "B") == "inv#000001"
    assert books.refused("O", books.billing("O/1", "inv")) == ("period_closed",)
    assert books.refused("inv", ClosePeriod(date(2026, 4, 10), "ann")) == ("already_closed",)
    books.handle("inv", ClosePeriod(date(2026, 4, 9)))
    assert books.refused("O", books.billing("O/1", "inv")) == ("period_closed",)
    books.handle("inv", ClosePeriod(date(2026, 4, 10)))
    assert books.refused("B", books.billing("B/9", "inv")) == ("period_closed",)
    assert books.refused("inv", ClosePeriod(date(2026, 4, 10), "bob")) == ("already_closed",)
    assert [books.at("2026-04-11").number("inv", order) for order in "OB"] == ["inv#000002", "inv#000003"]


def test_m22_what_the_order_of_dates_keeps_closed_is_not_kept(books: Books) -> None:
    """Closings of customers go once a later document is there, unless documents may be dated back."""
    books.handle("free", OpenSeries("F-", backdating=True))
    for series in ("inv", "free"):
        books.handle(series, ClosePeriod(date(2026, 3, 31), "ann"))
        books.handle(series, ClosePeriod(date(2026, 4, 30), "bob"))
        books.drafted(date(2026, 4, 5), series)
    left = [[c.customer for c in books.series(series).closings] for series in ("inv", "free")]
    assert left == [["bob"], ["ann", "bob"]]
    with pytest.raises(CommandRefused) as caught:
        books.drafted(date(2026, 3, 31), "free")
    assert caught.value.codes == ("period_closed",)


def test_m22_opened_by_two_at_once(storage: MemoryStorage | SqliteStorage) -> None:
    """Of writers that open series with one prefix at the same time, one is taken, in every round."""
    for turn in range(10):
        taken: list[str] = []
        refused: list[str] = []
        barrier = Barrier(4)

        def opening(name: str, prefix: str, barrier: Any = barrier, taken: Any = taken, refused: Any = refused) -> None:
            shop = OrderFlow(storage)
            barrier.wait()
            [result] = shop.handle_many([Request(name, OpenSeries(prefix))])
            (taken if isinstance(result, Ack) else refused).append(name)

        threads = [Thread(target=opening, args=(f"s{turn}/{n}", f"{turn}-")) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 3
        key = Key("main", "number_prefix", prefix_id(f"{turn}-"))
        assert [HeldPrefix(name) for name in taken] == [storage.read([key])[key].state]
