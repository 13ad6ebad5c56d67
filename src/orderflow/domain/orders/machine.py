"""The order's table, and nothing else. Read this first."""

from __future__ import annotations

from typing import Final, TypeAlias, TypeVar

from orderflow.domain.engine.machine import Absent, Machine, Rule, rule, to, to_one_of
from orderflow.domain.orders.allocating import (
    AllocateStock,
    AllocationExpired,
    ExpireAllocation,
    FillBackorder,
    ReleaseStock,
    StockAllocated,
    StockReleased,
    allocate,
    allocated,
    allocated_early,
    enough_allocated,
    enough_backordered,
    enough_open,
    expire,
    fill,
    policy_allocates_placed,
    release,
    released,
    released_early,
    something_expired,
)
from orderflow.domain.orders.amending import AnnotateOrder, OrderAnnotated, annotate, annotated
from orderflow.domain.orders.billing import (
    BillUnits,
    CompleteOrder,
    OrderCompleted,
    PrepaymentRecorded,
    RecordCredit,
    RecordPrepayment,
    RecordSettlement,
    RecordUnbilling,
    SettlementRecorded,
    UnitsBilled,
    UnitsCredited,
    UnitsUnbilled,
    bill,
    billed,
    billed_before,
    complete,
    completed,
    credit,
    credited,
    nothing_billable,
    nothing_live,
    nothing_on_the_way,
    prepaid,
    prepay,
    same_currency,
    settle,
    settled,
    settled_if_asked,
    something_billable,
    unbill,
    unbilled,
)
from orderflow.domain.orders.cancelling import (
    CancelUnits,
    OrderCancelled,
    UnitsCancelled,
    cancel,
    enough_cancellable,
    order_cancelled,
    units_cancelled,
    units_cancelled_early,
)
from orderflow.domain.orders.content import Gate
from orderflow.domain.orders.guards import not_held
from orderflow.domain.orders.holding import (
    HoldPlaced,
    HoldReleased,
    PlaceHold,
    ReleaseHold,
    draft_freed,
    draft_held,
    hold_is_new,
    hold_placed,
    hold_released,
    hold_stands,
    place_hold,
    release_hold,
)
from orderflow.domain.orders.placing import (
    ConfirmOrder,
    DiscardDraft,
    DraftDiscarded,
    DraftEdited,
    DraftOpened,
    EditDraft,
    OpenDraft,
    OrderConfirmed,
    OrderPlaced,
    OrderUnconfirmed,
    PlaceOrder,
    UnconfirmOrder,
    confirm,
    confirmed,
    discard_draft,
    draft_discarded,
    draft_edited,
    draft_opened,
    edit_draft,
    has_content,
    nothing_billed,
    open_draft,
    place,
    placed,
    total_agrees,
    unconfirm,
    unconfirmed,
)
from orderflow.domain.orders.shipping import (
    CancelPreparation,
    DispatchShipment,
    LossResolved,
    PreparationCancelled,
    PrepareShipment,
    RecordDelivery,
    RecordReturn,
    ResolveLoss,
    ShipmentDispatched,
    ShipmentPrepared,
    TakeOutShort,
    UnitsDelivered,
    UnitsPickedShort,
    UnitsReturned,
    are_goods,
    cancel_preparation,
    deliver,
    delivered,
    dispatch,
    dispatched,
    enough_out,
    enough_preparing,
    enough_shipped,
    enough_to_prepare,
    loss_resolved,
    no_resupply,
    picked_short,
    preparation_cancelled,
    prepare,
    prepared,
    resolve_loss,
    take_back,
    take_out_short,
    taken_back,
    together,
    written_off,
)
from orderflow.domain.orders.state import (
    Accepted,
    Allocated,
    AwaitingStock,
    Cancelled,
    Completed,
    Confirmed,
    Draft,
    HasProgress,
    Open,
    PartlyShipped,
    Placed,
    Preparing,
    Shipped,
    check_order,
)

__all__ = ["ORDER", "OrderCommand", "OrderEvent"]


