"""Amending an order that is placed: units less or more, other articles, new prices, proposed first and then confirmed.

No line changes: units are cancelled, or move to a new line. Where what they cost would differ is shown before.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Count, FreeText, Quantity
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event, Fields
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.price import Price
from orderflow.domain.money.split import round_ratio
from orderflow.domain.money.tax import Totals
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.addresses import addressed
from orderflow.domain.orders.cancelling import slices_of
from orderflow.domain.orders.changes import Changes, NewPrice, Proposal
from orderflow.domain.orders.charging import charged_minor, outstanding_gross, to_pay_minor
from orderflow.domain.orders.content import CancelledBy, Hold, OrderContent, OrderLine, line_minor, totals_of
from orderflow.domain.orders.guards import enough, goods_fault
from orderflow.domain.orders.lines import LineVector, Slice
from orderflow.domain.orders.placing import no_address
from orderflow.domain.orders.state import Accepted, HasProgress, OrderState, Placed, Progress, Working, moved, state_for
from orderflow.domain.values import MAX_LINES
from orderflow.errors import Fault, Refusal

__all__ = [
    "AmendmentConfirmed",
    "AmendmentDropped",
    "AmendmentProposed",
    "ConfirmAmendment",
    "Difference",
    "DropAmendment",
    "MovedUnits",
    "ProposeAmendment",
    "difference",
    "placed_content",
]

K = TypeVar("K", bound=HasProgress)


class MovedUnits(NamedTuple):
    """Units of a line that move to another one."""

    line: int
    to: int
    quantity: int


class ProposeAmendment(Command):
    """Propose changes of the order whose amendments are at ``revision``, 0 if it has none; they replace others."""

    revision: Count
    changes: Changes
    by: CancelledBy
    reason: FreeText = ""


class AmendmentProposed(Event):
    """An amendment waits to be confirmed or dropped."""

    proposal: Proposal


class _Revision(Fields):
    revision: Quantity


class DropAmendment(_Revision, Command):
    """Leave the order as it is."""


class AmendmentDropped(_Revision, Event):
    """The proposed amendment was dropped."""


class ConfirmAmendment(_Revision, Command):
    """Change the order as was proposed."""


class AmendmentConfirmed(Event):
    """The order was changed: units were cancelled out of the buckets in ``slices``, moved, and added with new lines."""

    proposal: Proposal
    slices: tuple[Slice, ...]
    moves: tuple[MovedUnits, ...]
    content: OrderContent
    totals: Totals


# -- what would become of the order


def _cancelled(order: Working, changes: Changes) -> tuple[tuple[Slice, ...], list[LineVector]]:
    slices = tuple(slices_of(order, changes.less)) if changes.less else ()
    return slices, [*moved(order, slices, moves.cancel).lines]


def _amended(order: Working, proposal: Proposal) -> AmendmentConfirmed:
    """The order's content with the lines that are added; what is cancelled goes first."""
    changes, content, now = proposal.changes, order.content, order.content_now
    slices, vectors = _cancelled(order, changes)
    taken = content.places.keys() | {line.line for line in changes.lines}
    free = (number for number in count(1) if number not in taken)
    added, going = list(changes.lines), list[MovedUnits]()
    for at in _prices(order, changes, vectors):
        place = content.places[at.line]
        added.append(_repriced(now, vectors[place], at, next(free)))
        vectors[place], _ = moves.move(vectors[place], at.units)
        going.append(MovedUnits(at.line, added[-1].line, at.units))
    for number, units in changes.more:
        added.append(at_price(now, now.line(number), next(free), units, now.line(number).price))
    after = evolve(content, lines=(*content.lines, *added))
    gone = {line.line: v.moved for line, v in zip(content.lines, vectors, strict=True) if v.moved}
    return AmendmentConfirmed(proposal, slices, tuple(going), after, totals_of(after, gone))


def _prices(order: Working, changes: Changes, vectors: list[LineVector]) -> Iterator[NewPrice]:
    """Each new price with its units; all that may move, where it names none."""
    for at in changes.prices:
        yield at if at.units else at._replace(units=vectors[order.content.places[at.line]].movable)


