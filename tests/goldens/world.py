"""The shop of a walk, the chance that leads it, and what is drawn: orders, holds, credit notes, origins of money.

Chance picks by place in a list, never by a name: a rename changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, TypeVar

from house import (
    AllocateAt,
    AllocationSettings,
    CancelledBy,
    CompleteOn,
    CreditedBefore,
    CreditLine,
    CreditNoteContent,
    FixedClock,
    Gate,
    Hold,
    HoldReason,
    InvoiceBasis,
    Item,
    LineKind,
    LineQuantity,
    MemoryCarrier,
    MemoryNotifier,
    Money,
    Operation,
    OrderContent,
    OrderFlow,
    OrderLine,
    PartyRef,
    PaymentSource,
    PaymentTerms,
    Pick,
    Policy,
    Price,
    ReturnReason,
    Rounding,
    SequenceIds,
    ShipTogether,
    ShopSettings,
    TaxCategory,
    TaxPolicy,
    TaxRounding,
    TrackingStatus,
)
from pace import PacedStorage, relay

T = TypeVar("T")

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
ORDERS, PEOPLE, PLACES, GOODS = ("O1", "O2", "O3"), ("ann", "bob"), ("main", "shop"), ("TEA", "CUP", "POT")
RATES = {"GBP": (20, 5, 0), "JPY": (10, 8, 0), "EUR": (19, 7, 0)}
PRICES = {"GBP": ("2.55", "18.00", "0.333"), "JPY": ("330", "108", "99.5"), "EUR": ("9.99", "1.25", "0.005")}
MANUAL = HoldReason.MANUAL


def each(choices: Callable[[str], T], *values: str) -> list[T]:
    """Members by value, in an order of our own: a new one changes no draw."""
    return [choices(value) for value in values]


GATES = each(Gate, "confirm", "allocate", "prepare", "ship", "complete")
TAX_ROUNDINGS = each(TaxRounding, "per_unit", "per_line", "per_document")
LINE_KINDS = each(LineKind, "goods", "service", "charge", "allowance")
ALLOCATE_AT = each(AllocateAt, "placed", "confirmed", "paid")
COMPLETE_ON = each(CompleteOn, "delivered", "invoiced", "paid")
TOGETHER = each(ShipTogether, "no", "line", "order")
INVOICE_BASES = each(InvoiceBasis, "ordered", "dispatched")
BY = each(CancelledBy, "customer", "merchant", "channel")
OPERATIONS = each(Operation, "authorise", "capture", "refund")
TRACKING = each(TrackingStatus, "out_for_delivery", "exception", "in_transit", "info")
RETURN_REASONS = each(ReturnReason, "refused", "undeliverable", "recalled")
ROUNDINGS = each(Rounding, *["half_up", "down", "up", "half_even"])


class Draw:
    """Chance by place in a list: the same on every version of Python."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def below(self, most: int) -> int:
        """A number from 0 to ``most - 1``."""
        return int(self._random.random() * most)

    def of(self, items: Sequence[T]) -> T:
        """One of these."""
        return items[self.below(len(items))]

    def once_in(self, many: int) -> bool:
        """True once in so many times."""
        return self.below(many) == 0

    def few(self) -> int:
        """1 to 4, seldom more."""
        return self.of((1, 1, 1, 1, 2, 2, 3, 9))


class World:
    """A shop in memory with a clock that stands still between steps, and the chance that leads the walk."""

    def __init__(self, seed: int) -> None:
        self.draw, self.clock, self.mail = Draw(seed), FixedClock(NOON), MemoryNotifier()
        until = NOON + timedelta(days=2) if self.draw.once_in(4) else None
        self.shop = OrderFlow(
            PacedStorage(self.clock),
            carriers=[MemoryCarrier()],
            notifier=self.mail,
            clock=self.clock,
            ids=SequenceIds(),
            settings=ShopSettings(AllocationSettings(PLACES, backorder=not self.draw.once_in(5), until=until)),
        )
        self.currency = self.draw.of(("GBP", "GBP", "JPY", "EUR"))

    # -- what is drawn again and again

    def order(self) -> str:
        return self.draw.of(("O1", "O1", "O1", "O1", "O2", "O2", "O3"))

    def document(self) -> str:
        return f"{self.order()}/{self.draw.of((1, 1, 2))}"

    def known(self, kind: str) -> str:
        """The id of a row that is there, as a rule."""
        rows = [] if self.draw.once_in(10) else self.shop.rows(kind).find()
        return self.draw.of(rows).key.id if rows else self.document()

    def shipment(self) -> str:
        return self.known("shipment")

    def invoice(self) -> str:
        return self.known("invoice")

    def payment(self) -> str:
        return self.draw.of(("P1", "P1", "P1", "P2"))

    def line(self) -> int:
        return self.draw.of((1, 1, 1, 1, 2, 2, 3, 4))

    def units(self) -> tuple[LineQuantity, ...]:
        return (LineQuantity(self.line(), self.draw.few()),)

    def picks(self) -> tuple[Pick, ...]:
        return (Pick(self.line(), self.draw.of(("main", "main", "shop")), self.draw.few()),)

    def items(self, shipment: str = "") -> tuple[Item, ...]:
        """An item at random, or one unit of what the shipment holds."""
        held = getattr(self.held("shipment", shipment), "items", ())
        if held and not self.draw.once_in(3):
            item = self.draw.of(held)
            return (Item(item.order, item.line, item.location, 1),)
        return (Item(self.order(), self.line(), self.draw.of(PLACES), self.draw.few()),)

    def stock(self) -> str:
        return f"{self.draw.of(GOODS)}@{self.draw.of(PLACES)}"

    def money(self, most: int = 0) -> Money:
        currency = self.currency if not self.draw.once_in(12) else "USD"
        return Money(self.draw.of((most or 300, most or 900, most or 500, 100, 1000, 5000)), currency)

    def gate(self) -> Gate:
        return self.draw.of(GATES)

    # -- what is asked of the shop

    def tell(self, id_: str, command: Any, **how: Any) -> Any:
        return self.shop.handle(id_, command, **how)

    def relay(self) -> Any:
        return relay(self.shop)

    def due(self, invoice: str) -> int:
        """What an invoice owes in minor units; 0 where there is none."""
        return max(0, getattr(self.held("invoice", invoice), "open_minor", 0))

    def held(self, kind: str, id_: str) -> Any:
        """The state of a row, whatever it is."""
        key = self.shop.key(kind, id_)
        return self.shop.read([key])[key].state


