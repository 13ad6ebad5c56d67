"""The states of a return: a class for each, over the same three groups of facts, and their invariants.

Goods and money are separate facts. Here stands where the goods are; what is charged for them stands on the order.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated, Final, NamedTuple, TypeAlias

from orderflow.domain.engine.bounds import Count, FreeText, Length, Name, Quantity, Text
from orderflow.domain.engine.limits import MAX_ID, MAX_NAME
from orderflow.domain.engine.record import Fields, Record
from orderflow.domain.values import MAX_LINES, LineQuantity, Location, summed
from orderflow.errors import InvariantBroken

__all__ = [
    "Authorised",
    "Cancelled",
    "CustomerReason",
    "Declined",
    "Goods",
    "Handling",
    "HasReturn",
    "InTransit",
    "Inspected",
    "Lot",
    "PartlyReceived",
    "Received",
    "Rejected",
    "Requested",
    "ReturnState",
    "ReturnWish",
    "Settled",
    "Wanted",
    "arrival_of",
]

MAX_ARRIVALS: Final = 1_000
"""Lines of arrivals that a return remembers; of more, the latest."""

#: What names one arrival: an inbound tracking number, or the desk's own document. With the return's id it fits a name.
Arrival = Annotated[str, Text(MAX_NAME - MAX_ID - 1)]


class CustomerReason(Enum):
    """Why a customer sends something back or claims it. The last five are claims: the shop is at fault."""

    OTHER = "other"
    CHANGED_MIND = "changed_mind"
    DOES_NOT_FIT = "does_not_fit"
    TOO_LATE = "too_late"
    MISSING = "missing"
    WRONG_ITEM = "wrong_item"
    DEFECTIVE = "defective"
    DAMAGED = "damaged"


class Wanted(Enum):
    """What the customer wants for it."""

    REFUND = "refund"
    EXCHANGE = "exchange"
    RESUPPLY = "resupply"
    """The same again."""


class Wish(Fields):
    """What is to come back, units of one order, and why; no personal data in ``text``, it stays in the journal.

    Without ``goods_come_back`` it is a claim about goods that the customer keeps, or never had.
    """

    order: Name
    units: Annotated[tuple[LineQuantity, ...], Length(0, MAX_LINES)]
    reason: CustomerReason = CustomerReason.OTHER
    wanted: Wanted = Wanted.REFUND
    goods_come_back: bool = True
    customer: Name = ""
    text: FreeText = ""


class ReturnWish(Wish, Record):
    """What the customer asked for; nothing of a return that was not announced."""


class Lot(NamedTuple):
    """Units of an order's line, or of a SKU without an order, that came to a location; their inspected parts.

    ``shipment`` is the one that they had left in, empty where they left in none that is known.
    """

    location: Location
    order: Name
    line: Count
    sku: Name
    shipment: Name
    received: Quantity
    restocked: Count = 0
    quarantined: Count = 0
    discarded: Count = 0
    rejected: Count = 0

    @property
    def inspected(self) -> int:
        """Units that somebody has decided about, or that went straight back on sale."""
        return self.restocked + self.quarantined + self.discarded + self.rejected

    @property
    def waiting(self) -> int:
        """Units that are set aside until they are inspected."""
        return self.received - self.inspected


class Brought(NamedTuple):
    """What a named arrival brought: units of an order's line, or of a SKU without an order."""

    arrival: str
    order: str
    line: int
    sku: str


class Goods(Record):
    """What came back, by location, line and shipment; ``closed_short``: no more is awaited.

    ``arrivals`` are those that were named, of so many ``reports``.
    """

    lots: tuple[Lot, ...] = ()
    arrivals: tuple[Brought, ...] = ()
    reports: int = 0
    closed_short: bool = False

    @property
    def waiting(self) -> int:
        """Units to inspect."""
        return sum([lot.waiting for lot in self.lots])

    @property
    def accepted(self) -> int:
        """Units that were inspected and stay here."""
        return sum([lot.inspected - lot.rejected for lot in self.lots])

    def received_of(self, order: str, line: int) -> int:
        """Units of an order's line that came back, at any location."""
        return sum([lot.received for lot in self.lots if (lot.order, lot.line) == (order, line)])