def at_price(
    content: OrderContent, line: OrderLine, number: int, units: int, price: Price, discount: int = 0
) -> OrderLine:
    """Units as a line of their own: what a line is, at a price."""
    net = line_minor(price, units, content.tax)
    less = max(0, min(discount, net))
    return evolve(line, line=number, quantity=units, price=price, net_minor=net - less, discount_minor=less)


def _repriced(content: OrderContent, v: LineVector, at: NewPrice, number: int) -> OrderLine:
    """The units at their new price; their part of the line's discount, which is frozen, goes with them."""
    line = content.line(at.line)

    def part(units: int) -> int:
        return round_ratio(line.discount_minor * units, line.quantity, content.tax.rounding)

    return at_price(content, line, number, at.units, at.price, part(v.moved + at.units) - part(v.moved))


def _after(order: K, event: AmendmentConfirmed) -> K:
    """The order with its new lines, in the class of state that it had."""
    content, known = event.content, order.content.places
    vectors = {line.line: LineVector(units) for line, units in zip(content.lines, content.goods, strict=True)}
    vectors |= zip(known, moved(order, event.slices, moves.cancel).lines, strict=True)
    for line, to, units in event.moves:
        vectors[line], vectors[to] = moves.move(vectors[line], units)
    p = order.progress
    progress = evolve(
        p,
        lines=tuple([vectors[line.line] for line in content.lines]),
        holds=(*p.holds, *_holds(p, event)),
        proposed=None,
        added=p.added + len(content.lines) - len(known),
    )
    return evolve(order, content=content, totals=event.totals, progress=progress)


def _holds(p: Progress, event: AmendmentConfirmed) -> Iterator[Hold]:
    """Units of a line that is held are held where they move to."""
    for line, to, _ in event.moves:
        yield from [evolve(hold, line=to) for hold in p.holds if hold.line == line]


def placed_content(order: HasProgress) -> OrderContent:
    """The content as it was placed, without the lines that amendments have added."""
    content = order.content
    return evolve(content, lines=content.lines[: len(content.lines) - order.progress.added])


class Difference(NamedTuple):
    """What an order costs before and after its proposed amendment, and what is to be paid then, in minor units.

    It is of one ``revision``. What is to be paid is below 0 where money is to be refunded.
    """

    revision: int
    before_minor: int
    after_minor: int
    to_pay_minor: int

    @property
    def due_minor(self) -> int:
        """How much more it costs; below 0 where it costs less."""
        return self.after_minor - self.before_minor


def difference(order: OrderState) -> Difference | None:
    """What the proposed amendment would make of the order's price; None where none can be confirmed now."""
    if not isinstance(order, Placed | Accepted):
        return None
    proposal = order.progress.proposed
    if proposal is None or _refusal(order, proposal) is not None:
        return None
    after = _after(order, _amended(order, proposal))
    return Difference(proposal.revision, _cost(order), _cost(after), to_pay_minor(after))


def _cost(order: HasProgress) -> int:
    return charged_minor(order) + outstanding_gross(order)


# -- guards


def revision_is_latest(state: Working, command: ProposeAmendment, stamp: Stamp) -> Refusal | None:
    """Who proposes has seen the amendments before."""
    return _other_revision(state, command.revision)


def _other_revision(state: Working, named: int) -> Refusal | None:
    if named == state.progress.revision:
        return None
    facts = {"named": named, "revision": state.progress.revision}
    return refuse("other_revision", "the order's amendments are at revision {revision}, not {named}", **facts)


def is_proposed(state: Working, command: DropAmendment | ConfirmAmendment, stamp: Stamp) -> Refusal | None:
    """The amendment that is proposed is the one that was seen."""
    if state.progress.proposed is None:
        return refuse("no_amendment", "no amendment is proposed")
    return _other_revision(state, command.revision)


def can_be_made(state: Working, command: ProposeAmendment | ConfirmAmendment, stamp: Stamp) -> Refusal | None:
    """The order still has what is taken off it, and stays an order with sound lines."""
    if isinstance(command, ProposeAmendment):
        return _refusal(state, propose(state, command, stamp).proposal)
    proposal = state.progress.proposed
    return None if proposal is None else _refusal(state, proposal)


