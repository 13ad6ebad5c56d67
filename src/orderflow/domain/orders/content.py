"""The values an order is made of: lines, policy, holds, wishes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple

from attrs import evolve

from orderflow.domain.engine.bounds import Count, FreeText, Length, Minor, Name, Positive, Quantity
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.schema import faults_at
from orderflow.domain.engine.text import object_writer
from orderflow.domain.money.calendar import PaymentTerms, Timezone
from orderflow.domain.money.currencies import Currency
from orderflow.domain.money.price import Price
from orderflow.domain.money.split import round_ratio
from orderflow.domain.money.tax import TaxableLine, TaxCategory, TaxPolicy, Totals, includes_tax, spread, totals
from orderflow.domain.values import MAX_LINES, MAX_TAGS, DeliveryWish, Gift, Location, PartyRef, Percent, Priority, Sku
from orderflow.errors import Fault, InputError

#: How amounts are counted where nothing else is said.
USUAL: Final = TaxPolicy()


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


class CaptureOn(Enum):
    """When reserved money is taken without anybody asking for it; it is let go of once nothing needs it."""

    REQUEST = "request"
    """Never: somebody asks."""
    DISPATCH = "dispatch"
    """When goods leave, as much as they cost; for an order without goods, when it is billed."""


class RefundOn(Enum):
    """When money kept for an order is given back without anybody asking for it."""

    REQUEST = "request"
    """Never: somebody asks."""
    DUE = "due"
    """When the order needs it no longer: it was cancelled, or credited after a return."""


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
    LEFT_THOUGH_CANCELLED = "left_though_cancelled"
    """It was cancelled, and yet a parcel of it left: what is missing of that is not sent again by itself."""
    MANUAL = "manual"


class CancelledBy(Enum):
    """Who asked for a cancellation."""

    CUSTOMER = "customer"
    MERCHANT = "merchant"
    CHANNEL = "channel"


class Policy(Record):
    """How this order is processed; frozen on it when it is placed.

    ``timezone`` is the shop's, for business dates. With ``collect_on_delivery`` carriers collect what their parcels
    cost as they are planned (代引), the first one with what is no goods. Where stock is short, orders of a smaller
    ``priority`` are served first, and the longest waiting first within one. Of goods by weight up to
    ``excess_percent`` of a line may be packed beyond what was ordered, and is billed.

    What is ``billed_elsewhere`` is never billed here, and names nobody to bill; what is ``shipped_elsewhere`` needs no
    address, and its parcels no label.
    """

    allocate_at: AllocateAt = AllocateAt.CONFIRMED
    pay_before: PayBefore = PayBefore.NEVER
    complete_on: CompleteOn = CompleteOn.DELIVERED
    ship_together: ShipTogether = ShipTogether.NO
    invoice_basis: InvoiceBasis = InvoiceBasis.DISPATCHED
    timezone: Timezone = "UTC"
    capture_on: CaptureOn = CaptureOn.REQUEST
    refund_on: RefundOn = RefundOn.REQUEST
    collect_on_delivery: bool = False
    priority: Priority = 0
    billed_elsewhere: bool = False
    shipped_elsewhere: bool = False
    excess_percent: Percent = 0

    def faults(self) -> Iterator[Fault]:
        """An order that is billed elsewhere waits for no money here."""
        if self.billed_elsewhere and self.pay_before is not PayBefore.NEVER:
            yield Fault("pay_before", "not_possible", "must be never where the order is billed elsewhere")
        if self.billed_elsewhere and self.complete_on is CompleteOn.PAID:
            yield Fault("complete_on", "not_possible", "must be delivered where the order is billed elsewhere")


class Hold(Record):
    """Closes one gate of the order, or of one line (``line`` 0 is the order), until a time if one is given."""

    reason: HoldReason
    gate: Gate
    line: Count = 0
    until: datetime | None = None

    def closes(self, gate: Gate, at: datetime) -> bool:
        """Whether ``gate`` is closed at time ``at``."""
        return self.gate is gate and (self.until is None or at < self.until)


class Route(NamedTuple):
    """Where units of a line go, from where and by whom; what neither the line nor its order says is left open."""

    ship_to: PartyRef | None
    country: str
    location: str | None
    carrier: str
    service: str


class OrderLine(Record):
    """One line. ``net_minor`` is price times quantity, rounded once, less ``discount_minor``; made by :meth:`of`.

    Whether that includes tax is up to the content's tax policy. ``weight_grams`` is for one base unit. ``ship_to``,
    ``country``, ``location`` and ``carrier`` with its ``service`` are the order's, unless the line names its own.
    ``vendor`` is who supplies it. ``excess_of`` is the line beyond whose units these were packed, of goods by weight.
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
    ship_to: PartyRef | None = None
    country: Name = ""
    location: Location | None = None
    carrier: Name = ""
    service: Name = ""
    vendor: Name = ""
    excess_of: Count = 0

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
        policy: TaxPolicy = USUAL,
    ) -> OrderLine:
        """A line whose amount is computed as the order's tax policy says.

        ``discount_minor`` is its frozen share of all discounts, in minor units.
        """
        if faults := faults_at("quantity", int, quantity):
            raise InputError(faults)
        net = line_minor(price, quantity, policy) - discount_minor
        return cls(line, sku, description, quantity, price, net, tax, kind, discount_minor, weight_grams)


