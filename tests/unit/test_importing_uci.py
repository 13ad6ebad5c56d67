"""The layout of the UCI file: documents from rows, and the first part of the real file against a tally of its own."""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter, deque
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from orderflow.cli.run import work
from orderflow.domain.orders.content import LineKind
from orderflow.errors import InputError
from orderflow.importing.documents import (
    AdjustmentDocument,
    CancellationDocument,
    Document,
    OrderDocument,
    RejectedDocument,
    name_of,
)
from orderflow_examples.uci import COLUMNS, UciFile

TIME = "2010-12-01 08:26:00"


def row(
    number: str, sku: str = "22423", quantity: str = "6", price: str = "2.55", *, customer: str = "17850.0",
    description: str = "CAKE STAND", at: str = TIME, country: str = "United Kingdom",
) -> list[str]:  # fmt: skip
    """A row of the file."""
    return [number, sku, description, quantity, at, price, customer, country]


def file_of(folder: Path, *rows: list[str]) -> UciFile:
    """A file of rows under the right header."""
    with (folder / "uci.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return UciFile(folder / "uci.csv")


def read(folder: Path, *rows: list[str]) -> list[Document]:
    """The documents of these rows."""
    return [*file_of(folder, *rows).documents()]


def test_rows_of_one_number_are_one_order(tmp_path: Path) -> None:
    """A document stands where its first row stands, though a row of it comes after those of others."""
    first, second = read(tmp_path, row("1"), row("2", "POST"), row("1", "85123A", "1", "0.001"))
    assert isinstance(first, OrderDocument)
    assert [(line.sku, line.quantity, line.net_minor, line.kind) for line in first.content.lines] == [
        ("22423", 6, 1530, LineKind.GOODS),
        ("85123A", 1, 0, LineKind.GOODS),
    ]
    assert (first.line, first.content.customer, str(first.party.ref)) == (2, "17850", "17850/United Kingdom@1")
    assert isinstance(second, OrderDocument)
    assert (second.line, second.content.lines[0].kind) == (3, LineKind.CHARGE)


def test_times_are_of_london(tmp_path: Path) -> None:
    """A time in summer is an hour ahead of UTC."""
    winter, summer = read(tmp_path, row("1"), row("2", at="2011-05-01 08:26:00"))
    assert isinstance(winter, OrderDocument)
    assert isinstance(summer, OrderDocument)
    assert [str(document.at) for document in (winter, summer)] == [
        "2010-12-01 08:26:00+00:00",
        "2011-05-01 07:26:00+00:00",
    ]


def test_cancellations_and_adjustments_are_told_by_number_customer_and_price(tmp_path: Path) -> None:
    """C cancels; without a customer and any price stock is adjusted, with codes other than goods as a memo."""
    cancelled, adjusted, guest = read(
        tmp_path,
        row("C1", quantity="-6"), row("C1", "POST", "-1"),
        row("2", quantity="-3", price="0.0", customer=""), row("2", "gift", "1", "0.0", customer=""),
        row("3", customer=""),
    )  # fmt: skip
    assert isinstance(cancelled, CancellationDocument)
    lines = [(line.sku, line.quantity, line.goods) for line in cancelled.lines]
    assert lines == [("22423", 6, True), ("POST", 1, False)]
    assert isinstance(adjusted, AdjustmentDocument)
    assert ([change.quantity for change in adjusted.changes], adjusted.memo) == ([-3], 1)
    assert isinstance(guest, OrderDocument)
    assert (guest.content.customer, guest.party.ref.id) == ("", "guest/United Kingdom")


@pytest.mark.parametrize(
    "bad, code",
    [
        (row("1")[:-1], "wrong_columns"),
        (row("1", quantity="1.5"), "bad_quantity"),
        (row("1", quantity="0"), "bad_quantity"),
        (row("1", quantity="-6"), "bad_quantity"),
        (row("C1", quantity="6"), "bad_quantity"),
        (row("1", price="-1.00"), "bad_price"),
        (row("1", price="1e3"), "bad_price"),
        (row("1", at="01/12/2010 08:26"), "bad_time"),
        (row("1", at="2010-02-30 08:26:00"), "bad_time"),
        (row("1", sku=" "), "bad_text"),
        (row("1", sku="2" * 101), "bad_text"),
        (row("1", description="a\x00b"), "bad_text"),
        (row("1", country="x" * 99), "bad_text"),
        (row("A1"), "bad_debt"),
        (row(" "), "bad_number"),
        (row("1" * 101), "bad_number"),
    ],
)
def test_a_bad_row_rejects_its_document_with_the_line(tmp_path: Path, bad: list[str], code: str) -> None:
    """The document is rejected as a whole, the documents around it are not."""
    number = bad[0]
    good = row(number, quantity="-1" if number.startswith("C") else "1")
    before, rejected, after = read(tmp_path, row("7"), good, bad, row("8"))
    assert isinstance(rejected, RejectedDocument)
    assert code in {found.code for found in rejected.rows}
    assert {found.line for found in rejected.rows} <= {3, 4}
    assert (type(before), type(after)) == (OrderDocument, OrderDocument)


def test_a_document_has_one_customer(tmp_path: Path) -> None:
    """A row that names another customer or country is a fault of the document."""
    [rejected] = read(tmp_path, row("1"), row("1", customer="9.0"), row("1", country="France"))
    assert isinstance(rejected, RejectedDocument)
    assert [(found.line, found.code) for found in rejected.rows] == [(3, "two_parties"), (4, "two_parties")]


def test_bytes_that_are_no_text_reject_their_document(tmp_path: Path) -> None:
    """A description in another encoding is named with its line."""
    content = file_of(tmp_path, row("1", description="CAF\u00c9"), row("2")).path.read_text("utf-8").encode("latin-1")
    (tmp_path / "uci.csv").write_bytes(content)
    bad, good = UciFile(tmp_path / "uci.csv").documents()
    assert isinstance(bad, RejectedDocument)
    assert [(found.line, found.code) for found in bad.rows] == [(2, "bad_text")]
    assert isinstance(good, OrderDocument)


def test_another_header_is_another_layout(tmp_path: Path) -> None:
    """A file of other columns is refused before anything of it is worked."""
    (tmp_path / "uci.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(InputError, match="the columns must be InvoiceNo"):
        UciFile(tmp_path / "uci.csv").count()


def test_a_gzipped_file_is_read_as_the_plain_one(tmp_path: Path) -> None:
    """The same documents come out of both."""
    plain = file_of(tmp_path, row("1"), row("C2", quantity="-6"))
    (tmp_path / "uci.csv.gz").write_bytes(gzip.compress(plain.path.read_bytes()))
    packed = UciFile(tmp_path / "uci.csv.gz")
    assert [*packed.documents()] == [*plain.documents()]
    assert packed.count() == 2
    assert name_of(packed) != name_of(plain)


# -- the real file


class Tally:
    """What the first documents of the file say, counted from its rows by the rules of the data's description alone."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self.documents: dict[str, list[dict[str, str]]] = {}
        for each in rows:
            self.documents.setdefault(each["InvoiceNo"], []).append(each)
        self.counts: Counter[str] = Counter()
        self.sales, self.cancelled = Decimal(0), Decimal(0)
        self.units = self.matched = self.receipts = 0
        self.stock: Counter[str] = Counter()
        self._bought: dict[tuple[str, str, Decimal], deque[int]] = {}
        for number, members in self.documents.items():
            self._count(number, members)

    def _count(self, number: str, rows: list[dict[str, str]]) -> None:
        if number.startswith("C"):
            self.counts["cancellations"] += 1
            self.cancelled += sum(map(amount, rows))
            for each in rows:
                self._give_back(each)
            self._move(rows, receive=False)
        elif not rows[0]["CustomerID"] and all(Decimal(each["UnitPrice"]) == 0 for each in rows):
            self.counts["adjustments"] += 1
            self._move(rows, receive=True)
        else:
            self.counts["orders"] += 1
            self.sales += sum(map(amount, rows))
            for each in rows:
                if each["CustomerID"] and Decimal(each["UnitPrice"]):
                    self._bought.setdefault(bought_as(each), deque()).append(int(each["Quantity"]))
            self._move([each | {"Quantity": f"-{each['Quantity']}"} for each in rows], receive=True)

    def _give_back(self, row: dict[str, str]) -> None:
        left = -int(row["Quantity"])
        self.units += left
        bought = self._bought.get(bought_as(row), deque())
        while left and bought:
            taken = min(left, bought[0])
            self.matched += taken
            left -= taken
            bought[0] -= taken
            if not bought[0]:
                bought.popleft()

    def _move(self, rows: list[dict[str, str]], *, receive: bool) -> None:
        net: Counter[str] = Counter()
        for each in rows:
            if re.match("[0-9]{5}", each["StockCode"]):
                net[each["StockCode"]] += int(each["Quantity"]) * (1 if receive else -1)
        for sku, units in net.items():
            missing = max(0, -units - self.stock[sku])
            self.receipts += missing
            self.stock[sku] += units + missing


def amount(row: dict[str, str]) -> Decimal:
    """What a row comes to, rounded half up to pence."""
    return (int(row["Quantity"]) * Decimal(row["UnitPrice"])).quantize(Decimal("0.01"), ROUND_HALF_UP)


def bought_as(row: dict[str, str]) -> tuple[str, str, Decimal]:
    """What a cancellation is matched by."""
    return row["CustomerID"], row["StockCode"], Decimal(row["UnitPrice"])


def test_the_beginning_of_the_real_file_gives_what_its_rows_say(shared_data: Path, tmp_path: Path) -> None:
    """Documents, sums, returns and stock read back from the database equal a tally made without the library."""
    rows: list[dict[str, str]] = []
    numbers: set[str] = set()
    with gzip.open(
        shared_data / "uci_online_retail_2010-12_2011-05.csv.gz", "rt", encoding="utf-8", newline=""
    ) as file:
        for each in csv.DictReader(file):
            numbers.add(each["InvoiceNo"])
            if len(numbers) > 400:
                break
            rows.append(each)
    tally = Tally(rows)
    found = work(file_of(tmp_path, *([*each.values()] for each in rows)), tmp_path / "shop.db", receive=True)
    assert found["documents"] == {**tally.counts, "refused": 0}
    assert found["lines"] == len(rows)
    sums = found["amounts"]
    assert (Decimal(sums["sales"]), Decimal(sums["cancellations"])) == (tally.sales, tally.cancelled)
    assert (found["returns"]["units"], found["returns"]["units_matched"]) == (tally.units, tally.matched)
    assert found["stock"]["receipts"] == tally.receipts
    assert found["stock"]["net_out"] == tally.receipts - sum(tally.stock.values())
    assert found["refused_commands"] == []
