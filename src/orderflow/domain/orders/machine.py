"""The order's table, and nothing else. Read this first.

A line: state, command, event, where it leads, how it changes the order; then its guards, and how the event is decided
if it does more than record the command.
"""

from __future__ import annotations

from typing import Final

from orderflow.domain.engine.machine import Absent, Machine, Rule, choice, rule, rules, to
from orderflow.domain.orders import allocating as a
from orderflow.domain.orders import amending as am
from orderflow.domain.orders import billing as b
from orderflow.domain.orders import cancelling as c
from orderflow.domain.orders import crediting as cr
from orderflow.domain.orders import exceeding as ex
from orderflow.domain.orders import holding as h
from orderflow.domain.orders import parcels as pc
from orderflow.domain.orders import placing as p
from orderflow.domain.orders import prepaying as m
from orderflow.domain.orders import readdressing as ra
from orderflow.domain.orders import reinstating as ri
from orderflow.domain.orders import returning as r
from orderflow.domain.orders import shipping as s
from orderflow.domain.orders.annotating import AnnotateOrder, OrderAnnotated, annotated
from orderflow.domain.orders.state import (
    Accepted,
    Allocated,
    AwaitingStock,
    Cancelled,
    Completed,
    Confirmed,
    Draft,
    PartlyShipped,
    Placed,
    Preparing,
    Shipped,
    check_order,
)

__all__ = ["ORDER"]

States = tuple[type[Accepted], ...]

WAITING: States = (Confirmed, AwaitingStock, Allocated)
SHORT: States = (Confirmed, AwaitingStock)
UNSENT: States = (*WAITING, Preparing)
BEGUN: States = (Preparing, PartlyShipped)
SENT: States = (PartlyShipped, Shipped)
FREE: States = (Confirmed,)
QUEUED: States = (AwaitingStock,)
FIRST: States = (Preparing,)
PARTLY: States = (PartlyShipped,)
ACCEPTED: States = (*UNSENT, *SENT)
OPEN: tuple[type[Placed | Accepted], ...] = (Placed, *ACCEPTED)
UNSHIPPED: tuple[type[Placed | Accepted], ...] = (Placed, *UNSENT, PartlyShipped)
BILLED: tuple[type[Accepted | Completed], ...] = (*ACCEPTED, Completed)
LIVED: tuple[type[Accepted | Completed | Cancelled], ...] = (*BILLED, Cancelled)
ASIDE: tuple[type[Placed | Completed], ...] = (Placed, Completed)
EMPTY: tuple[type[Placed | Accepted | Completed | Cancelled], ...] = (*WAITING, Shipped, *ASIDE, Cancelled)
REVIVED: tuple[type[Placed | Accepted | Cancelled], ...] = (Placed, Shipped, Cancelled)
PLACED: tuple[type[Placed | Accepted | Completed | Cancelled], ...] = (Placed, *LIVED)

PLACE = (p.names_whom_to_bill, p.names_where_to_send, p.total_agrees)
ALLOCATE = (a.not_held_at_allocate, a.paid_for_at_allocate, a.enough_open, a.at_named_location)
FILL = (a.not_held_at_allocate, a.paid_for_at_allocate, a.enough_backordered, a.at_named_location)
RELEASE = (a.enough_allocated,)
EXPIRE = (a.something_expired,)
LOAD = (s.not_held_at_prepare, s.paid_for_at_prepare, s.goes_to_its_address, s.enough_to_prepare, s.ships_together)
KEEP = (s.kept_are_goods,)
LEAVE = (*pc.SHIPS, s.enough_preparing)
LOADS = (pc.loads_are_goods,)
REJECT = (r.rejected_are_goods, r.enough_returned)
THERE = (pc.are_there,)
CREDIT = (m.is_billed, cr.enough_charged)
CLOSE = (b.nothing_billable, b.no_credit_due, b.not_held_at_complete)

