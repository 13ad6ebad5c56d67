"""What stands in the way of an order command: each guard answers ``None`` or why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias

from orderflow.domain.allocation import Pick
from orderflow.domain.machine import Absent, Guard, Refusal, refuse
from orderflow.domain.order import messages as m
from orderflow.domain.order.lines import LineVector
from orderflow.domain.order.states import (
    Accepted,
    Cancelled,
    Completed,
    Draft,
    Placed,
    billable_lines,
    cancellable,
    out,
    totals_of,
)
from orderflow.domain.order.values import CompleteOn, Gate, Hold, LineKind, Together
from orderflow.domain.quantity import summed
from orderflow.domain.stamp import Stamp

__all__ = [
    "allocated_there",
    "billed_before",
    "cancellable_there",
    "expired_there",
    "goods_there",
    "has_basket",
    "hold_is_new",
    "hold_stands",
    "no_resupply",
    "not_held",
    "nothing_billable",
    "nothing_billed",
    "nothing_live",
    "nothing_on_the_way",
    "open_there",
    "out_there",
    "policy_allocates_placed",
    "preparing_there",
    "released_there",
    "same_currency",
    "settled_if_asked",
    "shipped_there",
    "something_billable",
    "together",
    "total_agrees",
    "waiting_there",
]

Working: TypeAlias = Placed | Accepted
Living: TypeAlias = Accepted | Completed | Cancelled


class _WithLoads(Protocol):
    @property
    def shipment(self) -> str: ...
    @property
    def loads(self) -> tuple[Pick, ...]: ...


def has_basket(state: Absent, command: m.PlaceOrder, stamp: Stamp) -> Refusal | None:
    """An order that was no draft brings its basket along."""
    return None if command.basket else refuse("no_basket", "there is no draft to place: give the basket")


def total_agrees(state: Absent | Draft, command: m.PlaceOrder, stamp: Stamp) -> Refusal | None:
    """The total a channel claims is the total of the lines."""
    basket = command.basket or (state.basket if isinstance(state, Draft) else None)
    if basket is None or basket.claimed_total_minor is None:
        return None
    total = totals_of(basket).gross_minor
    if total == basket.claimed_total_minor:
        return None
    claimed = basket.claimed_total_minor
    return refuse("total_differs", "claimed {claimed}, the lines give {total}", claimed=claimed, total=total)


def policy_allocates_placed(state: Placed, command: m.AllocateStock, stamp: Stamp) -> Refusal | None:
    """Stock is allocated before confirmation only where the policy says so."""
    if state.basket.policy.allocate_at.value == "placed":
        return None
    return refuse("not_confirmed", "stock is allocated once the order is confirmed")


def not_held(gate: Gate, lines: Callable[[Any], Iterable[int]] | None = None) -> Guard[Any, Any]:
    """A guard: no hold closes ``gate`` for the order or for one of the command's ``lines``."""

    def guard(state: Working, command: object, stamp: Stamp) -> Refusal | None:
        holds = state.progress.holds
        if not holds:
            return None
        wanted = None if lines is None else frozenset(lines(command))
        closing = [hold for hold in holds if hold.closes(gate, stamp.at) and _concerns(hold, wanted)]
        reasons = ", ".join(sorted({hold.reason.value for hold in closing}))
        return refuse("on_hold", "held at {gate}: {reasons}", gate=gate.value, reasons=reasons) if closing else None

    guard.__name__ = f"not_held_at_{gate.value}"
    guard.__doc__ = f"No hold closes the {gate.value} gate."
    return guard


def _concerns(hold: Hold, lines: frozenset[int] | None) -> bool:
    return hold.line == 0 or lines is None or hold.line in lines


def hold_is_new(state: Any, command: m.PlaceHold, stamp: Stamp) -> Refusal | None:
    """The same hold is not placed twice."""
    hold = command.hold
    if any(_same(hold, other) for other in _holds(state)):
        return refuse(
            "already_held", "held at {gate} for {reason} already", gate=hold.gate.value, reason=hold.reason.value
        )
    return None


