"""A whole life by the README and the tutorial, the command line on a small file, and the figures of the real file."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import attrs
from click.testing import CliRunner
from house import (
    WORKLISTS,
    ApplicationTarget,
    ApplyPayment,
    CancelledBy,
    CancelUnits,
    CompleteOrder,
    ConfirmOrder,
    CreditLine,
    CreditNoteContent,
    DraftCreditNote,
    FixedClock,
    Gate,
    HandOver,
    HoldReason,
    LineQuantity,
    MemoryCarrier,
    MemoryNotifier,
    Money,
    OrderContent,
    OrderFlow,
    OrderLine,
    PartyRef,
    PaymentSource,
    Person,
    Price,
    ReceiveGoods,
    ReceiveReturn,
    RecordDelivered,
    RecordPayment,
    RefundPayment,
    ReleaseHold,
    Request,
    ReturnedUnits,
    SequenceIds,
    SettleReturn,
    TaxCategory,
    TaxPolicy,
    UciFile,
    run_file,
    standard_workflow,
    write_sample,
)
from house import command_line as root
from outcomes import outcome
from pace import PacedStorage, relay

VAT = TaxCategory.of("S", 20)
ANN = PartyRef("ann", 1)


# -- values as plain JSON


def plain(value: Any) -> Any:  # noqa: PLR0911 - a line for each form of value
    """A value by the names of its class and fields; fields that say no more than their default are left out."""
    match value:
        case None | bool() | int() | str():
            return value
        case Enum():
            return value.value
        case Decimal() | Money() | Price() | PartyRef():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case tuple() if hasattr(value, "_fields"):
            return _named(value)
        case tuple() | list():
            return [plain(each) for each in value]
        case _:
            return {"class": type(value).__name__, **_fields(value)}


def _named(value: Any) -> dict[str, Any]:
    usual = value._field_defaults
    return {name: plain(each) for name, each in value._asdict().items() if name not in usual or usual[name] != each}


def _fields(value: Any) -> dict[str, Any]:
    shown = {}
    for field in attrs.fields(type(value)):
        held = getattr(value, field.name)
        if field.default is attrs.NOTHING or held != field.default:
            shown[field.name] = plain(held)
    return shown


# -- the life


def _goods(number: int, sku: str, quantity: int, price: str) -> OrderLine:
    return OrderLine.of(number, sku, quantity, Price.of(price, "GBP"), VAT, description=sku.title())


def _basket(external_id: str, *lines: OrderLine) -> OrderContent:
    return OrderContent(
        "GBP", lines, TaxPolicy(), customer="ann", bill_to=ANN, ship_to=ANN, channel="web", external_id=external_id
    )


def _readme(shop: OrderFlow) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The first page: from import to a shipped order, and on to its end."""
    yield "goods", lambda: shop.handle("TEA@main", ReceiveGoods(10))
    yield "person", lambda: shop.record_party("ann", Person("Ann Lee", email="ann@example.org"))
    basket = _basket("W-1", _goods(1, "TEA", 3, "2.55"))
    yield "receive", lambda: shop.receive("order-1", basket)
    yield "receive again", lambda: shop.receive("order-1", basket)
    yield "receive otherwise", lambda: shop.receive("order-2", _basket("W-1", _goods(1, "TEA", 4, "2.55")))
    yield "release", lambda: shop.handle("order-1", ReleaseHold(HoldReason.CHANNEL_CHANGED, Gate.PREPARE))
    yield "advance", lambda: shop.advance("order-1")
    yield "relay", partial(relay, shop)
    yield "hand over", lambda: shop.handle("order-1/1", HandOver())
    yield "advance", lambda: shop.advance("order-1")
    yield "delivered", lambda: shop.handle("order-1/1", RecordDelivered("scan-1"))
    yield "advance", lambda: shop.advance("order-1")


