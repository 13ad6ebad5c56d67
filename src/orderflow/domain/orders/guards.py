"""Guards that several commands of an order share: holds, and whether there are enough units."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

from orderflow.domain.engine.bounds import Length
from orderflow.domain.engine.machine import Guard, refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.orders.charging import missing_minor
from orderflow.domain.orders.content import Gate, Hold, LineKind, PayBefore
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import HasProgress, Working
from orderflow.domain.values import MAX_LINES, LineQuantity, Pick, summed
from orderflow.errors import Refusal

SomePicks: TypeAlias = Annotated[tuple[Pick, ...], Length(1, MAX_LINES)]
SomeUnits: TypeAlias = Annotated[tuple[LineQuantity, ...], Length(1, MAX_LINES)]


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


_GATES: Final = (PayBefore.CONFIRM, PayBefore.ALLOCATE, PayBefore.PREPARE, PayBefore.SHIP)


def waits_for_money(order: HasProgress, gate: Gate) -> bool:
    """Whether a gate opens only once the order is paid for: the one its policy names, and every later one."""
    first = order.content.policy.pay_before
    return first is not PayBefore.NEVER and gate.value in [later.value for later in _GATES[_GATES.index(first) :]]


def paid_for(gate: Gate) -> Guard[Any, Any]:
    """A guard: where the order waits for money, what is not charged yet is kept for it or reserved."""

    def guard(state: Working, command: object, stamp: Stamp) -> Refusal | None:
        missing = missing_minor(state, stamp.at) if waits_for_money(state, gate) else 0
        if missing <= 0:
            return None
        facts = {"gate": gate.value, "amount": str(Money(missing, state.content.currency)), "missing": missing}
        return refuse("unpaid", "waits for money at {gate}: {amount}", **facts)

    guard.__name__ = f"paid_for_at_{gate.value}"
    guard.__doc__ = f"Money for the order is there where the {gate.value} gate waits for it."
    return guard


def may_pass(order: HasProgress, gate: Gate, at: datetime) -> bool:
    """Whether neither a hold on the whole order nor money keeps it from passing a gate."""
    held = any(hold.line == 0 and hold.closes(gate, at) for hold in order.progress.holds)
    if held or not waits_for_money(order, gate):
        return not held
    return missing_minor(order, at) <= 0 and not order.progress.open_minor


def _concerns(hold: Hold, lines: frozenset[int] | None) -> bool:
    return hold.line == 0 or lines is None or hold.line in lines


def nothing_asked() -> Refusal:
    """The refusal of a command that names no units."""
    return refuse("nothing_asked", "the command names no units")


def goods_fault(order: HasProgress, line: int, *, goods_only: bool = True) -> Refusal | None:
    """The refusal of a number that is not a line, or not a line of goods, of the order."""
    place = order.content.places.get(line)
    if place is not None and (not goods_only or order.content.lines[place].kind is LineKind.GOODS):
        return None
    return refuse("no_such_line", "line {line} is not a line of goods of this order", line=line)


def are_goods(lines: Callable[[Any], Iterable[int]]) -> Guard[Any, Any]:
    """A guard: the ``lines`` that a command names are goods of the order."""

    def guard(state: HasProgress, command: object, stamp: Stamp) -> Refusal | None:
        return next(filter(None, [goods_fault(state, line) for line in lines(command)]), None)

    guard.__name__ = "are_goods"
    guard.__doc__ = "The lines are goods of this order. How many units they are is for the parcel to say."
    return guard


def enough(
    order: HasProgress,
    wanted: Iterable[tuple[int, int]],
    have: Callable[[LineVector], int],
    what: str,
    *,
    goods_only: bool = True,
) -> Refusal | None:
    """Whether each line has the wanted units in a bucket, named by ``what``."""
    for line, quantity in summed(wanted).items():
        if fault := goods_fault(order, line, goods_only=goods_only):
            return fault
        found = have(order.progress.lines[order.content.places[line]])
        if quantity > found:
            facts = {"line": line, "wanted": quantity, "found": found, "what": what}
            return refuse(f"not_{what}", "line {line}: {wanted} wanted, {found} {what}", **facts)
    return None


def enough_at(
    order: HasProgress, picks: Iterable[Pick], have: Callable[[LineVector, str], int], what: str
) -> Refusal | None:
    """Whether each line has the wanted units in a bucket at each location."""
    for (line, location), quantity in summed([((p.line, p.location), p.quantity) for p in picks]).items():
        place = order.content.places.get(line)
        found = 0 if place is None else have(order.progress.lines[place], location)
        if quantity > found:
            facts = {"line": line, "location": location, "wanted": quantity, "found": found, "what": what}
            return refuse(f"not_{what}", "line {line} at {location}: {wanted} wanted, {found} {what}", **facts)
    return None
