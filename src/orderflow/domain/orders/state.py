"""The states of an order: a class for each, with the facts that are true in it, and their invariants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cache, cached_property
from typing import Any, NamedTuple, Protocol, Self, TypeAlias, TypeVar

from orderflow.domain.engine.record import Record, replacing
from orderflow.domain.money.tax import TaxCategory, Totals
from orderflow.domain.orders.addresses import NewAddress, addressed
from orderflow.domain.orders.changes import Proposal
from orderflow.domain.orders.content import CancelledBy, Hold, OrderContent, OrderLine
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.values import LineQuantity
from orderflow.errors import InvariantBroken

__all__ = [
    "Accepted",
    "Allocated",
    "Authorisation",
    "AwaitingStock",
    "Bill",
    "Cancelled",
    "Completed",
    "Confirmed",
    "Draft",
    "HasProgress",
    "OrderState",
    "PartlyShipped",
    "Placed",
    "Preparing",
    "Prepayment",
    "Progress",
    "Shipped",
    "Tally",
    "Taxed",
    "Working",
    "check_order",
    "lines_of",
    "moved",
    "moved_on",
    "moved_within",
    "state_class",
    "state_for",
    "with_lines",
]

Item = TypeVar("Item", bound="OfLine")
K = TypeVar("K", bound="HasProgress")


class OfLine(Protocol):
    """Something about one line."""

    @property
    def line(self) -> int:
        """The line's number."""
        ...


class Bill(NamedTuple):
    """An invoice of the order: what is due on it before the order's own money, and how much of that lies on it."""

    invoice: str
    due_minor: int
    prepaid_minor: int
    void: bool = False

    @property
    def open_minor(self) -> int:
        """What is still to be paid, in minor units."""
        return self.due_minor - self.prepaid_minor


class Prepayment(NamedTuple):
    """Money of a payment that is kept for the order, in the pool or on its invoices."""

    payment: str
    minor: int


class Authorisation(NamedTuple):
    """Money of a payment that is reserved for the order, until a time if it ends by itself."""

    payment: str
    minor: int
    until: datetime | None


class Taxed(NamedTuple):
    """Tax charged of one category, in minor units."""

    category: TaxCategory
    minor: int


class Tally(NamedTuple):
    """Units of all goods lines together, by bucket.

    ``by_line`` is the sum of all buckets of each line; ``non_negative`` says that no bucket and no counter of what is
    charged is below 0.
    """

    by_line: tuple[int, ...]
    non_negative: bool
    ordered: int
    live: int
    backordered: int
    allocated: int
    preparing: int
    dispatched: int
    shipped: int


class Progress(Record):
    """The part of an order that changes: a vector for each line, holds, annotations, bills and money.

    Vectors are in the places of their lines. ``bills`` are all invoices, in the order of billing, voided ones too.
    ``pool_minor`` is money kept for the order and not on an invoice; ``prepayments`` say whose all of its money is, the
    newest last; ``taxed`` is what is charged, less credits, and ``rounded_minor`` what invoices were rounded by;
    ``shipments`` are all that were ever begun. Promises of stock last ``hold_seconds``, if not 0; ``lapsed`` says that
    the last one ended unused. ``revision`` counts proposed amendments; the last ``added`` lines came by them.
    ``readdressed`` says where goods go since that was changed.
    """

    lines: tuple[LineVector, ...]
    holds: tuple[Hold, ...] = ()
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    bills: tuple[Bill, ...] = ()
    taxed: tuple[Taxed, ...] = ()
    pool_minor: int = 0
    authorisations: tuple[Authorisation, ...] = ()
    shipments: tuple[str, ...] = ()
    prepayments: tuple[Prepayment, ...] = ()
    rounded_minor: int = 0
    hold_seconds: int = 0
    lapsed: bool = False
    revision: int = 0
    proposed: Proposal | None = None
    added: int = 0
    readdressed: tuple[NewAddress, ...] = ()

    @property
    def wants_stock(self) -> bool:
        """Whether units of any line are open or wait."""
        return any(vector.wants_stock for vector in self.lines)

    @property
    def open_minor(self) -> int:
        """What the order's invoices have open, in minor units."""
        return sum([bill.open_minor for bill in self.bills])

    @property
    def kept_minor(self) -> int:
        """All money of the order, on its invoices or not, in minor units."""
        return self.pool_minor + sum([bill.prepaid_minor for bill in self.bills])

    @cached_property
    def tally(self) -> Tally:
        """The sums of the vectors."""
        by_line: list[int] = []
        non_negative = True
        ordered = live = backordered = allocated = preparing = dispatched = shipped = 0
        for v in self.lines:
            waiting = v.backordered_quantity if v.backordered else 0
            held = v.allocated_quantity if v.allocated else 0
            packed = v.preparing_quantity if v.preparing else 0
            out = v.shipped + v.delivered + v.returned + v.lost
            gone = v.cancelled + v.moved
            owed = v.open + waiting + held + packed + out
            by_line.append(owed + gone)
            ordered += owed + gone
            live += owed
            backordered += waiting
            allocated += held
            preparing += packed
            dispatched += out
            shipped += v.shipped
            if v.open < 0 or v.shipped < 0 or v.delivered < 0 or v.lost < 0 or (v.invoiced and _is_overcharged(v)):
                non_negative = False
        return Tally(
            tuple(by_line), non_negative, ordered, live, backordered, allocated, preparing, dispatched, shipped
        )