RECEIVE: Final = (
    rule(Absent, p.OpenDraft, p.DraftOpened, Draft, p.draft_opened),
    rule(Draft, p.EditDraft, p.DraftEdited, Draft, p.draft_edited),
    rule(Draft, p.DiscardDraft, p.DraftDiscarded, Cancelled, p.draft_discarded),
    rule(Absent, p.PlaceOrder, p.OrderPlaced, Placed, p.placed, guards=(p.has_content, *PLACE), decide=p.place),
    rule(Draft, p.PlaceOrder, p.OrderPlaced, Placed, p.placed, guards=PLACE, decide=p.place),
)

CONFIRM: Final = (
    rule(
        Placed, p.ConfirmOrder, p.OrderConfirmed, ACCEPTED, p.confirmed,
        guards=(p.not_held_at_confirm, p.paid_for_at_confirm),
    ),
    rule(Confirmed, p.UnconfirmOrder, p.OrderUnconfirmed, Placed, p.unconfirmed, guards=(p.nothing_billed,)),
)  # fmt: skip

SECURE: Final = (
    rule(
        Placed, a.AllocateStock, a.StockAllocated, Placed, a.allocated_early,
        guards=(a.policy_allocates_placed, *ALLOCATE), decide=a.allocate,
    ),
    rules(SHORT, a.AllocateStock, a.StockAllocated, WAITING, a.allocated, guards=ALLOCATE, decide=a.allocate),
    rules(BEGUN, a.AllocateStock, a.StockAllocated, None, a.allocated, guards=ALLOCATE, decide=a.allocate),
    rule(Placed, a.FillBackorder, a.StockAllocated, Placed, a.allocated_early, guards=FILL, decide=a.fill),
    rules(SHORT, a.FillBackorder, a.StockAllocated, WAITING, a.allocated, guards=FILL, decide=a.fill),
    rules(BEGUN, a.FillBackorder, a.StockAllocated, None, a.allocated, guards=FILL, decide=a.fill),
    rule(Placed, a.ReleaseStock, a.StockReleased, Placed, a.released_early, guards=RELEASE),
    rule(Allocated, a.ReleaseStock, a.StockReleased, FREE, a.released, guards=RELEASE),
    rules((*SHORT, *BEGUN), a.ReleaseStock, a.StockReleased, None, a.released, guards=RELEASE),
    rule(Placed, a.ReturnToQueue, a.ReturnedToQueue, Placed, a.returned_early, guards=RELEASE),
    rules(WAITING, a.ReturnToQueue, a.ReturnedToQueue, QUEUED, a.returned, guards=RELEASE),
    rules(BEGUN, a.ReturnToQueue, a.ReturnedToQueue, None, a.returned, guards=RELEASE),
    rule(Placed, a.ExpireAllocation, a.AllocationExpired, Placed, a.released_early, guards=EXPIRE, decide=a.expire),
    rule(Allocated, a.ExpireAllocation, a.AllocationExpired, FREE, a.released, guards=EXPIRE, decide=a.expire),
    rules((*SHORT, *BEGUN), a.ExpireAllocation, a.AllocationExpired, None, a.released, guards=EXPIRE, decide=a.expire),
)  # fmt: skip

PREPARE: Final = (
    rules(WAITING, s.PrepareShipment, s.ShipmentPrepared, FIRST, s.prepared, guards=LOAD),
    rules(BEGUN, s.PrepareShipment, s.ShipmentPrepared, None, s.prepared, guards=LOAD),
    rule(
        Preparing,
        s.CancelPreparation,
        s.PreparationCancelled,
        UNSENT,
        s.preparation_cancelled,
        guards=KEEP,
        decide=s.take_out,
    ),
    rule(
        Preparing, s.TakeOutShort, s.ShortUnitsTakenOut, UNSENT, s.taken_out_short, guards=KEEP, decide=s.take_out_short
    ),
    rules(
        PARTLY,
        s.CancelPreparation,
        s.PreparationCancelled,
        None,
        s.preparation_cancelled,
        guards=KEEP,
        decide=s.take_out,
    ),
    rules(PARTLY, s.TakeOutShort, s.ShortUnitsTakenOut, None, s.taken_out_short, guards=KEEP, decide=s.take_out_short),
    rules(
        EMPTY, s.CancelPreparation, s.PreparationCancelled, None, s.nothing_taken_out, guards=KEEP, decide=s.take_out
    ),
    rules(EMPTY, s.TakeOutShort, s.ShortUnitsTakenOut, None, s.nothing_taken_out, guards=KEEP, decide=s.take_out_short),
)

