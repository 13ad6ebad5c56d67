"""What orders wait for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from orderflow.domain.billing.credit_note import DraftCreditNote
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.orders.allocating import AllocateStock, ExpireAllocation, ReleaseStock
from orderflow.domain.orders.amending import ConfirmAmendment, DropAmendment
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.charging import (
    billable_lines,
    credit_due_minor,
    credits_due,
    missing_minor,
    to_refund_minor,
)
from orderflow.domain.orders.content import CompleteOn, Gate
from orderflow.domain.orders.guards import may_pass, waits_for_money
from orderflow.domain.orders.holding import ReleaseHold
from orderflow.domain.orders.placing import ConfirmOrder, DiscardDraft, EditDraft, PlaceOrder
from orderflow.domain.orders.state import (
    Accepted,
    Allocated,
    AwaitingStock,
    Completed,
    Confirmed,
    Draft,
    HasProgress,
    PartlyShipped,
    Placed,
    Preparing,
    Shipped,
    lines_of,
)
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.payments.pending import RequestOperation
from orderflow.domain.payments.refunding import RefundPayment
from orderflow.domain.returns.receiving import ReceiveReturn
from orderflow.domain.shipping.planning import PlanShipment
from orderflow.domain.values import summed
from orderflow.domain.workflow.standing import (
    Facts,
    always,
    amount,
    is_due,
    is_elsewhere,
    is_listed,
    is_moving,
    is_ready,
    states,
)

__all__ = ["ORDERS"]

_PLACED: Final = states(HasProgress)
_WANTING: Final = states(Confirmed, AwaitingStock, Preparing, PartlyShipped)
_HOLDING: Final = states(Confirmed, AwaitingStock, Allocated, Preparing, PartlyShipped)
_ENDING: Final = states(Confirmed, Shipped)
_BILLED: Final = states(Accepted, Completed)

# -- on its way to the customer


def _held(order: HasProgress, gate: Gate, at: datetime) -> Iterator[Facts]:
    reasons = sorted({hold.reason.value for hold in order.progress.holds if hold.closes(gate, at)})
    if reasons:
        yield {"gate": gate.value, "reasons": ", ".join(reasons)}


def _held_at_confirm(order: Placed, at: datetime) -> Iterator[Facts]:
    """Held at confirm."""
    yield from _held(order, Gate.CONFIRM, at)


def _confirms(order: Placed, at: datetime) -> Iterator[Facts]:
    """Neither a hold nor money keeps it."""
    if may_pass(order, Gate.CONFIRM, at):
        yield {}


def _proposed(order: Placed | Accepted, at: datetime) -> Iterator[Facts]:
    """An amendment is proposed."""
    if order.progress.proposed is not None:
        yield {"revision": order.progress.proposed.revision}


def _promise(order: HasProgress, at: datetime) -> Iterator[tuple[datetime, Facts]]:
    """From the end of the first promise of stock that has one."""
    ends = [a.until for v in order.progress.lines for a in v.allocated if a.until is not None]
    if ends:
        yield min(ends), {"until": min(ends).isoformat()}


def _allocates(order: Accepted, at: datetime) -> Iterator[Facts]:
    """Units are open, and neither a hold nor money keeps them, nor has a promise ended that may not be renewed."""
    lapsed = order.progress.lapsed and not may_pass(order, Gate.PREPARE, at)
    if _is_open(order) and not lapsed and may_pass(order, Gate.ALLOCATE, at):
        yield {}


def _is_open(order: HasProgress) -> bool:
    return any(v.open for v in order.progress.lines)


def _lapsed(order: Accepted, at: datetime) -> Iterator[Facts]:
    """Units are open, the last promise ended unused, and the order could still not be prepared."""
    if _is_open(order) and order.progress.lapsed and not may_pass(order, Gate.PREPARE, at):
        yield {}


def _held_at_allocate(order: Accepted, at: datetime) -> Iterator[Facts]:
    """Units are open or wait, and it is held at allocate."""
    if order.progress.wants_stock:
        yield from _held(order, Gate.ALLOCATE, at)


def _backordered(order: Accepted, at: datetime) -> Iterator[Facts]:
    """Units are on back-order, for each location."""
    waiting = summed([(w.location, w.quantity) for _, v in lines_of(order) for w in v.backordered])
    yield from ({"units": units, "location": location} for location, units in waiting.items())


def _prepares(order: Accepted, at: datetime) -> Iterator[Facts]:
    """Units are allocated, and neither a hold nor money keeps them."""
    if order.progress.tally.allocated and may_pass(order, Gate.PREPARE, at):
        yield {}


def _held_at_prepare(order: Accepted, at: datetime) -> Iterator[Facts]:
    """Units are allocated, and it is held at prepare."""
    if order.progress.tally.allocated:
        yield from _held(order, Gate.PREPARE, at)


def _in_parcels(order: HasProgress, at: datetime) -> Iterator[Facts]:
    """Units are being prepared or on the way; so they are where a parcel left though its order was cancelled."""
    seen = order.progress.tally
    if seen.preparing or seen.shipped:
        yield {"preparing": seen.preparing, "shipped": seen.shipped}


def _is_done(order: HasProgress) -> bool:
    """Whether no goods are to come any more, so that it may be completed."""
    seen = order.progress.tally
    return not seen.shipped if isinstance(order, Shipped) else isinstance(order, Confirmed) and not seen.live


def _completes(order: Accepted, at: datetime) -> Iterator[Facts]:
    """All goods are accounted for, nothing is to be billed, credited or awaited, and no hold keeps it."""
    paid = order.content.policy.complete_on is CompleteOn.DELIVERED or not order.progress.open_minor
    held = any(True for _ in _held(order, Gate.COMPLETE, at))
    if _is_done(order) and paid and not held and not billable_lines(order) and not credits_due(order):
        yield {}


def _held_at_complete(order: Accepted, at: datetime) -> Iterator[Facts]:
    """All goods are accounted for, and it is held at complete."""
    if _is_done(order):
        yield from _held(order, Gate.COMPLETE, at)


# -- its money

#: The gate that an order in a state comes to next.
_NEXT: Final[dict[type[HasProgress], Gate]] = {
    Placed: Gate.CONFIRM,
    Confirmed: Gate.ALLOCATE,
    AwaitingStock: Gate.ALLOCATE,
    Allocated: Gate.PREPARE,
    Preparing: Gate.SHIP,
    PartlyShipped: Gate.SHIP,
}


def _to_bill(order: HasProgress, at: datetime) -> Iterator[Facts]:
    """Units may be billed and are not."""
    units = sum([units for _, _, units in billable_lines(order)])
    if units:
        yield {"units": units}


def _to_credit(order: HasProgress, at: datetime) -> Iterator[Facts]:
    """Units are charged that the customer will not have."""
    if credits_due(order):
        yield amount(credit_due_minor(order), order.content.currency)


def _ahead(order: HasProgress, at: datetime) -> Iterator[Facts]:
    """Units were credited before they are cancelled, come back or are lost."""
    units = sum([v.ahead for v in order.progress.lines])
    if units:
        yield {"units": units}


def _to_refund(order: HasProgress, at: datetime) -> Iterator[Facts]:
    """More money is kept for it than it can still charge."""
    minor = to_refund_minor(order)
    if minor:
        yield amount(minor, order.content.currency)


def _unpaid(order: HasProgress, at: datetime) -> Iterator[Facts]:
    """Its next gate waits for money, or its end does."""
    minor = _unpaid_minor(order, at)
    if minor > 0:
        yield amount(minor, order.content.currency)


def _unpaid_minor(order: HasProgress, at: datetime) -> int:
    """What the order waits for at its next gate, or before it completes."""
    open_minor = order.progress.open_minor
    at_end = open_minor if order.content.policy.complete_on is CompleteOn.PAID else 0
    gate = _NEXT.get(type(order))
    if gate is None:
        return at_end if isinstance(order, Shipped) else 0
    if not waits_for_money(order, gate):
        return at_end if _is_done(order) else 0
    return max(0, missing_minor(order, at)) + open_minor


ORDERS: Final = (
    is_listed(
        states(Draft), always, "to_confirm", "draft", "begun, and not placed", PlaceOrder, EditDraft, DiscardDraft,
    ),
    is_ready(states(Placed), _confirms, "to_confirm", ConfirmOrder, ReleaseHold, CancelUnits),
    is_listed(
        states(Placed), _held_at_confirm, "to_confirm", "on_hold", "held at {gate}: {reasons}",
        ReleaseHold, CancelUnits,
    ),
    is_due(
        states(Placed), _promise, "to_confirm", "promised", "stock is promised until {until}",
        ConfirmOrder, ExpireAllocation, ReleaseStock,
    ),
    is_listed(
        states(Placed, Accepted), _proposed, "to_confirm", "amendment", "amendment {revision} is proposed",
        ConfirmAmendment, DropAmendment,
    ),
    is_ready(_WANTING, _allocates, "awaiting_stock", AllocateStock, ReceiveGoods, ReleaseHold, CancelUnits),
    is_listed(
        _WANTING, _held_at_allocate, "awaiting_stock", "on_hold", "held at {gate}: {reasons}",
        ReleaseHold, CancelUnits,
    ),
    is_listed(
        _WANTING, _lapsed, "awaiting_stock",
        "promise_ended", "a promise of stock ended, and what it waits for is missing", AllocateStock, CancelUnits,
    ),
    is_listed(
        _WANTING, _backordered, "awaiting_stock", "backordered", "{units} units wait at {location}",
        AllocateStock, ReceiveGoods, CancelUnits,
    ),
    is_ready(_HOLDING, _prepares, "to_prepare", PlanShipment, ReleaseHold, ReleaseStock),
    is_listed(
        _HOLDING, _held_at_prepare, "to_prepare", "on_hold", "held at {gate}: {reasons}",
        ReleaseHold, ReleaseStock, CancelUnits,
    ),
    is_due(
        _HOLDING, _promise, "to_prepare", "promised", "stock is promised until {until}",
        ExpireAllocation, ReleaseStock,
    ),
    is_elsewhere(_PLACED, _in_parcels, "in_parcels", "{preparing} units in preparation, {shipped} on the way"),
    is_ready(_ENDING, _completes, "to_complete", CompleteOrder),
    is_listed(
        _ENDING, _held_at_complete, "to_complete", "on_hold", "held at {gate}: {reasons}", ReleaseHold,
    ),
    is_moving(_BILLED, _to_bill, "to_bill", "to_bill", "{units} units may be billed", BillUnits),
    is_listed(_PLACED, _to_credit, "to_credit", "to_credit", "{amount} to credit", DraftCreditNote),
    is_listed(
        _PLACED, _ahead, "to_credit", "credited_ahead", "{units} units were credited ahead and are still there",
        CancelUnits, ReceiveReturn,
    ),
    is_listed(
        _PLACED, _to_refund, "to_refund", "to_refund", "{amount} kept and not needed", RequestOperation, RefundPayment,
    ),
    is_listed(_PLACED, _unpaid, "unpaid", "unpaid", "waits for {amount}", RecordPayment, CancelUnits),
)  # fmt: skip