def _is_overcharged(v: LineVector) -> bool:
    return v.credited > v.invoiced or not 0 <= v.waived_back <= v.waived or v.ahead < 0


def _is_negative(v: LineVector) -> bool:
    return not Progress((v,)).tally.non_negative


with_lines = replacing(Progress, lambda p: p.lines)


class Draft(Record):
    """Begun, not placed."""

    content: OrderContent
    holds: tuple[Hold, ...] = ()


class HasProgress(Record):
    """What every placed order has; never a state itself."""

    content: OrderContent
    totals: Totals
    progress: Progress

    @property
    def content_now(self) -> OrderContent:
        """The content with the addresses that its goods go to since those were changed."""
        return addressed(self.content, self.progress.readdressed)

    def with_progress(self, progress: Progress) -> Self:
        """The same state with other progress."""
        made: Self = _replacing_progress(self.__class__)(self, progress)
        return made


@cache
def _replacing_progress(kind: Any) -> Callable[[Any, Progress], Any]:
    return replacing(kind, lambda state: state.progress)


class Placed(HasProgress):
    """Received and validated (注文受付)."""

    placed_at: datetime


class Accepted(HasProgress):
    """What every state from confirmation to shipment has in common; never a state itself."""

    placed_at: datetime
    confirmed_at: datetime


class Confirmed(Accepted):
    """Accepted; stock is not secured yet."""


class AwaitingStock(Accepted):
    """Some units are on back-order (引当待ち)."""


class Allocated(Accepted):
    """Every live unit is allocated (引当済み)."""


class Preparing(Accepted):
    """Units are being prepared; none has left yet (出荷準備)."""


class PartlyShipped(Accepted):
    """Some live units have left."""


class Shipped(Accepted):
    """All live units have left."""


class Completed(HasProgress):
    """Closed. Late returns, losses and credits are still recorded."""

    placed_at: datetime
    confirmed_at: datetime
    completed_at: datetime


class Cancelled(HasProgress):
    """No live unit is left, or a draft was discarded (which has no ``placed_at``).

    ``taken`` are the units that the last cancellation took; ``repaid`` says that money came off the order since.
    ``confirmed_at`` is when it had been confirmed, if it was.
    """

    cancelled_at: datetime
    reason: str
    by: CancelledBy
    placed_at: datetime | None = None
    taken: tuple[LineQuantity, ...] = ()
    repaid: bool = False
    confirmed_at: datetime | None = None


#: Placed or accepted, not final.
Working: TypeAlias = Placed | Accepted
OrderState: TypeAlias = (
    Draft | Placed | Confirmed | AwaitingStock | Allocated | Preparing | PartlyShipped | Shipped | Completed | Cancelled
)