def _tutorial(shop: OrderFlow) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Six steps: two lines, not enough stock, a refusal, two parcels, two invoices, money, goods that come back."""
    basket = _basket("W-77", _goods(1, "TEA", 3, "2.55"), _goods(2, "POT", 2, "18.00"))
    yield "goods", lambda: shop.handle("POT@main", ReceiveGoods(1))
    yield "receive", lambda: shop.receive("order-7", basket)
    confirm = ConfirmOrder()
    for _ in range(2):
        yield "confirm", lambda: shop.handle("order-7", confirm, by="maria", command_id="confirm/order-7")
    yield "allocate", lambda: shop.allocate("order-7")
    yield "prepare", lambda: _prepared(shop, "order-7")
    yield "explain hand-over", lambda: shop.explain("order-7/1", HandOver())
    yield "hand over", lambda: shop.handle("order-7/1", HandOver())
    too_many = CancelUnits("too many", CancelledBy.CUSTOMER, (LineQuantity(1, 99),))
    yield "explain cancel", lambda: shop.explain("order-7", too_many)
    yield "relay", partial(relay, shop)
    yield "hand over", lambda: shop.handle("order-7/1", HandOver())
    yield "goods", lambda: shop.handle("POT@main", ReceiveGoods(5))
    yield "advance", lambda: shop.advance("order-7")
    for _ in range(4):
        yield "relay", partial(relay, shop)
    yield "hand over", lambda: shop.handle("order-7/2", HandOver())
    yield "explain complete", lambda: shop.explain("order-7", CompleteOrder())
    for number in (1, 2):
        yield "delivered", partial(shop.handle, f"order-7/{number}", RecordDelivered(f"scan-{number}"))
    yield "advance", lambda: shop.advance("order-7")
    yield from _money(shop)
    yield from _back(shop)


def _prepared(shop: OrderFlow, order: str) -> Any:
    [parcel] = shop.plan_shipments(order)
    return shop.handle_many([Request(parcel.key.id, parcel.plan), Request(parcel.key.id, parcel.pack)])


def _money(shop: OrderFlow) -> Iterator[tuple[str, Callable[[], Any]]]:
    paid = Money.of("60.00", "GBP")
    yield "money in", lambda: shop.handle("bank-9", RecordPayment(PaymentSource("bank", "9", customer="ann"), paid))
    for row in shop.invoices.find(where={"customer": "ann"})[1:]:
        pays = ApplyPayment(ApplicationTarget.INVOICE, row.key.id, row.state.totals.gross)
        yield "pay", partial(shop.handle, "bank-9", pays)
    yield "refund", lambda: shop.handle("bank-9", RefundPayment(Money.of("7.62", "GBP")))


def _back(shop: OrderFlow) -> Iterator[tuple[str, Callable[[], Any]]]:
    came = ReceiveReturn("main", (ReturnedUnits("order-7", 1, 1),), reason="too green")
    yield "return", lambda: shop.handle("R-1", came)
    line = CreditLine(1, "TEA", 1, 255, VAT, order="order-7", order_line=1, invoice="order-7/1")
    terms = CreditNoteContent("credit", "ann", ANN, "GBP", (line,), TaxPolicy(), date(2026, 1, 5), reason="too green")
    yield "credit", lambda: shop.handle("CN-1", DraftCreditNote(terms))
    yield "settle", lambda: shop.handle("R-1", SettleReturn("CN-1"))
    for _ in range(5):
        yield "relay", partial(relay, shop)


def life() -> dict[str, Any]:
    """Each call with its outcome; every row with every event; notices; labels; balance."""
    clock, mail, carrier = FixedClock(datetime(2026, 1, 5, 9, tzinfo=UTC)), MemoryNotifier(), MemoryCarrier()
    shop = OrderFlow(PacedStorage(clock), carriers=[carrier], notifier=mail, clock=clock, ids=SequenceIds())
    calls = []
    for chapter in (_readme, _tutorial):
        for name, do in chapter(shop):
            clock.advance(timedelta(minutes=1))
            calls.append(f"{name}: {outcome(do)}")
    numbers = {label.tracking_number: f"label {n}" for n, label in enumerate(carrier.sold, start=1)}
    whole = {
        "calls": calls,
        "rows": _rows(shop),
        "notices": [plain(notice) for notice in mail.delivered],
        "labels": [[plain(label.price), label.service, label.tracking_number] for label in carrier.sold],
        "balance": shop.balance("ann", "GBP"),
        "worklists": {name: [task.key.id for task in shop.worklist(name)] for name in WORKLISTS},
    }
    told: dict[str, Any] = json.loads(_without_ids(json.dumps(whole, ensure_ascii=False), numbers))
    return told


def _rows(shop: OrderFlow) -> list[Any]:
    """Rows in order of creation, with versions, events and states."""
    entries = shop.storage.entries(0, 1_000)
    rows = []
    for key in dict.fromkeys(entry.key for entry in entries):
        events = [
            {"version": e.version, "at": plain(e.at), "actor": e.actor, "cause": e.cause, "event": plain(e.event)}
            for e in entries
            if e.key == key
        ]
        held = shop.read([key])[key]
        rows.append(
            {"kind": key.kind, "id": key.id, "version": held.version, "state": plain(held.state), "events": events}
        )
    return rows


def _without_ids(text: str, numbers: dict[str, str]) -> str:
    """Ids of messages hold kinds, places and topics, and tracking numbers are made of them: both are left out."""
    for number, name in numbers.items():
        text = text.replace(number, name)
    return re.sub(r'"id": "[a-z_]+/[^"]+/\d+/[a-z_]+/\d+"', '"id": "message"', text)


# -- the command line

#: What differs from run to run and from machine to machine.
LEFT_OUT = {
    "seconds", "orders_per_second", "sqlite", "file_system", "settings", "file_bytes", "free_bytes", "log_bytes",
    "fingerprint", "command_id", "workflow",
}  # fmt: skip
VOLATILE = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>"),
    (r"[0-9.]+ s, [0-9.]+ orders a second", "<time>"),
    (r"\b[0-9]{18}\b", "<tracking>"),
    (r"[0-9.]+ s\n", "<time>\n"),
    (r"fingerprint `[0-9a-f]+`", "fingerprint"),
    (r"[ ]{2,}", "  "),
)
BOTH = ("--location", "tokyo", "--location", "osaka")
SAMPLE = 66


def command_line() -> dict[str, Any]:
    """What each command prints, as lines; what is JSON, as JSON."""
    with tempfile.TemporaryDirectory(prefix="goldens-") as folder:
        file, database = Path(folder) / "sample.jsonl", Path(folder) / "shop.db"
        write_sample(file, orders=SAMPLE)
        calls = {
            "run": ("run", file, "--format", "jsonl", "--db", database, *BOTH),
            "run json": ("run", file, "--format", "jsonl", "--db", database, "--json", *BOTH),
            "dry run": ("run", file, "--format", "jsonl", "--dry-run"),
            **{f"diagram {kind}": ("diagram", kind) for kind in standard_workflow().machines},
            "diagram": ("diagram",),
            **{name: (*call, "--db", database) for name, call in _reading().items()},
        }
        return {name: _said(folder, *call) for name, call in calls.items()}


def _reading() -> dict[str, tuple[str, ...]]:
    """Calls that look at a database; what depends on today's date is left out."""
    texts: dict[str, tuple[str, ...]] = {
        "orders": ("orders",),
        "orders completed": ("orders", "--state", "Completed", "--limit", "3"),
        "orders by text": ("orders", "--text", "A-0001"),
        "orders since": ("orders", "--since", "2026-01-20", "--limit", "5"),
        **{f"show {order}": ("show", order) for order in ("A-00001", "A-00002", "A-00010", "A-00040")},
        "show nothing": ("show", "nothing"),
        **{f"worklist {name}": ("worklist", name) for name in WORKLISTS if name != "invoices_due"},
        "stock": ("stock",),
        "history order": ("history", "order", "A-00001"),
        "history stock": ("history", "stock", "CUP-BLUE@tokyo"),
        "history nothing": ("history", "stock", "NOTHING@here"),
        "verify": ("verify",),
    }
    return {
        **texts,
        **{f"{name} json": (*call, "--json") for name, call in texts.items()},
        "doctor json": ("doctor", "--json"),
    }


