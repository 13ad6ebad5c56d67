"""What several gates ask of an order: each guard answers ``None`` or why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeAlias

from orderflow.domain.engine.limits import MAX_LINES
from orderflow.domain.engine.machine import Guard, refuse
from orderflow.domain.engine.schema import Length
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders.content import Gate, Hold, LineKind
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.state import Accepted, Cancelled, Completed, Placed
from orderflow.domain.values import LineQuantity, Pick, summed
from orderflow.errors import Refusal

__all__ = ["enough", "enough_at", "no_such_line", "not_held", "nothing_asked"]


Working: TypeAlias = Placed | Accepted


Living: TypeAlias = Accepted | Completed | Cancelled


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


def nothing_asked() -> Refusal:
    return refuse("nothing_asked", "the command names no units")


def no_such_line(line: int) -> Refusal:
    return refuse("no_such_line", "line {line} is no line of goods of this order", line=line)


def enough(
    state: Any,
    wanted: Iterable[tuple[int, int]],
    have: Callable[[LineVector], int],
    what: str,
    *,
    goods_only: bool = True,
) -> Refusal | None:
    lines, vectors = state.content.lines, state.progress.lines
    for line, quantity in summed(wanted).items():
        if line > len(lines) or (goods_only and lines[line - 1].kind is not LineKind.GOODS):
            return no_such_line(line)
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


def enough_at(state: Any, picks: Iterable[Pick], have: Callable[[LineVector, str], int], what: str) -> Refusal | None:
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


SomeUnits: TypeAlias = Annotated[tuple[LineQuantity, ...], Length(1, MAX_LINES)]
