"""The order's table, and nothing else. Read this first."""

from __future__ import annotations

from typing import Final, TypeVar

from orderflow.domain.machine import Absent, Machine, Rule, rule, to, to_any
from orderflow.domain.order import closing as c
from orderflow.domain.order import guards as g
from orderflow.domain.order import messages as m
from orderflow.domain.order import rules as r
from orderflow.domain.order.states import (
    Accepted,
    Allocated,
    AwaitingStock,
    Cancelled,
    Completed,
    Confirmed,
    Draft,
    Lived,
    Open,
    PartlyShipped,
    Placed,
    Preparing,
    Shipped,
    check_order,
)
from orderflow.domain.order.values import Gate

__all__ = ["ORDER"]

A = TypeVar("A", bound=Accepted)
B = TypeVar("B", bound=Accepted | Completed)
K = TypeVar("K", bound=Lived)
H = TypeVar("H", bound=Open)

WAITING = (Confirmed, AwaitingStock, Allocated)
UNSENT = (*WAITING, Preparing)
SENDING = (*UNSENT, PartlyShipped)
SENT = (PartlyShipped, Shipped)
ACCEPTED = (*SENDING, Shipped)

CONFIRM = g.not_held(Gate.CONFIRM)
ALLOCATE = g.not_held(
    Gate.ALLOCATE, lambda told: [pick.line for pick in (*told.picks, *getattr(told, "backorder", ()))]
)
PREPARE = g.not_held(Gate.PREPARE, lambda told: [load.line for load in told.loads])
SHIP = g.not_held(Gate.SHIP, lambda told: [load.line for load in told.loads])
COMPLETE = g.not_held(Gate.COMPLETE)


def _allocate(source: type[A], *targets: type[Accepted]) -> tuple[Rule, Rule]:
    outcome = to_any(m.StockAllocated, r.allocated, *targets)
    return (
        rule(source, m.AllocateStock, r.allocate, outcome, guards=(ALLOCATE, g.open_there)),
        rule(source, m.FillBackorder, r.fill, outcome, guards=(ALLOCATE, g.waiting_there)),
    )


def _release(source: type[A], *targets: type[Accepted]) -> tuple[Rule, Rule]:
    return (
        rule(
            source, m.ReleaseStock, r.release, to_any(m.StockReleased, r.released, *targets), guards=(g.released_there,)
        ),
        rule(
            source,
            m.ExpireAllocation,
            r.expire,
            to_any(m.AllocationExpired, r.released, *targets),
            guards=(g.expired_there,),
        ),
    )


def _prepare(source: type[A], target: type[Accepted]) -> Rule:
    guards = (PREPARE, g.allocated_there, g.together)
    return rule(source, m.PrepareShipment, r.prepare, to(m.ShipmentPrepared, target, r.prepared), guards=guards)


def _unprepare(
    source: type[A], back: tuple[type[Accepted], ...], short: tuple[type[Accepted], ...]
) -> tuple[Rule, Rule]:
    returned = to_any(m.PreparationCancelled, r.preparation_cancelled, *back)
    found = to_any(m.UnitsPickedShort, r.picked_short, *short)
    return (
        rule(source, m.CancelPreparation, r.cancel_preparation, returned, guards=(g.preparing_there,)),
        rule(source, m.ShortPick, r.pick_short, found, guards=(g.preparing_there,)),
    )


def _dispatch(source: type[A]) -> Rule:
    outcome = to_any(m.ShipmentDispatched, r.dispatched, *SENT)
    return rule(source, m.DispatchShipment, r.dispatch, outcome, guards=(SHIP, g.preparing_there))


def _arrive(source: type[K]) -> tuple[Rule, Rule]:
    return (
        rule(source, m.RecordDelivery, r.deliver, to(m.UnitsDelivered, source, r.delivered), guards=(g.goods_there,)),
        rule(source, m.RecordReturn, r.take_back, to(m.UnitsReturned, source, r.taken_back), guards=(g.out_there,)),
    )


def _lose(source: type[A]) -> Rule:
    outcome = to_any(m.LossResolved, r.loss_resolved, *ACCEPTED)
    return rule(source, m.ResolveLoss, r.resolve_loss, outcome, guards=(g.shipped_there,))


def _cancel(source: type[A], *targets: type[Accepted]) -> Rule:
    whole = to(m.OrderCancelled, Cancelled, c.order_cancelled)
    part = to_any(m.UnitsCancelled, c.units_cancelled, *targets)
    return rule(source, m.CancelUnits, c.cancel, whole, part, guards=(g.cancellable_there,))


def _bill(source: type[B]) -> Rule:
    return rule(source, m.BillUnits, c.bill, to(m.UnitsBilled, source, c.billed), guards=(g.something_billable,))


def _credit(source: type[K]) -> tuple[Rule, Rule, Rule]:
    return (
        rule(source, m.RecordCredit, c.credit, to(m.UnitsCredited, source, c.credited), guards=(g.billed_before,)),
        rule(source, m.RecordUnbilling, c.unbill, to(m.UnitsUnbilled, source, c.unbilled), guards=(g.billed_before,)),
        rule(source, m.RecordSettlement, c.settle, to(m.SettlementRecorded, source, c.settled)),
    )


def _prepay(source: type[K]) -> Rule:
    outcome = to(m.PrepaymentRecorded, source, c.prepaid)
    return rule(source, m.RecordPrepayment, c.prepay, outcome, guards=(g.same_currency,))