def _said(folder: str, *arguments: object) -> Any:
    answer = CliRunner().invoke(root, [str(argument) for argument in arguments])
    try:
        said = _kept(json.loads(answer.stdout))
    except ValueError:
        said = _steady(answer.stdout, folder)
    errors = [line for line in _steady(answer.stderr, folder) if "documents" not in line]
    return {"status": answer.exit_code, "said": said, "errors": errors}


def _steady(text: str, folder: str) -> list[str]:
    for pattern, instead in ((re.escape(folder), "<folder>"), *VOLATILE):
        text = re.sub(pattern, instead, text)
    return [line.rstrip() for line in text.splitlines()]


def _kept(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _kept(each) for name, each in tree.items() if name not in LEFT_OUT}
    if isinstance(tree, list):
        return [_kept(each) for each in tree]
    return _steady(tree, "<folder>")[0] if isinstance(tree, str) and tree else tree


# -- the real file


def uci(file: Path) -> dict[str, Any]:
    """The figures that a run of the real file gives."""
    with tempfile.TemporaryDirectory(prefix="goldens-") as folder:
        found = run_file(UciFile(file), Path(folder) / "shop.db", receive=True)
    # The file has one currency.
    found["balances"] = {name: found["balances"][name] for name in ("total", "sha256")}
    return {name: found[name] for name in ("documents", "lines", "amounts", "returns", "stock", "balances")}


def digest(file: Path) -> str:
    """What tells the file apart."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