OrderCommand: TypeAlias = (
    PlaceOrder | OpenDraft | EditDraft | DiscardDraft | ConfirmOrder | UnconfirmOrder | AllocateStock | FillBackorder
    | ReleaseStock | ExpireAllocation | PrepareShipment | CancelPreparation | TakeOutShort | DispatchShipment
    | RecordDelivery | RecordReturn | ResolveLoss | CancelUnits | BillUnits | RecordCredit | RecordUnbilling
    | RecordSettlement | RecordPrepayment | CompleteOrder | PlaceHold | ReleaseHold | AnnotateOrder
)  # fmt: skip


OrderEvent: TypeAlias = (
    OrderPlaced | DraftOpened | DraftEdited | DraftDiscarded | OrderConfirmed | OrderUnconfirmed | StockAllocated
    | StockReleased | AllocationExpired | ShipmentPrepared | PreparationCancelled | UnitsPickedShort
    | ShipmentDispatched | UnitsDelivered | UnitsReturned | LossResolved | UnitsCancelled | OrderCancelled | UnitsBilled
    | UnitsCredited | UnitsUnbilled | PrepaymentRecorded | SettlementRecorded | OrderCompleted | HoldPlaced
    | HoldReleased | OrderAnnotated
)  # fmt: skip


A = TypeVar("A", bound=Accepted)


B = TypeVar("B", bound=Accepted | Completed)


K = TypeVar("K", bound=HasProgress)


H = TypeVar("H", bound=Open)


WAITING = (Confirmed, AwaitingStock, Allocated)


UNSENT = (*WAITING, Preparing)


SENDING = (*UNSENT, PartlyShipped)


SENT = (PartlyShipped, Shipped)


ACCEPTED = (*SENDING, Shipped)


CONFIRM = not_held(Gate.CONFIRM)


ALLOCATE = not_held(Gate.ALLOCATE, lambda told: [pick.line for pick in (*told.picks, *getattr(told, "backorder", ()))])


PREPARE = not_held(Gate.PREPARE, lambda told: [load.line for load in told.loads])


SHIP = not_held(Gate.SHIP, lambda told: [load.line for load in told.loads])


COMPLETE = not_held(Gate.COMPLETE)


def _allocate(source: type[A], *targets: type[Accepted]) -> tuple[Rule, Rule]:
    transition = to_one_of(StockAllocated, allocated, *targets)
    return (
        rule(source, AllocateStock, allocate, transition, guards=(ALLOCATE, enough_open)),
        rule(source, FillBackorder, fill, transition, guards=(ALLOCATE, enough_backordered)),
    )


def _release(source: type[A], *targets: type[Accepted]) -> tuple[Rule, Rule]:
    return (
        rule(source, ReleaseStock, release, to_one_of(StockReleased, released, *targets), guards=(enough_allocated,)),
        rule(
            source,
            ExpireAllocation,
            expire,
            to_one_of(AllocationExpired, released, *targets),
            guards=(something_expired,),
        ),
    )


def _prepare(source: type[A], target: type[Accepted]) -> Rule:
    guards = (PREPARE, enough_to_prepare, together)
    return rule(source, PrepareShipment, prepare, to(ShipmentPrepared, target, prepared), guards=guards)


def _unprepare(
    source: type[A], back: tuple[type[Accepted], ...], short: tuple[type[Accepted], ...]
) -> tuple[Rule, Rule]:
    returned = to_one_of(PreparationCancelled, preparation_cancelled, *back)
    found = to_one_of(UnitsPickedShort, picked_short, *short)
    return (
        rule(source, CancelPreparation, cancel_preparation, returned, guards=(enough_preparing,)),
        rule(source, TakeOutShort, take_out_short, found, guards=(enough_preparing,)),
    )


def _dispatch(source: type[A]) -> Rule:
    transition = to_one_of(ShipmentDispatched, dispatched, *SENT)
    return rule(source, DispatchShipment, dispatch, transition, guards=(SHIP, enough_preparing))


def _arrive(source: type[K]) -> tuple[Rule, Rule]:
    return (
        rule(source, RecordDelivery, deliver, to(UnitsDelivered, source, delivered), guards=(are_goods,)),
        rule(source, RecordReturn, take_back, to(UnitsReturned, source, taken_back), guards=(enough_out,)),
    )


def _lose(source: type[A]) -> Rule:
    transition = to_one_of(LossResolved, loss_resolved, *ACCEPTED)
    return rule(source, ResolveLoss, resolve_loss, transition, guards=(enough_shipped,))


