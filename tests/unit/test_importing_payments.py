"""Payments in a file: recorded, kept for their orders, and nothing of them gets lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orderflow.cli.options import reading
from orderflow.cli.run import work
from orderflow.importing.documents import PaymentDocument, RejectedDocument
from orderflow.importing.jsonl import JsonLinesFile
from orderflow.ports.storage import Row
from orderflow.shop import OrderFlow
from orderflow_examples.money_ends import MoneyEnd, ends_of_money
from orderflow_examples.sample import write_sample

BOTH = ("tokyo", "osaka")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample of orders that are paid."""
    path = tmp_path_factory.mktemp("paid") / "sample.jsonl"
    write_sample(path, 160, payments=True)
    return path


@pytest.fixture(scope="module")
def database(sample: Path) -> Path:
    """Its shop."""
    work(JsonLinesFile(sample), sample.with_suffix(".db"), locations=BOTH)
    return sample.with_suffix(".db")


def rows(shop: OrderFlow, kind: str) -> list[Row[Any]]:
    """All rows of a kind."""
    return [*shop.rows(kind).find(limit=1000)]


@pytest.fixture(scope="module")
def shop(database: Path) -> Iterator[OrderFlow]:
    """Read only."""
    with reading(database, "main", None) as found:
        yield found


@pytest.fixture(scope="module")
def ends(shop: OrderFlow) -> list[MoneyEnd]:
    """Where the money of each order is."""
    return [*ends_of_money(shop, rows(shop, "order"), rows(shop, "payment"))]


def test_orders_are_paid_as_on_a_marketplace(sample: Path) -> None:
    """By several kinds, several at once, late, too much, in part, and a voucher of nothing, which is rejected."""
    documents = [*JsonLinesFile(sample).documents()]
    paid = [document for document in documents if isinstance(document, PaymentDocument)]
    parts = Counter(document.origin.order for document in paid)
    assert {document.origin.method for document in paid} == {"credit_card", "debit_card", "voucher", "boleto"}
    assert {1, 2, 3} <= set(parts.values())
    nothing = [d for d in documents if isinstance(d, RejectedDocument) and "1 minor unit" in d.rows[0].reason]
    assert len(nothing) == 5
    dates = {document.number: document.at for document in documents if not isinstance(document, RejectedDocument)}
    assert any(document.at > dates[document.origin.order] for document in paid)


def test_the_money_of_each_order_is_somewhere(sample: Path, ends: list[MoneyEnd]) -> None:
    """What came in for an order is on its invoices, kept with it, or free; none is twice or nowhere."""
    came: Counter[str] = Counter()
    for document in JsonLinesFile(sample).documents():
        if isinstance(document, PaymentDocument):
            came[document.origin.order] += document.amount.minor
    assert {end.order: end.paid_minor for end in ends if end.paid_minor} == dict(came)
    for end in ends:
        assert end.paid_minor == end.on_invoices_minor + end.kept_minor + end.free_minor
        assert not (end.kept_minor and end.open_minor)


def test_each_way_to_pay_ends_where_it_should(ends: list[MoneyEnd]) -> None:
    """Whole: nothing open; half: the rest is open; too much: some is kept or free; not at all: all is open."""
    by_number = {int(end.order[2:]): end for end in ends if not end.credited_minor and end.state == "Completed"}
    whole = [by_number[n] for n in (1, 2, 5, 6, 21, 26) if n in by_number]
    half, more, none = ([by_number[n] for n in ns if n in by_number] for ns in ((9, 29, 49), (13, 33, 53), (17, 37)))
    assert all((whole, half, more, none))
    assert all(end.open_minor == end.kept_minor == 0 < end.on_invoices_minor for end in whole)
    assert all(end.on_invoices_minor in (end.open_minor, end.open_minor - 1) for end in half)
    assert all((end.open_minor, end.kept_minor + end.free_minor) == (0, 100) for end in more)
    assert all(end.paid_minor == 0 < end.open_minor for end in none)


def test_an_order_that_waits_for_its_money_goes_on_when_it_comes(shop: OrderFlow, ends: list[MoneyEnd]) -> None:
    """The eighth order waits; its money comes six orders later, and it is completed then."""
    waiting = shop.orders.get("A-00008")
    assert waiting.content.policy.pay_before.value == "allocate"
    [end] = [end for end in ends if end.order == "A-00008"]
    assert (end.state, end.open_minor) == ("Completed", 0)
    events = [type(entry.event).__name__ for entry in shop.orders.history("A-00008")]
    assert events.index("PrepaymentRecorded") < events.index("StockAllocated")


def test_a_file_of_payments_again_changes_nothing(sample: Path, database: Path, tmp_path: Path) -> None:
    """Neither in the same database nor in another: the same rows come out."""
    before = work(JsonLinesFile(sample), database, locations=BOTH)["balances"]
    assert work(JsonLinesFile(sample), tmp_path / "other.db", locations=BOTH)["balances"] == before


def test_money_for_nobody_is_kept_free(tmp_path: Path) -> None:
    """A payment without an order, or for one that is not there, stays on the payment, and is listed."""
    path = tmp_path / "pay.jsonl"
    shared = {"type": "payment", "at": "2026-01-09T09:00:00Z", "amount": "2.50 EUR", "customer": "ann"}
    lines = [{"number": "P-1"}, {"number": "P-2", "order": "A-9"}, {"number": "P-3", "amount": "2.505 EUR"}]
    path.write_text("".join(json.dumps(shared | line) + "\n" for line in lines), encoding="utf-8")
    found = work(JsonLinesFile(path), tmp_path / "shop.db")
    assert (found["accepted"], [row["codes"] for row in found["rejected"]]) == (2, [["too_many_decimals"]])
    assert [row["command_id"] for row in found["refused_commands"]] == ["orderflow/P-2/apply"]
    with reading(tmp_path / "shop.db", "main", None) as shop:
        assert [task.key.id for task in shop.worklist("to_apply")] == ["orderflow/P-1", "orderflow/P-2"]
        assert shop.balance("ann", "EUR") == -500
