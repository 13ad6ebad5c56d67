"""The columns people filter by: read off every state there is, and meaning what they say."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings

from orderflow.adapters.storage.columns import COLUMNS, DATED, DUE, Value, row_values, time_text
from orderflow.adapters.storage.conditions import conditions
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.session import RowCache
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.billing.account import Account
from orderflow.domain.billing.credit_note import CreditNoteContent, IssuedNote, Part
from orderflow.domain.billing.invoice_state import Amounts, InvoiceContent, InvoiceLine, Issued, PaidBy
from orderflow.domain.billing.numbering import Series
from orderflow.domain.engine.machine import Absent
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.intake import Accepted, Rejected
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy, Totals
from orderflow.domain.orders.content import OrderContent, OrderLine
from orderflow.domain.orders.lines import Allotment, LineVector
from orderflow.domain.orders.state import Confirmed, Draft, Progress
from orderflow.domain.parties.customer import Active
from orderflow.domain.payments.state import (
    Application,
    ApplicationTarget,
    Expected,
    Funds,
    Notes,
    PaymentSource,
    Received,
)
from orderflow.domain.returns import state as returns
from orderflow.domain.shipping.fates import Fate
from orderflow.domain.shipping.state import UNTRACKED, Carriage, InTransit, Item, Packing, Plan, Planned, ShippingLabel
from orderflow.domain.values import PartyRef
from orderflow.domain.workflow.table import MACHINES
from orderflow.errors import InputError, Key
from orderflow.ports.storage import Batch, Query, Storage, Write
from orderflow.testing.storage_material import command, store
from orderflow.testing.strategies import message

AT = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
DAY = date(2026, 3, 31)
TAX = TaxCategory("S", Decimal(20))
TOTALS = Totals(1000, 200, 1200, (), "GBP")
CONTENT = OrderContent(
    "GBP", (OrderLine.of(1, "TEA", 4, Price(Decimal("2.50"), "GBP"), TAX),), TaxPolicy(), tags=("a", "b")
)
ITEMS = (Item("SO-7", 1, "TOKYO", 4),)
PLAN, FATES = Plan("van", "fast"), (Fate(),)
LABEL = ShippingLabel("van", "slow", "T-1")


def confirmed(*allotments: Allotment) -> Confirmed:
    """An order with some of its units allocated."""
    progress = Progress((LineVector(4 - len(allotments), allocated=allotments),), tags=("b", "c"))
    return Confirmed(CONTENT, TOTALS, progress, AT, AT)


def invoice(id_: str = "SO-7") -> Issued:
    """An invoice of one line."""
    line = InvoiceLine(id_, 1, 4, 1000, TAX)
    content = InvoiceContent("INV", "17850", None, "GBP", (line,), TaxPolicy(), DAY)
    return Issued(
        content, TOTALS, date(2026, 4, 30), "INV000001", Amounts(200, 100, paid_by=(PaidBy("p", 100, "17850"),))
    )


def note(order: str) -> IssuedNote:
    """A credit note for an order, on account where there is none."""
    parts = (Part(order, "I-1", (), TOTALS),) if order else ()
    return IssuedNote(CreditNoteContent("CN", "17850", None, "GBP", DAY), parts, TOTALS, "CN1", 70)


ROWS: tuple[tuple[str, str, Any, dict[str, Value]], ...] = (
    (
        "order",
        "SO-7",
        Draft(CONTENT),
        {"total_minor": None, "placed_at": None, "expires_at": None, "tags": '["a", "b"]'},
    ),
    ("order", "SO-7", confirmed(), {"total_minor": 1200, "expires_at": None, "tags": '["a", "b", "c"]'}),
    (
        "order",
        "SO-7",
        confirmed(Allotment("T", 1, AT), Allotment("T", 1), Allotment("T", 1, AT.replace(day=1))),
        {"expires_at": "2026-03-01T09:30:00"},
    ),
    ("stock", "A@TOKYO", StockLevel(5, 2), {"sku": "A", "location": "TOKYO", "on_hand": 5, "allocated": 2}),
    (
        "shipment",
        "SH-1",
        Planned(ITEMS, PLAN, UNTRACKED),
        {"order_id": "SO-7", "carrier": "van", "service": "fast", "tracking_number": None, "handed_over_at": None},
    ),
    (
        "shipment",
        "SH-1",
        InTransit(ITEMS, PLAN, UNTRACKED, Carriage(Packing(1, 1, AT), LABEL, AT), FATES),
        {"service": "slow", "tracking_number": "T-1", "handed_over_at": "2026-03-31T09:30:00"},
    ),
    (
        "shipment",
        "SH-1",
        InTransit(ITEMS, PLAN, UNTRACKED, Carriage(Packing(1, 1, AT), None, AT), FATES),
        {"service": "fast", "tracking_number": None},
    ),
    (
        "invoice",
        "I-1",
        invoice(),
        {
            "number": "INV000001",
            "series": "INV",
            "order_id": "SO-7",
            "customer": "17850",
            "issued_on": "2026-03-31",
            "due_on": "2026-04-30",
            "gross_minor": 1200,
            "prepaid_minor": 200,
            "applied_minor": 100,
            "credited_minor": 100,
            "written_off_minor": 0,
            "open_minor": 800,
        },
    ),
    ("credit_note", "C-1", note("SO-7"), {"number": "CN1", "order_id": "SO-7", "gross_minor": 1200}),
    ("credit_note", "C-1", note(""), {"order_id": None, "customer": "17850", "free_minor": 70}),
    (
        "return",
        "R-1",
        returns.Received(
            returns.ReturnWish("", (), returns.CustomerReason.TOO_LATE, customer="17850"),
            returns.Goods((returns.Lot("TOKYO", "SO-7", 1, "", "SO-7/1", 1),)),
            returns.Handling(tracking="T-9"),
        ),
        {"open": 1, "order_id": "SO-7", "location": "TOKYO", "reason": "too_late", "tracking_number": "T-9"},
    ),
    (
        "return",
        "R-1",
        returns.Settled(
            returns.ReturnWish("", ()),
            returns.Goods((returns.Lot("TOKYO", "", 0, "TEA", "", 1, 1),)),
            returns.Handling(credit_note="C-1"),
        ),
        {"open": 0, "order_id": None, "credit_note": "C-1", "due_at": None},
    ),
    (
        "return",
        "R-1",
        returns.Authorised(
            returns.ReturnWish("SO-7", ()), returns.Goods(), returns.Handling(datetime(2026, 4, 1, tzinfo=UTC))
        ),
        {"order_id": "SO-7", "location": None, "due_at": "2026-04-01T00:00:00"},
    ),
    (
        "payment",
        "P-1",
        Expected(
            PaymentSource("bank", "X-1", "17850"), Money(500, "GBP"), (), Notes(), datetime(2026, 4, 1, tzinfo=UTC)
        ),
        {"source": "bank", "external_id": "X-1", "customer": "17850", "expected_minor": 500, "received_minor": None},
    ),
    (
        "payment",
        "P-1",
        Received(
            PaymentSource("bank", "X-1"),
            Funds("GBP", received=500, refunded=50, applications=(Application(ApplicationTarget.INVOICE, "I-1", 200),)),
            (),
            Notes(),
        ),
        {"currency": "GBP", "received_minor": 500, "applied_minor": 200, "free_minor": 250},
    ),
    ("customer", "17850", Active(PartyRef("P", 2), ("vip",)), {"party": "P@2", "tags": '["vip"]', "reason": None}),
    ("account", "17850", Account((), Money(9, "GBP"), blocked=True), {"blocked": 1, "limit_minor": 9}),
    ("series", "INV", Series("INV", 1, 6, 8), {"prefix": "INV", "start_number": 1, "next_number": 8}),
    ("intake", "web/a/1", Accepted("order", "SO-7"), {"channel": "web", "external_id": "a/1", "became_id": "SO-7"}),
    ("intake", "web/a/1", Rejected(12, ("no_sku",)), {"line": 12, "became_kind": None}),
)


@pytest.mark.parametrize("kind, id_, state, expected", ROWS)
def test_columns_say_what_the_state_says(kind: str, id_: str, state: Any, expected: dict[str, Value]) -> None:
    """A column is a fact of the state, and empty where the state has no such fact."""
    values = row_values(Key("main", kind, id_), 3, state)
    assert {name: values[name] for name in expected} == expected
    assert (values["id"], values["version"], values["status"]) == (id_, 3, type(state).__name__)


def test_times_sort_as_text() -> None:
    """Earlier moments are smaller texts, with a fraction or without, from whatever zone."""
    moments = [AT, AT.replace(microsecond=1), AT.replace(microsecond=500_000), AT.replace(second=1)]
    texts = [time_text(moment) for moment in moments]
    assert texts == sorted(texts)
    assert time_text(AT.astimezone()) == "2026-03-31T09:30:00"


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    """The two half past ones of an autumn night are equal within their zone, and an hour apart all the same."""
    first = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York"))
    second = first.replace(fold=1)
    assert first == second
    assert [time_text(first), time_text(second)] == ["2026-11-01T05:30:00", "2026-11-01T06:30:00"]


def test_dates_are_columns_of_their_kind() -> None:
    """What dates a row, or says when it is due, is one of its columns."""
    for kind, column in [*DATED.items(), *DUE.items()]:
        assert column in COLUMNS[kind]
        assert column.endswith(("_at", "_on"))


STORED = [
    (machine.kind, state) for machine in MACHINES for state in machine.states if state not in {Absent, StockLevel}
]


@pytest.fixture(scope="module")
def every_kind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStorage]:
    """A storage of the standard workflow."""
    with closing(SqliteStorage(tmp_path_factory.mktemp("kinds") / "shop.db", MACHINES, exclusive=True)) as storage:
        yield storage


def _is_whole(state: Any) -> bool:
    """An order has a vector for each line, a parcel a fate for each item."""
    if hasattr(state, "progress"):
        return len(state.progress.lines) == len(state.content.lines)
    return not hasattr(state, "fates") or len(state.fates) == len(state.items)


def _in_euros(state: Any) -> Any:
    """The state, its funds in a currency that there is."""
    return evolve(state, funds=evolve(state.funds, currency="EUR")) if hasattr(state, "funds") else state


@pytest.mark.parametrize("kind, state", STORED, ids=lambda value: getattr(value, "__name__", value))
def test_every_state_is_stored_and_read_back(every_kind: SqliteStorage, kind: str, state: type[Any]) -> None:
    """Whatever a state holds within its bounds, SQLite gives it back, and its columns as memory reads them."""
    numbers = itertools.count()

    @settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
    @given(message(state).filter(_is_whole).map(_in_euros))
    def check(drawn: Any) -> None:
        key = Key("main", kind, f"{state.__name__}/{next(numbers)}")
        memory = MemoryStorage()
        for target in (every_kind, memory):
            store(target, Batch((command(f"c-{key}", key, 1),), (Write(key, 0, 1, drawn, AT),), ()))
        every_kind._sessions.session().cache = RowCache()
        query = Query(kind, where=(("id", key.id),))
        assert [row.state for row in every_kind.find(query)] == [drawn]
        facts = row_values(key, 1, drawn)
        known = [(name, value) for name, value in facts.items() if value is not None]
        where = tuple(pair for pair in known if not faults_of(Query(kind, where=(pair,))))
        assert [row.key for row in every_kind.find(evolve(query, where=where))] == [key]
        assert [row.key for row in memory.find(evolve(query, where=where))] == [key]

    check()


@pytest.fixture(params=["memory", "sqlite"])
def storage(request: pytest.FixtureRequest, every_kind: SqliteStorage) -> Storage:
    """An empty storage of either sort."""
    return MemoryStorage("dates") if request.param == "memory" else every_kind.for_tenant("dates")


def test_days_and_moments_bound_alike(storage: Storage) -> None:
    """A day counts from its midnight: since the moment it starts, due by any moment of it."""
    key = Key("dates", "invoice", f"I-{type(storage).__name__}")
    store(storage, Batch((command(key.id, key, 1),), (Write(key, 0, 1, invoice(), AT),), ()))

    def found(**bounds: Any) -> int:
        return len(storage.find(Query("invoice", **bounds)))

    midnight = datetime(2026, 3, 31, tzinfo=UTC)
    assert (found(since=midnight), found(since=AT)) == (1, 0)
    assert (found(until=midnight), found(until=AT)) == (0, 1)
    due = datetime(2026, 4, 30, tzinfo=UTC)
    assert (found(due_by=due), found(due_by=due.replace(day=29, hour=23))) == (1, 0)


def test_every_fault_of_a_query_is_named() -> None:
    """A query that is wrong in many ways says so of each of them."""
    query = Query(
        "stock",
        where=(("ghost", "x"), ("on_hand", "5")),
        since=AT,
        due_by=AT,
        tag="vip",
    )
    with pytest.raises(InputError) as caught:
        conditions(evolve(query, until=AT.replace(tzinfo=None), limit=0))
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [
        ("until", "naive_time"),
        ("limit", "out_of_range"),
    ]
    with pytest.raises(InputError) as caught:
        conditions(query)
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [
        ("where[0]", "unknown_column"),
        ("where[1]", "wrong_type"),
        ("since", "not_dated"),
        ("due_by", "not_dated"),
        ("tag", "not_tagged"),
    ]


def test_sums_name_their_faults() -> None:
    """Sums need columns, of numbers, and groups that there are."""
    with pytest.raises(InputError) as caught:
        MemoryStorage().sums("stock", (), ("ghost",))
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [
        ("by[0]", "unknown_column"),
        ("columns", "bad_length"),
    ]