def state_class(seen: Tally) -> type[Accepted | Cancelled]:
    """The state an accepted order is in, by its quantities."""
    if seen.live == 0:
        return Cancelled if seen.ordered else Confirmed
    if seen.dispatched:
        return Shipped if seen.dispatched == seen.live else PartlyShipped
    if seen.preparing:
        return Preparing
    if seen.allocated == seen.live:
        return Allocated
    return AwaitingStock if seen.backordered else Confirmed


def state_for(order: Working, progress: Progress, confirmed_at: datetime) -> Accepted:
    """The accepted state that ``progress`` puts the order in."""
    state = state_class(progress.tally)
    if not issubclass(state, Accepted):
        raise InvariantBroken("order state", "no live unit is left, yet the order was not cancelled")
    return state(order.content, order.totals, progress, order.placed_at, confirmed_at)


def lines_of(order: HasProgress) -> Iterator[tuple[OrderLine, LineVector]]:
    """Every line with its vector."""
    return zip(order.content.lines, order.progress.lines, strict=True)


def moved(order: HasProgress, items: Iterable[Item], move: Callable[[LineVector, Item], LineVector]) -> Progress:
    """The order's progress once each item has moved its line's vector."""
    vectors, places = list(order.progress.lines), order.content.places
    for item in items:
        place = places[item.line]
        vectors[place] = move(vectors[place], item)
    return with_lines(order.progress, tuple(vectors))


def moved_on(order: Accepted, items: Iterable[Item], move: Callable[[LineVector, Item], LineVector]) -> Accepted:
    """The accepted state the moves lead to."""
    return state_for(order, moved(order, items, move), order.confirmed_at)


def moved_within(order: K, items: Iterable[Item], move: Callable[[LineVector, Item], LineVector]) -> K:
    """The same state after the moves."""
    return order.with_progress(moved(order, items, move))


def check_order(state: OrderState) -> None:
    """The order's invariants: vectors sum to what was ordered (L1), no bucket is negative, state and vectors agree.

    Raises:
        InvariantBroken: naming the first line or the state that is wrong.
    """
    if isinstance(state, Draft):
        return
    p = state.progress
    seen, goods = p.tally, state.content.goods
    if seen.by_line != goods or not seen.non_negative:
        raise InvariantBroken(*_breach(p, goods))
    if isinstance(state, Accepted) and type(state) is not state_class(seen):
        raise InvariantBroken("I11", f"vectors say {state_class(seen).__name__}, the state is {type(state).__name__}")
    if isinstance(state, Cancelled) and seen.live:
        raise InvariantBroken("I11", f"{seen.live} units are live, and the order is cancelled")
    if p.bills or p.pool_minor or p.prepayments:
        _check_money(p)


def _check_money(p: Progress) -> None:
    """No money stands on the order while one of its invoices is due, and none of it is below 0."""
    if p.pool_minor < 0 or any(bill.open_minor < 0 or bill.prepaid_minor < 0 for bill in p.bills):
        raise InvariantBroken("order money", f"below 0: {p.pool_minor} kept, {p.bills}")
    if sum([item.minor for item in p.prepayments]) != p.kept_minor or any(item.minor < 1 for item in p.prepayments):
        raise InvariantBroken("order money", f"{p.kept_minor} kept for the order, of payments {p.prepayments}")
    if p.pool_minor and p.open_minor:
        raise InvariantBroken("order money", f"{p.pool_minor} kept for the order while an invoice is due")


def _breach(progress: Progress, goods: tuple[int, ...]) -> tuple[str, str]:
    sums = progress.tally.by_line
    if len(sums) != len(goods):
        return "I12", f"{len(goods)} lines, {len(sums)} vectors"
    for place, (found, wanted) in enumerate(zip(sums, goods, strict=True)):
        if found != wanted:
            return "L1", f"lines[{place}]: buckets sum to {found}, ordered {wanted}"
    place = list(map(_is_negative, progress.lines)).index(True)
    return "L1", f"lines[{place}]: a bucket is negative, or more is credited than billed"
