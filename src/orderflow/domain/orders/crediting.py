"""Crediting: what an invoice tells its order: units and money credited, or the whole invoice voided."""

from __future__ import annotations

from typing import Annotated, NamedTuple, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Count, Id, Length, Minor, NotNegative, Quantity
from orderflow.domain.engine.record import Event, Internal, values_of
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.tax import TaxGroup
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.billing import tax_after
from orderflow.domain.orders.charging import owed
from orderflow.domain.orders.guards import enough
from orderflow.domain.orders.lines import CreditedUnits, LineVector
from orderflow.domain.orders.prepaying import Moved, distributed, with_due, with_moved
from orderflow.domain.orders.state import HasProgress, Progress, moved
from orderflow.domain.values import MAX_LINES
from orderflow.errors import Refusal

K = TypeVar("K", bound=HasProgress)


class UnbilledUnits(NamedTuple):
    """Units of an order line that stood on a voided invoice, and their net in minor units."""

    line: Quantity
    units: Count
    net_minor: Minor


class RecordCredit(Internal):
    """Note what a credit note took off an invoice of this order; ``due_minor`` is due there before its own money."""

    credit_note: Id
    invoice: Id
    lines: Annotated[tuple[CreditedUnits, ...], Length(0, MAX_LINES)]
    groups: tuple[TaxGroup, ...]
    due_minor: NotNegative
    rounding_minor: Minor = 0


class UnitsCredited(Event):
    """Units or price reductions were credited; ``moved`` is where money of the order went then."""

    credit_note: str
    invoice: str
    lines: tuple[CreditedUnits, ...]
    groups: tuple[TaxGroup, ...]
    due_minor: int
    moved: tuple[Moved, ...]
    rounding_minor: int = 0


class RecordUnbilling(Internal):
    """Note that an invoice was voided: its units can be billed again, and its prepaid money is the order's again."""

    invoice: Id
    lines: Annotated[tuple[UnbilledUnits, ...], Length(1, MAX_LINES)]
    groups: tuple[TaxGroup, ...]
    rounding_minor: Minor = 0


class UnitsUnbilled(Event):
    """Units are no longer billed: their invoice was voided; ``moved`` is where money of the order went then."""

    invoice: str
    lines: tuple[UnbilledUnits, ...]
    groups: tuple[TaxGroup, ...]
    moved: tuple[Moved, ...]
    rounding_minor: int = 0


def enough_charged(state: HasProgress, command: RecordCredit | RecordUnbilling, stamp: Stamp) -> Refusal | None:
    """No more is credited or taken back than is charged (I21)."""
    return enough(
        state, [(item.line, item.units) for item in command.lines], lambda v: v.charged, "charged", goods_only=False
    )


def credit(state: HasProgress, command: RecordCredit, stamp: Stamp) -> UnitsCredited:
    note, invoice, lines, groups, due, rounding = values_of(RecordCredit)(command)
    moved = distributed(with_due(state.progress, invoice, due))
    return UnitsCredited(note, invoice, lines, groups, due, moved, rounding)


def credited(state: K, event: UnitsCredited) -> K:
    content = state.content

    def move(v: LineVector, item: CreditedUnits) -> LineVector:
        return moves.credit(v, item, owed(state, content.line(item.line), v))

    p = moved(state, event.lines, move)
    p = _untaxed(with_due(p, event.invoice, event.due_minor), event)
    return state.with_progress(with_moved(p, event.moved))


def unbill(state: HasProgress, command: RecordUnbilling, stamp: Stamp) -> UnitsUnbilled:
    after = with_due(state.progress, command.invoice, 0, void=True)
    return UnitsUnbilled(command.invoice, command.lines, command.groups, distributed(after), command.rounding_minor)


def unbilled(state: K, event: UnitsUnbilled) -> K:
    p = moved(state, event.lines, lambda v, item: moves.unbill(v, item.units, item.net_minor))
    p = _untaxed(with_due(p, event.invoice, 0, void=True), event)
    return state.with_progress(with_moved(p, event.moved))


def _untaxed(p: Progress, event: UnitsCredited | UnitsUnbilled) -> Progress:
    rounded = p.rounded_minor - event.rounding_minor
    return evolve(p, taxed=tax_after(p.taxed, event.groups, -1), rounded_minor=rounded)
