"""The values an order is made of: lines, policy, holds, wishes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from functools import cached_property
from typing import Annotated

from attrs import frozen

from orderflow.domain.engine.bounds import Count, FreeText, Length, Minor, Name, Quantity
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.text import object_writer
from orderflow.domain.money.calendar import PaymentTerms, Timezone
from orderflow.domain.money.currencies import Currency
from orderflow.domain.money.price import Price
from orderflow.domain.money.split import Rounding
from orderflow.domain.money.tax import TaxableLine, TaxCategory, TaxPolicy, Totals, totals
from orderflow.domain.values import MAX_LINES, MAX_TAGS, PartyRef, Sku
from orderflow.errors import Fault


class LineKind(Enum):
    """What a line sells. Only goods move stock and have a line vector."""

    GOODS = "goods"
    SERVICE = "service"
    CHARGE = "charge"
    ALLOWANCE = "allowance"


class AllocateAt(Enum):
    """When stock may be allocated."""

    PLACED = "placed"
    CONFIRMED = "confirmed"


class PayBefore(Enum):
    """The first gate that waits for the order's money; every later one waits too."""

    CONFIRM = "confirm"
    ALLOCATE = "allocate"
    PREPARE = "prepare"
    SHIP = "ship"
    NEVER = "never"


class CompleteOn(Enum):
    """What an order waits for before it can be completed, once everything is delivered and billed."""

    DELIVERED = "delivered"
    PAID = "paid"


class ShipTogether(Enum):
    """What must travel in one shipment: nothing, each line whole, or the whole order."""

    NO = "no"
    LINE = "line"
    ORDER = "order"


class InvoiceBasis(Enum):
    """Which quantity may be billed."""

    ORDERED = "ordered"
    DISPATCHED = "dispatched"


class Gate(Enum):
    """The one step a hold closes."""

    CONFIRM = "confirm"
    ALLOCATE = "allocate"
    PREPARE = "prepare"
    SHIP = "ship"
    COMPLETE = "complete"


class HoldReason(Enum):
    """Why an order is held."""

    PAYMENT = "payment"
    STOCK = "stock"
    RELEASE_DATE = "release_date"
    SHIP_DATE = "ship_date"
    ADDRESS = "address"
    CREDIT = "credit"
    FRAUD = "fraud"
    CHANNEL_CHANGED = "channel_changed"
    PAID_WITHOUT_STOCK = "paid_without_stock"
    MANUAL = "manual"


class CancelledBy(Enum):
    """Who asked for a cancellation."""

    CUSTOMER = "customer"
    MERCHANT = "merchant"
    CHANNEL = "channel"


@frozen(eq=False, repr=False)
class Policy(Record):
    """How this order is processed; frozen on it when it is placed. ``timezone`` is the shop's, for business dates."""

    allocate_at: AllocateAt = AllocateAt.CONFIRMED
    pay_before: PayBefore = PayBefore.NEVER
    complete_on: CompleteOn = CompleteOn.DELIVERED
    ship_together: ShipTogether = ShipTogether.NO
    invoice_basis: InvoiceBasis = InvoiceBasis.DISPATCHED
    timezone: Timezone = "UTC"


@frozen(eq=False, repr=False)
class Hold(Record):
    """Closes one gate of the order, or of one line (``line`` 0 is the order), until a time if one is given."""

    reason: HoldReason
    gate: Gate
    line: Count = 0
    until: datetime | None = None

    def closes(self, gate: Gate, at: datetime) -> bool:
        """Whether ``gate`` is closed at time ``at``."""
        return self.gate is gate and (self.until is None or at < self.until)


@frozen(eq=False, repr=False)
class DeliveryWish(Record):
    """Requested delivery: a date, and a time slot in the carrier's own code."""

    date: date
    slot: Name = ""


@frozen(eq=False, repr=False)
class Gift(Record):
    """Gift data without its message, which is personal and kept with the party."""

    wrapping: Name = ""
    noshi: Name = ""