EXCEED: Final = rules(
    BEGUN, ex.AddExcess, ex.ExcessAdded, None, ex.excess_added, decide=ex.add_excess,
    guards=(s.not_held_at_prepare, ex.is_prepared_there, ex.within_tolerance, ex.room_for_lines),
)  # fmt: skip

SHIP: Final = (
    rules(BEGUN, s.DispatchShipment, s.ShipmentDispatched, SENT, s.dispatched, guards=LEAVE),
    rules(ACCEPTED, pc.RecordDeparture, pc.DepartureRecorded, ACCEPTED, pc.departed, guards=LOADS, decide=pc.depart),
    rules(ASIDE, pc.RecordDeparture, pc.DepartureRecorded, None, pc.departed_within, guards=LOADS, decide=pc.depart),
    rule(
        Cancelled, pc.RecordDeparture, pc.DepartureRecorded, REVIVED, pc.departed_all_the_same,
        guards=LOADS, decide=pc.depart,
    ),
    rules((*SENT, *ASIDE), pc.RecordDelivery, pc.UnitsDelivered, None, pc.delivered, guards=THERE),
    rules(PLACED, pc.RecordBack, pc.UnitsReturned, None, pc.taken_back, guards=(*THERE, pc.back_is_goods)),
    rules(PLACED, r.RecordInspection, r.UnitsInspected, None, r.inspected, guards=(r.lines_are_goods,)),
    rules(PLACED, r.RecordRejection, r.UnitsRejected, None, r.rejected, guards=REJECT),
    rules((*SENT, *ASIDE), pc.RecordLoss, pc.UnitsLost, None, pc.lost, guards=(pc.enough_shipped,)),
    rules(SENT, pc.OweAgain, pc.UnitsOwedAgain, ACCEPTED, pc.owed_again, guards=THERE),
    rule(Placed, pc.OweAgain, pc.UnitsOwedAgain, Placed, pc.owed_again_early, guards=THERE),
    rule(
        Completed, pc.OweAgain, pc.UnitsOwedAgain, Completed, pc.owed_no_more, guards=(pc.had_not_left, *THERE),
    ),
)  # fmt: skip


def _cancel(source: type[Accepted], *targets: type[Accepted]) -> Rule:
    whole = to(c.OrderCancelled, Cancelled, c.order_cancelled)
    part = to(c.UnitsCancelled, targets, c.units_cancelled)
    return choice(source, c.CancelUnits, c.cancel, whole, part, guards=(c.enough_cancellable,))


CANCEL: Final = (
    choice(
        Placed, c.CancelUnits, c.cancel,
        to(c.OrderCancelled, Cancelled, c.order_cancelled), to(c.UnitsCancelled, Placed, c.units_cancelled_early),
        guards=(c.enough_cancellable,),
    ),
    _cancel(Confirmed, Confirmed, Allocated),
    _cancel(AwaitingStock, *WAITING),
    _cancel(Allocated, Allocated),
    _cancel(Preparing, *UNSENT),
    _cancel(PartlyShipped, *SENT),
    rule(
        Cancelled, ri.ReinstateOrder, ri.OrderReinstated, Placed, ri.reinstated,
        guards=(ri.nothing_came_of_it,), decide=ri.reinstate,
    ),
)  # fmt: skip

SEEN = (am.is_proposed, am.can_be_made)


def _amend(source: type[Accepted], *targets: type[Accepted]) -> Rule:
    return rule(source, am.ConfirmAmendment, am.AmendmentConfirmed, targets, am.amended, guards=SEEN, decide=am.confirm)


