"""The states of an order: a class for each, with the facts that are true in it, and their invariants."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import NamedTuple, Protocol, Self, TypeAlias

from attrs import frozen

from orderflow.domain.order.lines import LineVector
from orderflow.domain.order.values import Basket, By, Hold, InvoiceBasis, LineKind, OrderLine
from orderflow.domain.tax import TaxableLine, Totals, totals
from orderflow.errors import InvariantBroken

__all__ = [
    "Accepted",
    "Allocated",
    "AwaitingStock",
    "Cancelled",
    "Completed",
    "Confirmed",
    "Draft",
    "Lived",
    "Open",
    "OrderState",
    "PartlyShipped",
    "Placed",
    "Preparing",
    "Progress",
    "Shipped",
    "Tally",
    "billable",
    "billable_lines",
    "cancellable",
    "check_order",
    "landed",
    "out",
    "standing",
    "totals_of",
]


class Tally(NamedTuple):
    """Units of all goods lines together, by bucket.

    ``by_line`` is the sum of all buckets of each line; ``sound`` says that no bucket moves take from is negative, and
    no more is credited than billed.
    """

    by_line: tuple[int, ...]
    sound: bool
    ordered: int
    live: int
    backordered: int
    allocated: int
    preparing: int
    dispatched: int
    shipped: int


@frozen
class Progress:
    """The part of an order that moves: a vector for each line, holds, annotations, what was billed and settled.

    ``exposed_minor`` is the credit exposure not yet moved to an invoice; ``shipments`` counts those ever begun;
    ``prepaid_minor`` is money kept for the order itself.
    """

    lines: tuple[LineVector, ...]
    holds: tuple[Hold, ...] = ()
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    invoices: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    exposed_minor: int = 0
    shipments: int = 0
    prepaid_minor: int = 0

    def with_exposed(self, minor: int) -> Progress:
        """The same with another exposure, in minor units."""
        p = self
        other = Progress(p.lines, p.holds, p.tags, p.notes, p.invoices, p.settled, minor, p.shipments, p.prepaid_minor)
        return p._handed(other)

    def with_lines(self, lines: tuple[LineVector, ...]) -> Progress:
        """The same with other vectors."""
        p = self
        return Progress(
            lines, p.holds, p.tags, p.notes, p.invoices, p.settled, p.exposed_minor, p.shipments, p.prepaid_minor
        )

    def with_settled(self, invoices: tuple[str, ...]) -> Progress:
        """The same with these invoices settled."""
        p, exposed = self, self.exposed_minor
        other = Progress(p.lines, p.holds, p.tags, p.notes, p.invoices, invoices, exposed, p.shipments, p.prepaid_minor)
        return p._handed(other)

    def _handed(self, other: Progress) -> Progress:
        """``other``, whose vectors are the same, with their sums, so that they are not counted again."""
        object.__setattr__(other, "tally", self.tally)
        return other

    @cached_property
    def tally(self) -> Tally:
        """The sums of the vectors."""
        lines: list[int] = []
        sound = True
        backordered = allocated = preparing = dispatched = shipped = gone = 0
        for v in self.lines:
            out = v.shipped + v.delivered + v.returned + v.lost
            away = v.cancelled + v.moved
            total = v.open + out + away
            for _, quantity in v.backordered:
                total += quantity
                backordered += quantity
            for _, quantity, _ in v.allocated:
                total += quantity
                allocated += quantity
            for _, _, quantity in v.preparing:
                total += quantity
                preparing += quantity
            shipped += v.shipped
            dispatched += out
            gone += away
            lines.append(total)
            if v.open < 0 or v.shipped < 0 or v.delivered < 0 or v.lost < 0 or v.credited > v.invoiced:
                sound = False
        ordered = sum(lines)
        live = ordered - gone
        return Tally(tuple(lines), sound, ordered, live, backordered, allocated, preparing, dispatched, shipped)


class Lived(Protocol):
    """An order that has been placed: it has a basket and progress."""

    @property
    def basket(self) -> Basket:
        """What was ordered."""
        ...

    @property
    def totals(self) -> Totals:
        """Its sums."""
        ...

    @property
    def progress(self) -> Progress:
        """Where it stands."""
        ...

    def with_progress(self, progress: Progress) -> Self:
        """The same state with other progress."""
        ...


@frozen
class Draft:
    """Begun, not placed."""

    basket: Basket
    holds: tuple[Hold, ...] = ()


@frozen
class Placed:
    """Received and validated (注文受付)."""

    basket: Basket
    totals: Totals
    progress: Progress
    placed_at: datetime

    def with_progress(self, progress: Progress) -> Self:
        """The same state with other progress."""
        return type(self)(self.basket, self.totals, progress, self.placed_at)


@frozen
class Accepted:
    """What every state from confirmation to shipment has in common; never a state itself."""

    basket: Basket
    totals: Totals
    progress: Progress
    placed_at: datetime
    confirmed_at: datetime

    def with_progress(self, progress: Progress) -> Self:
        """The same state with other progress."""
        return type(self)(self.basket, self.totals, progress, self.placed_at, self.confirmed_at)


class Confirmed(Accepted):
    """Accepted; stock not secured yet."""

    __slots__ = ()


class AwaitingStock(Accepted):
    """Some units are on back-order (引当待ち)."""

    __slots__ = ()


class Allocated(Accepted):
    """Every live unit is allocated (引当済み)."""

    __slots__ = ()


class Preparing(Accepted):
    """Units are being prepared; none has left yet (出荷準備)."""

    __slots__ = ()


class PartlyShipped(Accepted):
    """Some live units have left."""

    __slots__ = ()


class Shipped(Accepted):
    """All live units have left."""

    __slots__ = ()


@frozen
class Completed:
    """Closed. Late returns, losses and credits are still recorded."""

    basket: Basket
    totals: Totals
    progress: Progress
    placed_at: datetime
    confirmed_at: datetime
    completed_at: datetime

    def with_progress(self, progress: Progress) -> Self:
        """The same state with other progress."""
        return type(self)(self.basket, self.totals, progress, self.placed_at, self.confirmed_at, self.completed_at)


@frozen
class Cancelled:
    """No live unit is left, or a draft was discarded (which never was ``placed_at`` any time)."""

    basket: Basket
    totals: Totals
    progress: Progress
    cancelled_at: datetime
    reason: str
    by: By
    placed_at: datetime | None = None

    def with_progress(self, progress: Progress) -> Self:
        """The same state with other progress."""
        return type(self)(self.basket, self.totals, progress, self.cancelled_at, self.reason, self.by, self.placed_at)


#: Placed or accepted, not final.
Open: TypeAlias = Placed | Confirmed | AwaitingStock | Allocated | Preparing | PartlyShipped | Shipped
OrderState: TypeAlias = Draft | Open | Completed | Cancelled


def standing(seen: Tally) -> type[Accepted | Cancelled]:
    """The state an accepted order is in, as its quantities say."""
    if seen.live == 0:
        return Cancelled if seen.ordered else Confirmed
    if seen.dispatched:
        return Shipped if seen.dispatched == seen.live else PartlyShipped
    if seen.preparing:
        return Preparing
    if seen.allocated == seen.live:
        return Allocated
    return AwaitingStock if seen.backordered else Confirmed


def landed(order: Accepted | Placed, progress: Progress, confirmed_at: datetime) -> Accepted:
    """The accepted state that ``progress`` puts the order in."""
    state = standing(progress.tally)
    if not issubclass(state, Accepted):
        raise InvariantBroken("order state", "no live unit is left, yet the order was not cancelled")
    return state(order.basket, order.totals, progress, order.placed_at, confirmed_at)


def totals_of(basket: Basket) -> Totals:
    """The order's sums by its own tax policy, in minor units."""
    lines = [TaxableLine(line.net_minor, line.tax, line.quantity) for line in basket.lines]
    return totals(lines, basket.tax, basket.currency)