def hold_stands(state: Any, command: m.ReleaseHold, stamp: Stamp) -> Refusal | None:
    """Only a hold that stands can be released."""
    wanted = Hold(command.reason, command.gate, command.line)
    if any(_same(wanted, other) for other in _holds(state)):
        return None
    return refuse(
        "no_such_hold", "no hold at {gate} for {reason}", gate=command.gate.value, reason=command.reason.value
    )


def _same(hold: Hold, other: Hold) -> bool:
    return (hold.reason, hold.gate, hold.line) == (other.reason, other.gate, other.line)


def _holds(state: Working | Draft) -> tuple[Hold, ...]:
    return state.holds if isinstance(state, Draft) else state.progress.holds


def open_there(state: Working, command: m.AllocateStock, stamp: Stamp) -> Refusal | None:
    """No more is allocated or put on back-order than stands open."""
    wanted = [(pick.line, pick.quantity) for pick in (*command.picks, *command.backorder)]
    return _enough(state, wanted, lambda v: v.open, "open") if wanted else _nothing()


def waiting_there(state: Accepted, command: m.FillBackorder, stamp: Stamp) -> Refusal | None:
    """No more is filled than waits."""
    wanted = [(pick.line, pick.quantity) for pick in command.picks]
    return _enough(state, wanted, lambda v: v.backordered_quantity, "backordered") if wanted else _nothing()


def released_there(state: Working, command: m.ReleaseStock, stamp: Stamp) -> Refusal | None:
    """No more is released than is allocated at that location."""
    if not command.picks:
        return _nothing()
    return _enough_at(state, command.picks, _allocated_at, "allocated")


def expired_there(state: Working, command: m.ExpireAllocation, stamp: Stamp) -> Refusal | None:
    """There is an allocation whose time has run out."""
    for vector in state.progress.lines:
        for allotment in vector.allocated:
            if allotment.until is not None and allotment.until <= stamp.at:
                return None
    return refuse("nothing_expired", "no allocation has run out")


def allocated_there(state: Accepted, command: m.PrepareShipment, stamp: Stamp) -> Refusal | None:
    """What is prepared is allocated at that location, by an allocation that has not expired."""

    def usable(vector: LineVector, location: str) -> int:
        return sum([n for at, n, until in vector.allocated if at == location and (until is None or stamp.at < until)])

    return _enough_at(state, command.loads, usable, "allocated")


def together(state: Accepted, command: m.PrepareShipment, stamp: Stamp) -> Refusal | None:
    """Lines (or the whole order) that must travel together do."""
    rule = state.basket.policy.ship_together
    if rule is Together.NO:
        return None
    loaded: dict[int, int] = {}
    for load in command.loads:
        loaded[load.line] = loaded.get(load.line, 0) + load.quantity
    for line, v in enumerate(state.progress.lines, start=1):
        owed = v.open + v.backordered_quantity + v.allocated_quantity + v.preparing_quantity
        if owed != loaded.get(line, 0) and (rule is Together.ORDER or line in loaded):
            return refuse("ships_together", "line {line} must travel with all its {owed} units", line=line, owed=owed)
    return None


def preparing_there(state: Accepted, command: _WithLoads, stamp: Stamp) -> Refusal | None:
    """The units are being prepared in that shipment, from that location."""
    shipment = command.shipment

    def held(vector: LineVector, location: str) -> int:
        return sum([n for of, at, n in vector.preparing if of == shipment and at == location])

    return _enough_at(state, command.loads, held, "preparing")


def goods_there(state: Any, command: m.RecordDelivery | m.RecordReturn, stamp: Stamp) -> Refusal | None:
    """The lines are goods of this order. How many units arrived or came back the carrier knows."""
    lines = state.basket.lines
    for line, _ in command.units:
        if line > len(lines) or lines[line - 1].kind is not LineKind.GOODS:
            return _no_such_line(line)
    return None


def shipped_there(state: Any, command: m.ResolveLoss, stamp: Stamp) -> Refusal | None:
    """The units are on the way."""
    return _enough(state, command.units, lambda v: v.shipped, "shipped")


def out_there(state: Any, command: m.RecordReturn, stamp: Stamp) -> Refusal | None:
    """No more comes back than went out, but for what a shipment has brought."""
    return goods_there(state, command, stamp) if command.brought else _enough(state, command.units, out, "out")