AMEND: Final = (
    rules(
        UNSHIPPED, am.ProposeAmendment, am.AmendmentProposed, None, am.proposed,
        guards=(am.revision_is_latest, am.can_be_made), decide=am.propose,
    ),
    rules(OPEN, am.DropAmendment, am.AmendmentDropped, None, am.dropped, guards=(am.is_proposed,)),
    rule(
        Placed, am.ConfirmAmendment, am.AmendmentConfirmed, Placed, am.amended_early, guards=SEEN, decide=am.confirm
    ),
    _amend(Confirmed, Confirmed, Allocated),
    _amend(AwaitingStock, *WAITING),
    _amend(Allocated, Confirmed, Allocated),
    _amend(Preparing, *UNSENT),
    _amend(PartlyShipped, *SENT),
)  # fmt: skip

#: What has left is with its carrier.
READDRESS: Final = rules(
    (Placed, *UNSENT), ra.ChangeAddress, ra.AddressChanged, None, ra.address_changed,
    guards=(ra.readdressed_are_goods, ra.is_another_address),
)  # fmt: skip

BILL: Final = (
    rules(
        BILLED, b.BillUnits, b.UnitsBilled, None, b.billed,
        guards=(b.something_billable, b.bill_not_negative, b.invoice_is_new, b.room_to_bill), decide=b.bill,
    ),
    rules(LIVED, cr.RecordCredit, cr.UnitsCredited, None, cr.credited, guards=CREDIT, decide=cr.credit),
    rules(LIVED, cr.RecordUnbilling, cr.UnitsUnbilled, None, cr.unbilled, guards=CREDIT, decide=cr.unbill),
)  # fmt: skip

PAY: Final = (
    rules(OPEN, m.RecordPrepayment, m.PrepaymentRecorded, None, m.prepaid, guards=(m.same_currency,), decide=m.prepay),
    rule(
        Completed, m.RecordPrepayment, m.PrepaymentRecorded, Completed, m.prepaid,
        guards=(m.same_currency, m.still_due), decide=m.prepay,
    ),
    rules(
        (*OPEN, Completed), m.WithdrawPrepayment, m.PrepaymentWithdrawn, None, m.withdrawn,
        guards=(m.was_prepaid,), decide=m.withdraw,
    ),
    rule(
        Cancelled, m.WithdrawPrepayment, m.PrepaymentWithdrawn, Cancelled, ri.withdrawn_after,
        guards=(m.was_prepaid,), decide=m.withdraw,
    ),
    rules(PLACED, m.RecordCapture, m.PrepaymentRecorded, None, m.prepaid, guards=(m.same_currency,), decide=m.prepay),
    rules(PLACED, m.RecordAuthorisation, m.AuthorisationRecorded, None, m.authorised),
    rules(LIVED, m.RecordDue, m.DueRecorded, None, m.due_recorded, guards=(m.is_billed,), decide=m.record_due),
)  # fmt: skip

COMPLETE: Final = (
    rule(
        Confirmed, b.CompleteOrder, b.OrderCompleted, Completed, b.completed,
        guards=(b.nothing_live, *CLOSE),
    ),
    rule(
        Shipped, b.CompleteOrder, b.OrderCompleted, Completed, b.completed,
        guards=(b.nothing_on_the_way, *CLOSE),
    ),
)  # fmt: skip

HOLD: Final = (
    rule(Draft, h.PlaceHold, h.HoldPlaced, Draft, h.draft_held, guards=(h.hold_is_new,)),
    rule(Draft, h.ReleaseHold, h.HoldReleased, Draft, h.draft_freed, guards=(h.hold_stands,), decide=h.release_hold),
    rules(OPEN, h.PlaceHold, h.HoldPlaced, None, h.hold_placed, guards=(h.hold_is_new,)),
    rules(OPEN, h.ReleaseHold, h.HoldReleased, None, h.hold_released, guards=(h.hold_stands,), decide=h.release_hold),
)

ANNOTATE: Final = rules(PLACED, AnnotateOrder, OrderAnnotated, None, annotated)

ORDER: Final = Machine(
    "order",
    rules=(
        *(*RECEIVE, *CONFIRM, *SECURE, *PREPARE, EXCEED, *SHIP, *CANCEL, *AMEND, READDRESS),
        *(*BILL, *PAY, *COMPLETE, *HOLD, ANNOTATE),
    ),
    final=(Completed,),  # a cancelled order may be brought back
    check=check_order,
)
