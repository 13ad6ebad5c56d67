"""What parcels, stock and returns wait for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from orderflow.domain.billing.credit_note import DraftCreditNote
from orderflow.domain.inventory.counting import CountStock, Discard, ReleaseQuarantine
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.stock import ExpectGoods, ReceiveGoods
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.holding import ReleaseHold
from orderflow.domain.returns.inspecting import CloseShort, InspectReturn, SettleReturn
from orderflow.domain.returns.receiving import ReceiveReturn
from orderflow.domain.returns.requesting import AuthoriseReturn, CancelReturn, DeclineReturn
from orderflow.domain.returns.state import Authorised, HasReturn, Inspected, PartlyReceived, Received, Requested
from orderflow.domain.returns.state import InTransit as SentBack
from orderflow.domain.shipping.carriage import RecordDelivered, RecordReturning
from orderflow.domain.shipping.labelling import ChangeCarrier, RequestLabel
from orderflow.domain.shipping.leaving import HandOver, RecordDispatch
from orderflow.domain.shipping.planning import DropItems, PackShipment, RecordShortPick, VoidShipment
from orderflow.domain.shipping.resolving import (
    ClearExpected,
    CloseShipmentTask,
    DeclareLost,
    ResupplyParcel,
    WriteOffParcel,
)
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.shipping.state import (
    Delivered,
    HasPacking,
    HasTracking,
    InTransit,
    Left,
    Lost,
    Packed,
    Planned,
    Returning,
    units_on_the_way,
)
from orderflow.domain.values import Task
from orderflow.domain.workflow.standing import (
    Facts,
    Standing,
    Wait,
    always,
    is_due,
    is_listed,
    is_moving,
    is_ready,
    states,
)

__all__ = ["NEWS_WITHIN", "PARCELS", "RETURNS", "STOCK", "said"]

# -- parcels

#: How long a carrier may tell nothing of a parcel before somebody asks.
NEWS_WITHIN: Final = timedelta(days=7)
#: How long what a carrier or customer has announced as coming back may take.
BACK_WITHIN: Final = timedelta(days=14)


def _is_packed(state: type[Any]) -> bool:
    """Packed goods, in a host's own state as well."""
    return hasattr(state, "packing") and hasattr(state, "items")


def _is_parcel(state: type[Any]) -> bool:
    return hasattr(state, "tracking")


def _may_leave(parcel: HasPacking, at: datetime) -> Iterator[Facts]:
    """It has its label, or needs none."""
    if hasattr(parcel, "label") or not parcel.plan.needs_label:
        yield {}


def _label_awaited(parcel: Packed, at: datetime) -> Iterator[Facts]:
    """It needs a label, and one was asked for."""
    if parcel.plan.needs_label and parcel.packing.wanted:
        yield {}


def _no_label(parcel: Packed, at: datetime) -> Iterator[Facts]:
    """It needs a label, and none was asked for."""
    if parcel.plan.needs_label and not parcel.packing.wanted:
        yield {}


def _last_news(parcel: Left) -> datetime:
    return max([parcel.carriage.handed_over_at, *[scan.at for scan in parcel.tracking.log]])


def _no_news(parcel: Left, at: datetime) -> Iterator[tuple[datetime, Facts]]:
    """A week after the last news of it, or of its hand-over."""
    last = _last_news(parcel)
    yield last + NEWS_WITHIN, {"since": last.isoformat()}


def _not_back(parcel: Delivered, at: datetime) -> Iterator[tuple[datetime, Facts]]:
    """Two weeks after the last news, where delivered units are said to be coming back."""
    units = sum([fate.expected_back for fate in parcel.fates])
    if units:
        yield _last_news(parcel) + BACK_WITHIN, {"units": units}


def _missing(parcel: Lost, at: datetime) -> Iterator[Facts]:
    """Units of it are missing, and neither written off nor sent again."""
    units = units_on_the_way(parcel)
    if units:
        yield {"units": units}


def said(task: Task) -> str:
    """The facts of a task, as text."""
    return ", ".join(f"{name} {value}" for name, value in task.facts)


def _tasked(code: str, worklist: str, message: str, *commands: type[Any]) -> Wait:
    """A task is listed whatever the state, until somebody closes it."""

    def stands(parcel: HasTracking, at: datetime) -> Iterator[Facts]:
        yield from (dict(task.facts) for task in parcel.tracking.tasks if task.code == code)

    stands.__doc__ = f"With the task `{code}`."
    return is_listed(_is_parcel, stands, worklist, code, message, *commands, CloseShipmentTask)