def billed_before(state: Any, command: m.RecordCredit | m.RecordUnbilling, stamp: Stamp) -> Refusal | None:
    """No more is credited or taken back than was billed (I21)."""
    return _enough(state, command.units, lambda v: v.invoiced - v.credited, "billed", goods_only=False)


def cancellable_there(state: Working, command: m.CancelUnits, stamp: Stamp) -> Refusal | None:
    """Units can be cancelled until they have left."""
    return _enough(state, command.units, cancellable, "cancellable") if command.units else None


def no_resupply(state: Completed, command: m.ResolveLoss, stamp: Stamp) -> Refusal | None:
    """A completed order owes nothing again; a replacement is a new order."""
    return refuse("completed", "the order is completed: write the loss off") if command.resupply else None


def nothing_billed(state: Accepted, command: m.UnconfirmOrder, stamp: Stamp) -> Refusal | None:
    """What stands on an invoice is not taken back."""
    count = sum(vector.invoiced for vector in state.progress.lines)
    return refuse("already_billed", "{units} units are billed", units=count) if count else None


def nothing_live(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """No goods are left to deliver."""
    count = state.progress.tally.live
    return refuse("goods_left", "{units} units are still owed", units=count) if count else None


def nothing_on_the_way(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """Every unit has been delivered, has come back or is written off."""
    count = state.progress.tally.shipped
    return refuse("on_the_way", "{units} units have not arrived", units=count) if count else None


def nothing_billable(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """All that may be billed is billed."""
    count = sum([quantity for _, quantity in billable_lines(state)])
    return refuse("not_billed", "{units} units are not billed", units=count) if count else None


def something_billable(state: Accepted | Completed, command: m.BillUnits, stamp: Stamp) -> Refusal | None:
    """An invoice has something to say."""
    return None if billable_lines(state) else refuse("nothing_billable", "nothing can be billed now")


def same_currency(state: Any, command: m.RecordPrepayment, stamp: Stamp) -> Refusal | None:
    """An order is paid in its own currency."""
    ours = state.basket.currency
    if command.currency == ours:
        return None
    return refuse("currency_differs", "paid in {paid}, ordered in {ordered}", paid=command.currency, ordered=ours)


def settled_if_asked(state: Accepted, command: object, stamp: Stamp) -> Refusal | None:
    """Where the policy waits for payment, every invoice is settled."""
    progress = state.progress
    if state.basket.policy.complete_on is not CompleteOn.PAID or set(progress.invoices) <= set(progress.settled):
        return None
    return refuse("not_paid", "invoices are not settled yet")


def _nothing() -> Refusal:
    return refuse("nothing_asked", "the command names no units")


def _no_such_line(line: int) -> Refusal:
    return refuse("no_such_line", "line {line} is no line of goods of this order", line=line)


def _enough(
    state: Any,
    wanted: Iterable[tuple[int, int]],
    have: Callable[[LineVector], int],
    what: str,
    *,
    goods_only: bool = True,
) -> Refusal | None:
    lines, vectors = state.basket.lines, state.progress.lines
    for line, quantity in summed(wanted).items():
        if line > len(lines) or (goods_only and lines[line - 1].kind is not LineKind.GOODS):
            return _no_such_line(line)
        found = have(vectors[line - 1])
        if quantity > found:
            return refuse(
                f"not_{what}",
                "line {line}: {wanted} wanted, {found} {what}",
                line=line,
                wanted=quantity,
                found=found,
                what=what,
            )
    return None


def _enough_at(state: Any, picks: Iterable[Pick], have: Callable[[LineVector, str], int], what: str) -> Refusal | None:
    sums: dict[tuple[int, str], int] = {}
    for line, location, quantity in picks:
        sums[line, location] = sums.get((line, location), 0) + quantity
    vectors = state.progress.lines
    for (line, location), quantity in sums.items():
        found = have(vectors[line - 1], location) if line <= len(vectors) else 0
        if quantity > found:
            return refuse(
                f"not_{what}", "line {line} at {location}: {wanted} wanted, {found} {what}",
                line=line, location=location, wanted=quantity, found=found, what=what,
            )  # fmt: skip
    return None


def _allocated_at(vector: LineVector, location: str) -> int:
    return sum([n for at, n, _ in vector.allocated if at == location])