def _refusal(order: Working, proposal: Proposal) -> Refusal | None:
    changes = proposal.changes
    return _lines_refusal(order, changes) or _units_refusal(order, changes) or _sums_refusal(order, proposal)


def _lines_refusal(order: Working, changes: Changes) -> Refusal | None:
    """Lines whose units change are goods of the order; units of others can only be added."""
    for line in (*[line for line, _ in changes.less], *[at.line for at in changes.prices]):
        if fault := goods_fault(order, line):
            return fault
    for line, _ in changes.more:
        if fault := goods_fault(order, line, goods_only=False):
            return fault
    return None


def _units_refusal(order: Working, changes: Changes) -> Refusal | None:
    """No more is cancelled than has not left, and no more moves than is neither charged nor in a shipment."""
    if fault := enough(order, changes.less, lambda v: v.unsent, "cancellable"):
        return fault
    _, vectors = _cancelled(order, changes)
    for line, _, wanted in changes.prices:
        v = vectors[order.content.places[line]]
        if wanted > v.movable or not v.movable:
            facts = {"line": line, "wanted": wanted, "found": v.movable, "preparing": v.preparing_quantity}
            message = (
                "line {line}: {found} units are neither charged nor being prepared nor sent ({preparing} prepared)"
            )
            return refuse("not_movable", message, **facts)
        vectors[order.content.places[line]], _ = moves.move(v, wanted or v.movable)
    return None


def too_many_lines(lines: int) -> Refusal | None:
    """An order does not get more lines than an order may have."""
    return refuse("too_many_lines", "an order has at most {most} lines", most=MAX_LINES) if lines > MAX_LINES else None


def _sums_refusal(order: Working, proposal: Proposal) -> Refusal | None:
    """The lines are sound together, not too many, and something of the goods is left."""
    event = _amended(order, proposal)
    if fault := too_many_lines(len(event.content.lines)):
        return fault
    if faults := [*_faults(order.content, event)]:
        return refuse("bad_lines", "{faults}", faults="; ".join(map(str, faults)))
    if fault := no_address(addressed(event.content, order.progress.readdressed)):
        return fault
    seen = _after(order, event).progress.tally
    return (
        refuse("nothing_left", "no goods would be left: cancel the order") if seen.ordered and not seen.live else None
    )


def _faults(before: OrderContent, event: AmendmentConfirmed) -> Iterator[Fault]:
    """What is wrong with the new lines, by where they stand in the changes."""
    changes = event.proposal.changes
    for at, line in enumerate(changes.lines):
        if line.line in before.places:
            yield Fault(f"changes.lines[{at}].line", "repeated", f"number {line.line} is already another line's")
    paths = [
        *[f"changes.lines[{at}]" for at in range(len(changes.lines))],
        *[f"changes.prices[{at}]" for at in range(len(changes.prices))],
        *[f"changes.more[{at}]" for at in range(len(changes.more))],
    ]
    for fault in evolve(event.content, lines=event.content.lines[len(before.lines) :], discounts=()).faults():
        place, _, field = fault.path.removeprefix("lines[").partition("]")
        yield Fault(paths[int(place)] + field, fault.code, fault.message)


# -- deciding


def propose(state: Working, command: ProposeAmendment, stamp: Stamp) -> AmendmentProposed:
    return AmendmentProposed(Proposal(command.revision + 1, command.changes, command.by, command.reason))


def proposed(state: K, event: AmendmentProposed) -> K:
    revision = event.proposal.revision
    return state.with_progress(evolve(state.progress, revision=revision, proposed=event.proposal))


def dropped(state: K, event: AmendmentDropped) -> K:
    return state.with_progress(evolve(state.progress, proposed=None))


def confirm(state: Working, command: ConfirmAmendment, stamp: Stamp) -> AmendmentConfirmed:
    proposal = state.progress.proposed
    assert proposal is not None, "guarded by is_proposed"
    return _amended(state, proposal)


def amended_early(state: Placed, event: AmendmentConfirmed) -> Placed:
    return _after(state, event)


def amended(state: Accepted, event: AmendmentConfirmed) -> Accepted:
    after = _after(state, event)
    return state_for(after, after.progress, after.confirmed_at)