_TASKS: Final = (
    _tasked(
        "count", "to_count",
        "{units} units of line {line} of order {order} were reported back at {location}, and cannot be", CountStock,
    ),
    _tasked("left_in_spite", "contradictions", "left in spite of its order {order}: {why}"),
    _tasked("left_unowed", "contradictions", "{units} units of line {line} left that order {order} did not owe"),
    _tasked("which_shipment", "contradictions", "units that came back may have left in another parcel"),
    _tasked(
        "left_behind_unsent", "contradictions",
        "{units} units of line {line} of order {order} stayed here, and nobody had handed it over", HandOver, DropItems,
    ),
    _tasked(
        "stayed_here", "contradictions",
        "{units} units of line {line} of order {order} stayed here, though they were told to be {told}",
    ),
    _tasked("came_back_unsent", "contradictions", "came back, and nobody had handed it over"),
    _tasked("scanned_but_voided", "contradictions", "told of, though it was voided", RecordDispatch),
    _tasked("arrived_before_it_left", "contradictions", "arrived {arrived}, before it left {left}"),
    _tasked(
        "replaced_and_delivered", "to_resolve",
        "{units} units arrived that had been sent again: a gift, or to be asked back", RecordReturning,
    ),
    _tasked("lost_after_delivery", "to_resolve", "the carrier has lost what it had delivered (event {event})"),
    _tasked("weigh_again", "to_pack", "units were taken out: its weight is not that of the rest"),
    _tasked(
        "collects_too_much", "to_pack", "units were taken out, and it is still to collect {amount}: plan it anew",
        VoidShipment,
    ),
    _tasked("collects_too_little", "to_pack", "units were added, and it is still to collect {amount}", VoidShipment),
    _tasked("left_before_it_was_placed", "contradictions", "left {left}, before order {order} was placed {placed}"),
    _tasked("left_before_it_was_packed", "contradictions", "left {left}, before it was packed {packed}"),
    _tasked("back_before_it_left", "contradictions", "came back {back}, before it left {left}"),
)  # fmt: skip

_NAMED: Final = frozenset(wait.code for wait in _TASKS)


def _other_task(parcel: HasTracking, at: datetime) -> Iterator[Facts]:
    """With a task of another name."""
    yield from ({"task": task.code, "facts": said(task)} for task in parcel.tracking.tasks if task.code not in _NAMED)


PARCELS: Final = (
    is_listed(
        states(Planned), always, "to_pack", "to_pack", "to be picked and packed",
        PackShipment, RecordShortPick, VoidShipment,
    ),
    is_ready(_is_packed, _may_leave, "to_ship", HandOver, DropItems, VoidShipment, by=Standing.LISTED),
    is_moving(
        states(Packed), _label_awaited, "to_ship", "label_awaited", "it has no label yet",
        RequestLabel, ChangeCarrier, DropItems, VoidShipment,
    ),
    is_listed(
        states(Packed), _no_label, "to_ship", "no_label", "it has no label, and none was asked for",
        RequestLabel, ChangeCarrier, DropItems, VoidShipment,
    ),
    is_due(
        states(InTransit, Returning), _no_news, "on_the_way", "no_news", "no news since {since}",
        RecordDelivered, RecordReturning, DeclareLost,
    ),
    is_due(
        states(Delivered), _not_back, "on_the_way", "not_back", "{units} delivered units were to come back",
        ReceiveBack, ClearExpected,
    ),
    is_listed(
        states(Lost), _missing, "to_resolve", "missing", "{units} units are missing",
        WriteOffParcel, ResupplyParcel, RecordDelivered, RecordReturning,
    ),
    *_TASKS,
    is_listed(_is_parcel, _other_task, "contradictions", "contradiction", "{task}: {facts}", CloseShipmentTask),
)  # fmt: skip

# -- stock

_LEVEL: Final = states(StockLevel)


def _to_count(row: StockLevel, at: datetime) -> Iterator[Facts]:
    """A stocktake is asked for, or units were not found."""
    if row.recount or row.missing:
        yield {"missing": row.missing}


def _short(row: StockLevel, at: datetime) -> Iterator[Facts]:
    """More is promised or set aside than is there."""
    if row.shortfall:
        yield {"units": row.shortfall}


def _set_aside(row: StockLevel, at: datetime) -> Iterator[Facts]:
    """Units are in quarantine that wait in no return."""
    if row.set_aside:
        yield {"units": row.set_aside}