@frozen(eq=False, repr=False)
class OrderLine(Record):
    """One line. ``net_minor`` is price times quantity, rounded once, less ``discount_minor``; made by :meth:`of`.

    Whether that includes tax is up to the content's tax policy. ``weight_grams`` is for one base unit.
    """

    line: Quantity
    sku: Sku
    description: Name
    quantity: Quantity
    price: Price
    net_minor: Minor
    tax: TaxCategory
    kind: LineKind = LineKind.GOODS
    discount_minor: Minor = 0
    weight_grams: Count = 0

    @classmethod
    def of(
        cls,
        line: int,
        sku: str,
        quantity: int,
        price: Price,
        tax: TaxCategory,
        *,
        description: str = "",
        kind: LineKind = LineKind.GOODS,
        discount_minor: int = 0,
        weight_grams: int = 0,
        rounding: Rounding = Rounding.HALF_UP,
    ) -> OrderLine:
        """A line whose amount is computed. ``discount_minor`` is its frozen share of all discounts, in minor units."""
        net = price.line_minor(quantity, rounding) - discount_minor
        return cls(line, sku, description, quantity, price, net, tax, kind, discount_minor, weight_grams)


@frozen(eq=False, repr=False)
class OrderContent(Record):
    """What was ordered, for whom and on what terms. It never changes once the order is placed."""

    currency: Currency
    lines: Annotated[tuple[OrderLine, ...], Length(1, MAX_LINES)]
    tax: TaxPolicy
    customer: Name = ""
    number: Name = ""
    channel: Name = ""
    external_id: Name = ""
    bill_to: PartyRef | None = None
    ship_to: PartyRef | None = None
    country: Name = ""
    payment_method: Name = ""
    terms: PaymentTerms = PaymentTerms()
    policy: Policy = Policy()
    requested: DeliveryWish | None = None
    gift: Gift | None = None
    channel_data: tuple[tuple[Name, FreeText], ...] = ()
    tags: Annotated[tuple[Name, ...], Length(0, MAX_TAGS)] = ()
    expected_total_minor: Minor | None = None

    @cached_property
    def goods(self) -> tuple[int, ...]:
        """The units of goods of each line, 0 for the other lines."""
        return tuple([line.quantity if line.kind is LineKind.GOODS else 0 for line in self.lines])

    @cached_property
    def canonical_text(self) -> str:
        """Its stored text, made once."""
        return object_writer(OrderContent)(self)

    @cached_property
    def places(self) -> dict[int, int]:
        """Line number to its place in ``lines``; an order's vectors are in the same places."""
        return {line.line: place for place, line in enumerate(self.lines)}

    def line(self, number: int) -> OrderLine:
        """The line with this number, which must exist."""
        return self.lines[self.places[number]]

    def faults(self) -> Iterator[Fault]:
        """Faults between fields: each line has a number of its own, amounts follow from prices, one currency."""
        for place, line in enumerate(self.lines):
            path = f"lines[{place}]"
            if self.places[line.line] != place:
                yield Fault(f"{path}.line", "repeated", f"number {line.line} is already another line's")
            if line.price.amount < 0 and line.kind is not LineKind.ALLOWANCE:
                yield Fault(f"{path}.price.amount", "out_of_range", "must not be negative, except for an allowance")
            if line.price.currency != self.currency:
                yield Fault(f"{path}.price", "currency_mismatch", f"must be in {self.currency}")
            elif line.net_minor != line.price.line_minor(line.quantity, self.tax.rounding) - line.discount_minor:
                yield Fault(f"{path}.net_minor", "does_not_recompute", "is not price x quantity less discount")


def totals_of(content: OrderContent) -> Totals:
    """The order's sums by its own tax policy, in minor units."""
    lines = [TaxableLine(line.net_minor, line.tax, line.quantity) for line in content.lines]
    return totals(lines, content.tax, content.currency)
