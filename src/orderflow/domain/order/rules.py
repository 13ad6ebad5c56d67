"""How an order decides and changes: for each command a decide, for each event an evolve, a few lines each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

from orderflow.domain.allocation import Pick
from orderflow.domain.machine import Absent
from orderflow.domain.order import lines as moves
from orderflow.domain.order import messages as m
from orderflow.domain.order.lines import LineVector, Slice
from orderflow.domain.order.states import (
    Accepted,
    Cancelled,
    Completed,
    Draft,
    Lived,
    Placed,
    Progress,
    landed,
    out,
    totals_of,
)
from orderflow.domain.order.values import AllocateAt, By, Gate, Hold, HoldReason, LineKind, Units
from orderflow.domain.quantity import summed
from orderflow.domain.stamp import Stamp

__all__ = [
    "allocate",
    "allocated",
    "allocated_early",
    "cancel_preparation",
    "confirm",
    "confirmed",
    "deliver",
    "delivered",
    "discard_draft",
    "dispatch",
    "dispatched",
    "draft_discarded",
    "draft_edited",
    "draft_opened",
    "edit_draft",
    "expire",
    "fill",
    "loss_resolved",
    "moved",
    "moved_on",
    "moved_within",
    "open_draft",
    "pick_short",
    "picked_short",
    "place",
    "placed",
    "preparation_cancelled",
    "prepare",
    "prepared",
    "release",
    "released",
    "released_early",
    "resolve_loss",
    "take_back",
    "taken_back",
    "unconfirm",
    "unconfirmed",
    "written_off",
]


Working: TypeAlias = Placed | Accepted
Same = TypeVar("Same", bound=Lived)

# -- receive


def open_draft(state: Absent, command: m.OpenDraft, stamp: Stamp) -> m.DraftOpened:
    """What ``OpenDraft`` becomes."""
    return m.DraftOpened(command.basket)


def draft_opened(state: Absent, event: m.DraftOpened) -> Draft:
    """The order after ``DraftOpened``."""
    return Draft(event.basket)


def edit_draft(state: Draft, command: m.EditDraft, stamp: Stamp) -> m.DraftEdited:
    """What ``EditDraft`` becomes."""
    return m.DraftEdited(command.basket)


def draft_edited(state: Draft, event: m.DraftEdited) -> Draft:
    """The order after ``DraftEdited``."""
    return Draft(event.basket, state.holds)


def discard_draft(state: Draft, command: m.DiscardDraft, stamp: Stamp) -> m.DraftDiscarded:
    """What ``DiscardDraft`` becomes."""
    return m.DraftDiscarded(stamp.moment)


def draft_discarded(state: Draft, event: m.DraftDiscarded) -> Cancelled:
    """The order after ``DraftDiscarded``."""
    vectors = tuple(
        LineVector(cancelled=line.quantity) if line.kind is LineKind.GOODS else LineVector()
        for line in state.basket.lines
    )
    return Cancelled(state.basket, totals_of(state.basket), Progress(vectors), event.at, "draft discarded", By.MERCHANT)


def place(state: Absent | Draft, command: m.PlaceOrder, stamp: Stamp) -> m.OrderPlaced:
    """What ``PlaceOrder`` becomes."""
    basket = command.basket if isinstance(state, Absent) else command.basket or state.basket
    assert basket is not None, "guarded by has_basket"
    holds = command.holds if isinstance(state, Absent) else (*state.holds, *command.holds)
    if basket.policy.allocate_at is AllocateAt.PAID:
        holds = (*holds, Hold(HoldReason.PAYMENT, Gate.ALLOCATE))
    return m.OrderPlaced(basket, totals_of(basket), tuple(dict.fromkeys(holds)), stamp.moment)


def placed(state: Absent | Draft, event: m.OrderPlaced) -> Placed:
    """The order after ``OrderPlaced``."""
    basket = event.basket
    vectors = tuple(
        [LineVector(line.quantity) if line.kind is LineKind.GOODS else LineVector() for line in basket.lines]
    )
    return Placed(basket, event.totals, Progress(vectors, event.holds, basket.tags), event.at)


# -- confirm


def confirm(state: Placed, command: m.ConfirmOrder, stamp: Stamp) -> m.OrderConfirmed:
    """What ``ConfirmOrder`` becomes."""
    return m.OrderConfirmed(stamp.moment)


def confirmed(state: Placed, event: m.OrderConfirmed) -> Accepted:
    """The order after ``OrderConfirmed``."""
    return landed(state, state.progress.with_exposed(max(0, state.totals.gross_minor)), event.at)


def unconfirm(state: Accepted, command: m.UnconfirmOrder, stamp: Stamp) -> m.OrderUnconfirmed:
    """What ``UnconfirmOrder`` becomes."""
    return m.OrderUnconfirmed(state.progress.exposed_minor)


def unconfirmed(state: Accepted, event: m.OrderUnconfirmed) -> Placed:
    """The order after ``OrderUnconfirmed``."""
    return Placed(state.basket, state.totals, state.progress.with_exposed(0), state.placed_at)


# -- allocate


def allocate(state: Working, command: m.AllocateStock, stamp: Stamp) -> m.StockAllocated:
    """What ``AllocateStock`` becomes."""
    return m.StockAllocated(command.picks, command.backorder, (), command.until)


def fill(state: Accepted, command: m.FillBackorder, stamp: Stamp) -> m.StockAllocated:
    """What ``FillBackorder`` becomes."""
    filled = [item for pick in _merged(command.picks) for item in _from_waiting(state, pick)]
    return m.StockAllocated((), (), tuple(filled), command.until)


def _merged(picks: tuple[Pick, ...]) -> Iterator[Pick]:
    sums: dict[tuple[int, str], int] = {}
    for pick in picks:
        sums[pick.line, pick.location] = sums.get((pick.line, pick.location), 0) + pick.quantity
    return (Pick(line, location, quantity) for (line, location), quantity in sums.items())


def _from_waiting(state: Accepted, pick: Pick) -> Iterator[m.Filled]:
    left = pick.quantity
    for waiting in state.progress.lines[pick.line - 1].backordered:
        taken = min(left, waiting.quantity)
        if taken:
            yield m.Filled(pick.line, waiting.location, pick.location, taken)
        left -= taken


def _allocation(state: Working, event: m.StockAllocated) -> Progress:
    vectors = list(state.progress.lines)
    for pick in event.picks:
        at = pick.line - 1
        vectors[at] = moves.allocate(vectors[at], pick.location, pick.quantity, event.until)
    for pick in event.backordered:
        at = pick.line - 1
        vectors[at] = moves.wait(vectors[at], pick.location, pick.quantity)
    for item in event.filled:
        at = item.line - 1
        vectors[at] = moves.fill(vectors[at], item.waited_at, item.location, item.quantity, event.until)
    return state.progress.with_lines(tuple(vectors))


def allocated_early(state: Placed, event: m.StockAllocated) -> Placed:
    """The order after ``StockAllocated``."""
    return state.with_progress(_allocation(state, event))


def allocated(state: Accepted, event: m.StockAllocated) -> Accepted:
    """The order after ``StockAllocated``."""
    return landed(state, _allocation(state, event), state.confirmed_at)


def release(state: Working, command: m.ReleaseStock, stamp: Stamp) -> m.StockReleased:
    """What ``ReleaseStock`` becomes."""
    return m.StockReleased(command.picks)


def expire(state: Working, command: m.ExpireAllocation, stamp: Stamp) -> m.AllocationExpired:
    """What ``ExpireAllocation`` becomes."""
    return m.AllocationExpired(
        tuple(
            Pick(line, allotment.location, allotment.quantity)
            for line, vector in enumerate(state.progress.lines, start=1)
            for allotment in vector.allocated
            if allotment.until is not None and allotment.until <= stamp.at
        )
    )


def _expiry(state: Working, event: m.AllocationExpired | m.StockReleased) -> Progress:
    return moved(state, event.picks, lambda v, pick: moves.release(v, pick.location, pick.quantity))


def released_early(state: Placed, event: m.AllocationExpired | m.StockReleased) -> Placed:
    """The order after ``AllocationExpired`` or ``StockReleased``."""
    return state.with_progress(_expiry(state, event))


def released(state: Accepted, event: m.AllocationExpired | m.StockReleased) -> Accepted:
    """The order after ``AllocationExpired`` or ``StockReleased``."""
    return landed(state, _expiry(state, event), state.confirmed_at)


# -- prepare and ship


def prepare(state: Accepted, command: m.PrepareShipment, stamp: Stamp) -> m.ShipmentPrepared:
    """What ``PrepareShipment`` becomes."""
    return m.ShipmentPrepared(command.shipment, command.loads)


def prepared(state: Accepted, event: m.ShipmentPrepared) -> Accepted:
    """The order after ``ShipmentPrepared``."""
    ship, p = event.shipment, state.progress
    lines = _moved(p.lines, event.loads, lambda v, load: moves.prepare(v, ship, load.location, load.quantity))
    begun = p.shipments + 1
    progress = Progress(lines, p.holds, p.tags, p.notes, p.invoices, p.settled, p.exposed_minor, begun, p.prepaid_minor)
    return landed(state, progress, state.confirmed_at)


def cancel_preparation(state: Accepted, command: m.CancelPreparation, stamp: Stamp) -> m.PreparationCancelled:
    """What ``CancelPreparation`` becomes."""
    return m.PreparationCancelled(command.shipment, command.loads)


def preparation_cancelled(state: Accepted, event: m.PreparationCancelled) -> Accepted:
    """The order after ``PreparationCancelled``."""
    ship = event.shipment
    return moved_on(state, event.loads, lambda v, load: moves.move_back(v, ship, load.location, load.quantity))


def pick_short(state: Accepted, command: m.ShortPick, stamp: Stamp) -> m.UnitsPickedShort:
    """What ``ShortPick`` becomes."""
    return m.UnitsPickedShort(command.shipment, command.loads)


def picked_short(state: Accepted, event: m.UnitsPickedShort) -> Accepted:
    """The order after ``UnitsPickedShort``."""
    ship = event.shipment
    return moved_on(state, event.loads, lambda v, load: moves.short(v, ship, load.location, load.quantity))


def dispatch(state: Accepted, command: m.DispatchShipment, stamp: Stamp) -> m.ShipmentDispatched:
    """What ``DispatchShipment`` becomes."""
    return m.ShipmentDispatched(command.shipment, command.loads)


def dispatched(state: Accepted, event: m.ShipmentDispatched) -> Accepted:
    """The order after ``ShipmentDispatched``."""
    ship = event.shipment
    return moved_on(state, event.loads, lambda v, load: moves.dispatch(v, ship, load.location, load.quantity))


def deliver(state: Lived, command: m.RecordDelivery, stamp: Stamp) -> m.UnitsDelivered:
    """What ``RecordDelivery`` becomes."""
    surplus = _surplus(state, command.units, lambda v: v.shipped + v.lost)
    return m.UnitsDelivered(command.shipment, command.units, surplus)


def delivered(state: Same, event: m.UnitsDelivered) -> Same:
    """The order after ``UnitsDelivered``."""
    return moved_within(state, _less(event.units, event.surplus), lambda v, units: moves.deliver(v, units.quantity))


def take_back(state: Lived, command: m.RecordReturn, stamp: Stamp) -> m.UnitsReturned:
    """What ``RecordReturn`` becomes."""
    surplus = _surplus(state, command.units, out)
    return m.UnitsReturned(command.document, command.units, command.location, command.usable, surplus)


def taken_back(state: Same, event: m.UnitsReturned) -> Same:
    """The order after ``UnitsReturned``."""
    return moved_within(state, _less(event.units, event.surplus), lambda v, units: moves.take_back(v, units.quantity))


def _surplus(state: Lived, units: tuple[Units, ...], have: Callable[[LineVector], int]) -> tuple[Units, ...]:
    """What is told of each line beyond the units it has."""
    vectors = state.progress.lines
    more = [(line, quantity - have(vectors[line - 1])) for line, quantity in summed(units).items()]
    return tuple([Units(line, quantity) for line, quantity in more if quantity > 0])


def _less(units: tuple[Units, ...], surplus: tuple[Units, ...]) -> tuple[Units, ...]:
    if not surplus:
        return units
    left = summed(units)
    for line, quantity in surplus:
        left[line] -= quantity
    return tuple([Units(line, quantity) for line, quantity in left.items() if quantity])


def resolve_loss(state: Lived, command: m.ResolveLoss, stamp: Stamp) -> m.LossResolved:
    """What ``ResolveLoss`` becomes."""
    return m.LossResolved(command.units, command.resupply)


def loss_resolved(state: Accepted, event: m.LossResolved) -> Accepted:
    """The order after ``LossResolved``."""
    move = moves.resupply if event.resupply else moves.lose
    return moved_on(state, event.units, lambda v, units: move(v, units.quantity))


def written_off(state: Completed, event: m.LossResolved) -> Completed:
    """The order after ``LossResolved``."""
    return moved_within(state, event.units, lambda v, units: moves.lose(v, units.quantity))


# -- shared


Item = TypeVar("Item", Pick, Units, Slice)


def moved(
    state: Lived,
    items: tuple[Item, ...],
    move: Callable[[LineVector, Item], LineVector],
) -> Progress:
    """The order's progress once each item has moved its line's vector."""
    return state.progress.with_lines(_moved(state.progress.lines, items, move))


def _moved(
    lines: tuple[LineVector, ...], items: tuple[Item, ...], move: Callable[[LineVector, Item], LineVector]
) -> tuple[LineVector, ...]:
    vectors = list(lines)
    for item in items:
        at = item.line - 1
        vectors[at] = move(vectors[at], item)
    return tuple(vectors)


def moved_on(state: Accepted, items: tuple[Item, ...], move: Callable[[LineVector, Item], LineVector]) -> Accepted:
    """The accepted state the moves lead to."""
    return landed(state, moved(state, items, move), state.confirmed_at)


def moved_within(state: Same, items: tuple[Item, ...], move: Callable[[LineVector, Item], LineVector]) -> Same:
    """The same state after the moves."""
    return state.with_progress(moved(state, items, move))