def _late(row: StockLevel, at: datetime) -> Iterator[tuple[datetime, Facts]]:
    """From the day that announced goods were expected by."""
    if row.incoming and row.expected_by:
        yield row.expected_by, {"units": row.incoming, "by": row.expected_by.isoformat()}


def _announced(row: StockLevel, at: datetime) -> Iterator[Facts]:
    """Goods are announced, and nobody said by when."""
    if row.incoming and not row.expected_by:
        yield {"units": row.incoming}


def _at_reorder_point(row: StockLevel, at: datetime) -> Iterator[Facts]:
    """At or below the reorder point."""
    if row.to_order:
        yield {"units": row.to_order}


def _not_served(row: StockLevel, at: datetime) -> Iterator[Facts]:
    """Units are available while orders wait for them."""
    if row.available and row.backordered:
        yield {"units": row.available, "waiting": row.backordered}


STOCK: Final = (
    is_listed(
        _LEVEL, _to_count, "to_count", "to_count", "to be counted; {missing} units were not found", CountStock,
    ),
    is_listed(
        _LEVEL, _short, "to_count", "short", "{units} units are promised or set aside, and not there",
        CountStock, ReceiveGoods,
    ),
    is_listed(
        _LEVEL, _set_aside, "to_inspect", "to_inspect", "{units} units are set aside", ReleaseQuarantine, Discard,
    ),
    is_due(
        _LEVEL, _late, "to_reorder", "late", "{units} units were to come by {by}", ReceiveGoods, ExpectGoods,
    ),
    is_listed(
        _LEVEL, _announced, "to_reorder", "announced", "{units} units are announced without a day",
        ReceiveGoods, ExpectGoods,
    ),
    is_listed(_LEVEL, _at_reorder_point, "to_reorder", "to_reorder", "{units} units to order", ExpectGoods),
    is_listed(
        _LEVEL, _not_served, "awaiting_stock", "not_served",
        "{units} units are there for {waiting} that wait: all of them are held, or are about to be served",
        ReleaseHold, AllocateStock,
    ),
)  # fmt: skip

# -- what customers send back


def _facts(state: HasReturn, **more: object) -> Facts:
    return {"order": state.order or "no order", **more}


def _wish(state: Requested, at: datetime) -> Iterator[Facts]:
    """Always."""
    yield _facts(state, why=state.wish.reason.value, wanted=state.wish.wanted.value)


def _out(state: PartlyReceived, at: datetime) -> Iterator[Facts]:
    """Always."""
    yield _facts(state, out=state.units_outstanding)


def _not_sent(state: HasReturn, at: datetime) -> Iterator[tuple[datetime, Facts]]:
    """From the day it was to be sent by."""
    due = state.handling.return_by
    if due is not None:
        yield due, _facts(state, due=due.isoformat())


def _here(state: HasReturn, at: datetime) -> Iterator[Facts]:
    """Units that came are not inspected."""
    if state.goods.waiting:
        yield _facts(state, here=state.goods.waiting)


def _inspected(state: Inspected, at: datetime) -> Iterator[Facts]:
    """Goods came; its order says whether anything is to be credited for them."""
    if state.goods.lots:
        yield {}


def _claimed(state: Inspected, at: datetime) -> Iterator[Facts]:
    """No goods are to come, so no order says what is due."""
    if not state.goods.lots:
        yield {"wanted": state.wish.wanted.value}


RETURNS: Final = (
    is_listed(
        states(Requested), _wish, "returns", "to_decide", "{order}, {why}, {wanted} wanted",
        AuthoriseReturn, DeclineReturn, CancelReturn,
    ),
    is_listed(
        states(PartlyReceived), _out, "returns", "still_out", "{out} units of {order} still out",
        CloseShort, ReceiveReturn,
    ),
    is_due(
        states(Authorised, SentBack), _not_sent, "returns", "not_sent_back", "{order}: to be sent by {due}",
        CancelReturn, ReceiveReturn,
    ),
    is_listed(
        states(PartlyReceived, Received), _here, "returns_to_inspect", "to_inspect", "{here} units to inspect",
        InspectReturn,
    ),
    is_ready(states(Inspected), _inspected, "returns_to_credit", SettleReturn, DraftCreditNote),
    is_listed(
        states(Inspected), _claimed, "returns_to_credit", "claimed", "{wanted} wanted: credit it or send it again",
        SettleReturn, DraftCreditNote,
    ),
)  # fmt: skip