class SharedDiscount(NamedTuple):
    """A coupon or allowance without a tax category of its own, which lowers the lines it is for.

    ``lines`` are the numbers of those, none for all goods. When the order is placed, each gets its share as a discount,
    by net value; ``shared_minor`` says how much that was, at most what the lines cost.
    """

    code: Name
    amount_minor: Positive
    lines: tuple[Quantity, ...] = ()
    shared_minor: Minor | None = None


class OrderContent(Record):
    """What was ordered, for whom and on what terms. Once it is placed, amendments add lines and change nothing.

    Units of goods are taken from ``location`` and sent by ``carrier`` with ``service``, where they are named.
    """

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
    discounts: Annotated[tuple[SharedDiscount, ...], Length(0, MAX_TAGS)] = ()
    location: Location | None = None
    carrier: Name = ""
    service: Name = ""

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

    def route(self, line: OrderLine) -> Route:
        """The way of a line. Whoever names the carrier names its service, too."""
        by = line if line.carrier or line.service else self
        return Route(
            line.ship_to or self.ship_to,
            line.country or self.country,
            line.location or self.location,
            by.carrier,
            by.service,
        )

    def faults(self) -> Iterator[Fault]:
        """Faults between fields: each line has a number of its own, amounts follow from prices, one currency."""
        for place, discount in enumerate(self.discounts):
            if not set(discount.lines) <= self.places.keys():
                yield Fault(f"discounts[{place}].lines", "unknown_line", "must be numbers of lines of this order")
        for place, line in enumerate(self.lines):
            path = f"lines[{place}]"
            if self.places[line.line] != place:
                yield Fault(f"{path}.line", "repeated", f"number {line.line} is already another line's")
            if line.price.amount < 0 and line.kind is not LineKind.ALLOWANCE:
                yield Fault(f"{path}.price.amount", "out_of_range", "must not be negative, except for an allowance")
            if line.tax.also and includes_tax(line.tax, self.tax):
                yield Fault(f"{path}.tax", "not_possible", "several taxes need prices without tax")
            if line.price.currency != self.currency:
                yield Fault(f"{path}.price", "currency_mismatch", f"must be in {self.currency}")
            elif line.net_minor != line_minor(line.price, line.quantity, self.tax) - line.discount_minor:
                yield Fault(f"{path}.net_minor", "does_not_recompute", "is not price x quantity less discount")
            elif line.net_minor < 0 < line.discount_minor and line.kind is not LineKind.ALLOWANCE:
                yield Fault(f"{path}.discount_minor", "out_of_range", "must not be larger than the line itself")


def line_minor(price: Price, quantity: int, policy: TaxPolicy) -> int:
    """So many units at a price, in minor units: rounded once, or with ``round_unit_prices`` each unit rounded alike."""
    if policy.round_unit_prices:
        return quantity * price.line_minor(1, policy.rounding)
    return price.line_minor(quantity, policy.rounding)


def with_shared(content: OrderContent) -> OrderContent:
    """The content with its discounts shared over their lines, by the largest remainder; once, and for ever."""
    shared = content
    for place, discount in enumerate(content.discounts):
        if discount.shared_minor is None:
            shared = _shared(shared, place, discount)
    return shared


def _shared(content: OrderContent, place: int, discount: SharedDiscount) -> OrderContent:
    mine = [line for line in content.lines if _is_for(discount, line)]
    minor = min(discount.amount_minor, sum([max(0, line.net_minor) for line in mine]))
    shares = spread(minor, [line.net_minor for line in mine]) if mine else ()
    parts = dict(zip([line.line for line in mine], shares, strict=True))
    lines = [_lowered(line, parts.get(line.line, 0)) for line in content.lines]
    discounts = [*content.discounts]
    discounts[place] = discount._replace(shared_minor=minor)
    return evolve(content, lines=tuple(lines), discounts=tuple(discounts))


def _lowered(line: OrderLine, minor: int) -> OrderLine:
    if not minor:
        return line
    return evolve(line, net_minor=line.net_minor - minor, discount_minor=line.discount_minor + minor)


def _is_for(discount: SharedDiscount, line: OrderLine) -> bool:
    return line.line in discount.lines if discount.lines else line.kind is LineKind.GOODS


def totals_of(content: OrderContent, moved: Mapping[int, int] = MappingProxyType({})) -> Totals:
    """The order's sums by its own tax policy, in minor units; units of a line that have ``moved`` count on another."""
    lines = []
    for line in content.lines:
        units = line.quantity - moved.get(line.line, 0)
        net = line.net_minor
        if units < line.quantity:
            net = round_ratio(net * units, line.quantity, content.tax.rounding)
        if units:
            lines.append(TaxableLine(net, line.tax, units))
    return totals(lines, content.tax, content.currency)