class Handling(Record):
    """What was agreed and is known about it. ``exchange`` is the order that is sent instead."""

    return_by: datetime | None = None
    tracking: str = ""
    exchange: str = ""
    credit_note: str = ""
    reason: str = ""


class HasReturn(Record):
    """What every state of a return has; never a state itself."""

    wish: ReturnWish
    goods: Goods
    handling: Handling

    @property
    def order(self) -> str:
        """The order it is about: that of the wish, else of the first goods; empty if it belongs to none."""
        return self.wish.order or next((lot.order for lot in self.goods.lots), "")

    @property
    def location(self) -> str | None:
        """Where the first goods came to; None before."""
        return self.goods.lots[0].location if self.goods.lots else None

    @property
    def outstanding(self) -> tuple[LineQuantity, ...]:
        """Units by line that are to come and have not; none of a claim, or once it is closed short."""
        wish, goods = self.wish, self.goods
        if goods.closed_short or not wish.goods_come_back:
            return ()
        more = [LineQuantity(n, units - goods.received_of(wish.order, n)) for n, units in summed(wish.units).items()]
        return tuple([item for item in more if item.quantity > 0])

    @property
    def units_outstanding(self) -> int:
        """How many units are to come and have not."""
        return sum([item.quantity for item in self.outstanding])

    @property
    def due(self) -> datetime | None:
        """When it is over unless goods come; None if it does not wait for them."""
        return self.handling.return_by if isinstance(self, Authorised | InTransit | PartlyReceived) else None


class Requested(HasReturn):
    """The customer asks; nobody has decided."""


class Authorised(HasReturn):
    """The customer may send the goods."""


class Declined(HasReturn):
    """The shop said no."""


class InTransit(HasReturn):
    """The customer has sent the goods."""


class PartlyReceived(HasReturn):
    """Some came; more is to come."""


class Received(HasReturn):
    """All that is to come has come, and some of it is to be inspected."""


class Inspected(HasReturn):
    """The goods side is done; money may still be owed for it."""


class Settled(HasReturn):
    """Goods and money are done."""


class Rejected(HasReturn):
    """All of it was rejected, and goes back to the customer."""


class Cancelled(HasReturn):
    """Nothing came, and nothing is waited for."""


ReturnState: TypeAlias = (
    Requested
    | Authorised
    | Declined
    | InTransit
    | PartlyReceived
    | Received
    | Inspected
    | Settled
    | Rejected
    | Cancelled
)


def arrival_of(row: str, arrival: str, report: int) -> str:
    """The arrival that shipments are told of, so that each counts once whoever tells of it.

    For the first report, if it names none, that is the return itself; of a later one nobody else can have told.
    """
    return arrival or (row if report == 1 else "")


#: Where goods that came may lead.
Landed: TypeAlias = PartlyReceived | Received | Inspected | Rejected


def landed(wish: ReturnWish, goods: Goods, handling: Handling) -> Landed:
    """The state of a return of which goods have come, or nothing needs to come."""
    seen = PartlyReceived(wish, goods, handling)
    if seen.outstanding:
        return seen
    if goods.waiting:
        return Received(wish, goods, handling)
    rejected = bool(goods.lots) and not goods.accepted
    return Rejected(wish, goods, handling) if rejected else Inspected(wish, goods, handling)


def check_return(state: HasReturn) -> None:
    """No more is inspected than came; the state says whether goods are awaited, here, or done.

    Raises:
        InvariantBroken: naming what is wrong.
    """
    if any(lot.waiting < 0 or min(lot[5:]) < 0 for lot in state.goods.lots):
        raise InvariantBroken("return", "more was inspected than came back")
    if state.goods.waiting and not isinstance(state, PartlyReceived | Received):
        raise InvariantBroken("return", f"goods wait for inspection in state {type(state).__name__}")
    if isinstance(state, PartlyReceived | Received | Rejected) and not state.goods.lots:
        raise InvariantBroken("return", "nothing came back")
    settled = isinstance(state, PartlyReceived | Received | Inspected | Rejected)
    if settled and type(state) is not type(landed(state.wish, state.goods, state.handling)):
        raise InvariantBroken("return", f"its goods do not say {type(state).__name__}")