def tax_policy(world: World) -> TaxPolicy:
    """Where tax is rounded, which way, and whether prices hold it."""
    d = world.draw
    return TaxPolicy(d.of(TAX_ROUNDINGS), d.once_in(2), d.of(ROUNDINGS))


def order_line(world: World, number: int, rounding: Rounding) -> OrderLine:
    """Goods as a rule; at times a service, a charge or an allowance."""
    d, currency = world.draw, world.currency
    kind = d.of([LineKind.GOODS] * 7 + LINE_KINDS)
    price = d.of(PRICES[currency])
    if kind is LineKind.ALLOWANCE:
        price = f"-{price}"
    discount = d.of((0, 0, 0, 10)) if kind is LineKind.GOODS else 0
    return OrderLine.of(
        number,
        d.of(GOODS),
        d.few(),
        Price.of(price, currency, d.of((1, 1, 1, 3))),
        TaxCategory.of("S", d.of(RATES[currency])),
        kind=kind,
        discount_minor=discount,
        weight_grams=100 * d.below(4),
        rounding=rounding,
    )


def basket(world: World, order: str) -> OrderContent:
    """One to three lines on varied terms."""
    d, tax = world.draw, tax_policy(world)
    who = PartyRef(d.of(("ann", "ann", "bob")), 1)
    policy = Policy(
        d.of([AllocateAt.CONFIRMED] * 3 + ALLOCATE_AT),
        d.of([CompleteOn.INVOICED] * 2 + COMPLETE_ON),
        d.of([ShipTogether.NO] * 5 + TOGETHER),
        d.of(INVOICE_BASES),
        d.of(("UTC", "Asia/Tokyo")),
    )
    return OrderContent(
        world.currency,
        tuple([order_line(world, number, tax.rounding) for number in range(1, d.of((1, 2, 2, 3)) + 1)]),
        tax,
        who.id if not d.once_in(8) else "",
        number=f"N-{order}" if d.once_in(2) else "",
        channel="web" if not d.once_in(4) else "",
        external_id=f"W-{order}",
        bill_to=who if not d.once_in(12) else None,
        ship_to=who,
        terms=d.of((PaymentTerms(), PaymentTerms(days=30), PaymentTerms(cutoff_day=20, months=1, end_of_month=True))),
        policy=policy,
        expected_total_minor=1 if d.once_in(25) else None,
    )


def hold(world: World) -> Hold:
    """A hold of the order or of a line, at times with an end."""
    d = world.draw
    until = NOON + timedelta(days=1) if d.once_in(3) else None
    return Hold(d.of((MANUAL, MANUAL, HoldReason.CREDIT)), world.gate(), d.of((0, 0, 1)), until)


def terms(world: World) -> CreditNoteContent:
    """A note over some units of an invoice, or on account."""
    d, order, currency = world.draw, world.order(), world.currency
    tax = TaxCategory.of("S", d.of(RATES[currency]))
    link = (order, d.of((1, 1, 2, 0)), f"{order}/1") if not d.once_in(4) else ("", 0, "")
    line = CreditLine(1, d.of(GOODS), d.of((1, 1, 2)), d.of((100, 33, 255, -50, 9999)), tax, *link)
    before = (CreditedBefore(f"{order}/1", tax, 101, 7),) if d.once_in(3) else ()
    who = PartyRef(d.of(PEOPLE), 1) if not d.once_in(12) else None
    dated = date(2026, 4, d.of((1, 1, 15)))
    return CreditNoteContent("credit", d.of(PEOPLE), who, currency, (line,), tax_policy(world), dated, before=before)


def origin(world: World, payment: str) -> PaymentSource:
    """A bank transfer, or a card, which authorises first."""
    d = world.draw
    card = payment == "P2" if not d.once_in(6) else payment == "P1"
    return PaymentSource("card" if card else "bank", payment, d.of(PEOPLE), authorises=card)