def _hold(source: type[H]) -> tuple[Rule, Rule]:
    return (
        rule(source, m.PlaceHold, c.place_hold, to(m.HoldPlaced, source, c.hold_placed), guards=(g.hold_is_new,)),
        rule(
            source, m.ReleaseHold, c.release_hold, to(m.HoldReleased, source, c.hold_released), guards=(g.hold_stands,)
        ),
    )


def _annotate(source: type[K]) -> Rule:
    return rule(source, m.AnnotateOrder, c.annotate, to(m.OrderAnnotated, source, c.annotated))


ORDER: Final = Machine(
    "order",
    commands=m.OrderCommand,
    events=m.OrderEvent,
    final=(Completed, Cancelled),
    check=check_order,
    rules=(
        rule(Absent, m.PlaceOrder, r.place, to(m.OrderPlaced, Placed, r.placed), guards=(g.has_basket, g.total_agrees)),
        rule(Absent, m.OpenDraft, r.open_draft, to(m.DraftOpened, Draft, r.draft_opened)),
        rule(Draft, m.EditDraft, r.edit_draft, to(m.DraftEdited, Draft, r.draft_edited)),
        rule(Draft, m.PlaceOrder, r.place, to(m.OrderPlaced, Placed, r.placed), guards=(g.total_agrees,)),
        rule(Draft, m.DiscardDraft, r.discard_draft, to(m.DraftDiscarded, Cancelled, r.draft_discarded)),
        rule(Draft, m.PlaceHold, c.place_hold, to(m.HoldPlaced, Draft, c.draft_held), guards=(g.hold_is_new,)),
        rule(Draft, m.ReleaseHold, c.release_hold, to(m.HoldReleased, Draft, c.draft_freed), guards=(g.hold_stands,)),
        rule(Placed, m.ConfirmOrder, r.confirm, to_any(m.OrderConfirmed, r.confirmed, *WAITING), guards=(CONFIRM,)),
        rule(
            Placed, m.AllocateStock, r.allocate, to(m.StockAllocated, Placed, r.allocated_early),
            guards=(g.policy_allocates_placed, ALLOCATE, g.open_there),
        ),
        rule(
            Placed, m.ReleaseStock, r.release, to(m.StockReleased, Placed, r.released_early),
            guards=(g.released_there,),
        ),
        rule(
            Placed, m.ExpireAllocation, r.expire, to(m.AllocationExpired, Placed, r.released_early),
            guards=(g.expired_there,),
        ),
        rule(
            Placed, m.CancelUnits, c.cancel, to(m.OrderCancelled, Cancelled, c.order_cancelled),
            to(m.UnitsCancelled, Placed, c.units_cancelled_early), guards=(g.cancellable_there,),
        ),
        rule(
            Confirmed, m.UnconfirmOrder, r.unconfirm, to(m.OrderUnconfirmed, Placed, r.unconfirmed),
            guards=(g.nothing_billed,),
        ),
        *_allocate(Confirmed, *WAITING),
        *_allocate(AwaitingStock, *WAITING),
        *_allocate(Preparing, Preparing),
        *_allocate(PartlyShipped, PartlyShipped),
        *_release(Confirmed, Confirmed),
        *_release(AwaitingStock, AwaitingStock),
        *_release(Allocated, Confirmed),
        *_release(Preparing, Preparing),
        *_release(PartlyShipped, PartlyShipped),
        _prepare(Allocated, Preparing),
        _prepare(AwaitingStock, Preparing),
        _prepare(Preparing, Preparing),
        _prepare(PartlyShipped, PartlyShipped),
        *_unprepare(Preparing, (*WAITING, Preparing), (Confirmed, AwaitingStock, Preparing)),
        *_unprepare(PartlyShipped, (PartlyShipped,), (PartlyShipped,)),
        _dispatch(Preparing),
        _dispatch(PartlyShipped),
        *[row for state in (Placed, *ACCEPTED, Completed, Cancelled) for row in _arrive(state)],
        _lose(PartlyShipped),
        _lose(Shipped),
        rule(
            Completed, m.ResolveLoss, r.resolve_loss, to(m.LossResolved, Completed, r.written_off),
            guards=(g.shipped_there, g.no_resupply),
        ),
        _cancel(Confirmed, Confirmed, Allocated),
        _cancel(AwaitingStock, Confirmed, AwaitingStock, Allocated),
        _cancel(Allocated, Allocated),
        _cancel(Preparing, *UNSENT),
        _cancel(PartlyShipped, *SENT),
        *[_bill(state) for state in ACCEPTED],
        _bill(Completed),
        *[row for state in (*ACCEPTED, Completed, Cancelled) for row in _credit(state)],
        *[_prepay(state) for state in (Placed, *ACCEPTED, Completed, Cancelled)],
        rule(
            Confirmed, m.CompleteOrder, c.complete, to(m.OrderCompleted, Completed, c.completed),
            guards=(g.nothing_live, g.nothing_billable, COMPLETE, g.settled_if_asked),
        ),
        rule(
            Shipped, m.CompleteOrder, c.complete, to(m.OrderCompleted, Completed, c.completed),
            guards=(g.nothing_on_the_way, g.nothing_billable, COMPLETE, g.settled_if_asked),
        ),
        *[row for state in (Placed, *ACCEPTED) for row in _hold(state)],
        _annotate(Placed),
        *[_annotate(state) for state in ACCEPTED],
        _annotate(Completed),
        _annotate(Cancelled),
    ),
)  # fmt: skip