def billable(line: OrderLine, vector: LineVector, basis: InvoiceBasis, *, started: bool) -> int:
    """Units of a line that may go on an invoice now, never below 0.

    Goods: the basis, less what came back or was lost, less what is billed and not credited. Other lines are billed
    once, when the order has ``started`` to leave (or has no goods, or is billed as ordered).
    """
    if line.kind is not LineKind.GOODS:
        return line.quantity - vector.invoiced if started or basis is InvoiceBasis.ORDERED else 0
    v = vector
    if basis is InvoiceBasis.DISPATCHED:
        basic = v.shipped + v.delivered
    else:
        basic = line.quantity - v.cancelled - v.moved - v.returned - v.lost
    return max(0, basic - (v.invoiced - v.credited))


def billable_lines(order: Accepted | Completed) -> list[tuple[OrderLine, int]]:
    """Every line of which units may be billed now, with their number."""
    seen = order.progress.tally
    started = seen.dispatched > 0 or seen.ordered == 0
    basis = order.basket.policy.invoice_basis
    found = []
    for line, vector in zip(order.basket.lines, order.progress.lines, strict=True):
        quantity = billable(line, vector, basis, started=started)
        if quantity:
            found.append((line, quantity))
    return found


def cancellable(vector: LineVector) -> int:
    """Units of a line that have not left."""
    return vector.open + vector.backordered_quantity + vector.allocated_quantity + vector.preparing_quantity


def out(vector: LineVector) -> int:
    """Units of a line that have left and not come back, those written off among them."""
    return vector.shipped + vector.delivered + vector.lost


def check_order(state: OrderState) -> None:
    """The order's invariants: vectors sum to what was ordered (L1), no bucket is negative, state and vectors agree.

    Raises:
        InvariantBroken: naming the first line or the state that is wrong.
    """
    if isinstance(state, Draft):
        return
    seen, goods = state.progress.tally, state.basket.goods
    if seen.by_line != goods or not seen.sound:
        raise InvariantBroken(*_breach(state.progress, goods))
    if isinstance(state, Accepted) and type(state) is not standing(seen):
        raise InvariantBroken("I11", f"vectors say {standing(seen).__name__}, the state is {type(state).__name__}")


def _breach(progress: Progress, goods: tuple[int, ...]) -> tuple[str, str]:
    sums = progress.tally.by_line
    if len(sums) != len(goods):
        return "I12", f"{len(goods)} lines, {len(sums)} vectors"
    for line, (found, wanted) in enumerate(zip(sums, goods, strict=True), start=1):
        if found != wanted:
            return "L1", f"line {line}: buckets sum to {found}, ordered {wanted}"
    alone = [Progress((vector,)).tally.sound for vector in progress.lines]
    return "L1", f"line {1 + alone.index(False)}: a bucket is negative or more is credited than billed"