def _cancel(source: type[A], *targets: type[Accepted]) -> Rule:
    whole = to(OrderCancelled, Cancelled, order_cancelled)
    part = to_one_of(UnitsCancelled, units_cancelled, *targets)
    return rule(source, CancelUnits, cancel, whole, part, guards=(enough_cancellable,))


def _bill(source: type[B]) -> Rule:
    return rule(source, BillUnits, bill, to(UnitsBilled, source, billed), guards=(something_billable,))


def _credit(source: type[K]) -> tuple[Rule, Rule, Rule]:
    return (
        rule(source, RecordCredit, credit, to(UnitsCredited, source, credited), guards=(billed_before,)),
        rule(source, RecordUnbilling, unbill, to(UnitsUnbilled, source, unbilled), guards=(billed_before,)),
        rule(source, RecordSettlement, settle, to(SettlementRecorded, source, settled)),
    )


def _prepay(source: type[K]) -> Rule:
    transition = to(PrepaymentRecorded, source, prepaid)
    return rule(source, RecordPrepayment, prepay, transition, guards=(same_currency,))


def _hold(source: type[H]) -> tuple[Rule, Rule]:
    return (
        rule(source, PlaceHold, place_hold, to(HoldPlaced, source, hold_placed), guards=(hold_is_new,)),
        rule(source, ReleaseHold, release_hold, to(HoldReleased, source, hold_released), guards=(hold_stands,)),
    )


def _annotate(source: type[K]) -> Rule:
    return rule(source, AnnotateOrder, annotate, to(OrderAnnotated, source, annotated))


ORDER: Final = Machine(
    "order",
    commands=OrderCommand,
    events=OrderEvent,
    final=(Completed, Cancelled),
    check=check_order,
    rules=(
        rule(Absent, PlaceOrder, place, to(OrderPlaced, Placed, placed), guards=(has_content, total_agrees)),
        rule(Absent, OpenDraft, open_draft, to(DraftOpened, Draft, draft_opened)),
        rule(Draft, EditDraft, edit_draft, to(DraftEdited, Draft, draft_edited)),
        rule(Draft, PlaceOrder, place, to(OrderPlaced, Placed, placed), guards=(total_agrees,)),
        rule(Draft, DiscardDraft, discard_draft, to(DraftDiscarded, Cancelled, draft_discarded)),
        rule(Draft, PlaceHold, place_hold, to(HoldPlaced, Draft, draft_held), guards=(hold_is_new,)),
        rule(Draft, ReleaseHold, release_hold, to(HoldReleased, Draft, draft_freed), guards=(hold_stands,)),
        rule(Placed, ConfirmOrder, confirm, to_one_of(OrderConfirmed, confirmed, *WAITING), guards=(CONFIRM,)),
        rule(
            Placed, AllocateStock, allocate, to(StockAllocated, Placed, allocated_early),
            guards=(policy_allocates_placed, ALLOCATE, enough_open),
        ),
        rule(
            Placed, ReleaseStock, release, to(StockReleased, Placed, released_early),
            guards=(enough_allocated,),
        ),
        rule(
            Placed, ExpireAllocation, expire, to(AllocationExpired, Placed, released_early),
            guards=(something_expired,),
        ),
        rule(
            Placed, CancelUnits, cancel, to(OrderCancelled, Cancelled, order_cancelled),
            to(UnitsCancelled, Placed, units_cancelled_early), guards=(enough_cancellable,),
        ),
        rule(
            Confirmed, UnconfirmOrder, unconfirm, to(OrderUnconfirmed, Placed, unconfirmed),
            guards=(nothing_billed,),
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
            Completed, ResolveLoss, resolve_loss, to(LossResolved, Completed, written_off),
            guards=(enough_shipped, no_resupply),
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
            Confirmed, CompleteOrder, complete, to(OrderCompleted, Completed, completed),
            guards=(nothing_live, nothing_billable, COMPLETE, settled_if_asked),
        ),
        rule(
            Shipped, CompleteOrder, complete, to(OrderCompleted, Completed, completed),
            guards=(nothing_on_the_way, nothing_billable, COMPLETE, settled_if_asked),
        ),
        *[row for state in (Placed, *ACCEPTED) for row in _hold(state)],
        _annotate(Placed),
        *[_annotate(state) for state in ACCEPTED],
        _annotate(Completed),
        _annotate(Cancelled),
    ),
)  # fmt: skip
