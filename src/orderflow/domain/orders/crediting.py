"""Crediting: what an invoice tells its order: units and money credited, or the whole invoice voided."""

from __future__ import annotations

from typing import Annotated, NamedTuple, TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.bounds import Id, Length, Minor
from orderflow.domain.engine.record import Event, Internal
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.tax import TaxGroup
from orderflow.domain.orders import lines as moves
from orderflow.domain.orders.billing import tax_after
from orderflow.domain.orders.charging import owed
from orderflow.domain.orders.lines import CreditedUnits, LineVector
from orderflow.domain.orders.prepaying import Moved, offered, with_bill, with_moved
from orderflow.domain.orders.state import HasProgress, Progress, moved
from orderflow.domain.values import MAX_LINES

K = TypeVar("K", bound=HasProgress)


class UnbilledUnits(NamedTuple):
    """Units of an order line that stood on a voided invoice, and their net in minor units."""

    line: int
    units: int
    net_minor: int


@frozen(eq=False, repr=False)
class RecordCredit(Internal):
    """Note what a credit note took off an invoice of this order.

    ``freed_minor`` of the order's money, which paid the invoice, is left over; ``open_minor`` is still due there.
    """

    credit_note: Id
    invoice: Id
    lines: Annotated[tuple[CreditedUnits, ...], Length(0, MAX_LINES)]
    groups: tuple[TaxGroup, ...]
    freed_minor: Minor
    open_minor: Minor


@frozen(eq=False, repr=False)
class UnitsCredited(Event):
    """Units or price reductions were credited; ``moved`` is where money of the order went then."""

    credit_note: str
    invoice: str
    lines: tuple[CreditedUnits, ...]
    groups: tuple[TaxGroup, ...]
    freed_minor: int
    open_minor: int
    moved: tuple[Moved, ...]


@frozen(eq=False, repr=False)
class RecordUnbilling(Internal):
    """Note that an invoice was voided: its units can be billed again, and its prepaid money is the order's again."""

    invoice: Id
    lines: Annotated[tuple[UnbilledUnits, ...], Length(1, MAX_LINES)]
    groups: tuple[TaxGroup, ...]


@frozen(eq=False, repr=False)
class UnitsUnbilled(Event):
    """Units are no longer billed: their invoice was voided; ``moved`` is where money of the order went then."""

    invoice: str
    lines: tuple[UnbilledUnits, ...]
    groups: tuple[TaxGroup, ...]
    moved: tuple[Moved, ...]


def credit(state: HasProgress, command: RecordCredit, stamp: Stamp) -> UnitsCredited:
    freed, left = command.freed_minor, command.open_minor
    return UnitsCredited(
        command.credit_note,
        command.invoice,
        command.lines,
        command.groups,
        freed,
        left,
        offered(_freed(state.progress, command.invoice, freed, left)),
    )


def credited(state: K, event: UnitsCredited) -> K:
    content = state.content

    def move(v: LineVector, item: CreditedUnits) -> LineVector:
        return moves.credit(v, item, owed(state, content.line(item.line), v))

    p = moved(state, event.lines, move)
    p = evolve(
        _freed(p, event.invoice, event.freed_minor, event.open_minor), taxed=tax_after(p.taxed, event.groups, -1)
    )
    return state.with_progress(with_moved(p, event.moved))


def _freed(p: Progress, invoice: str, minor: int, open_minor: int) -> Progress:
    p = with_bill(
        p, invoice, lambda bill: bill._replace(open_minor=open_minor, prepaid_minor=bill.prepaid_minor - minor)
    )
    return evolve(p, pool_minor=p.pool_minor + minor) if minor else p


def unbill(state: HasProgress, command: RecordUnbilling, stamp: Stamp) -> UnitsUnbilled:
    after = _unbilled(state.progress, command.invoice)
    return UnitsUnbilled(command.invoice, command.lines, command.groups, offered(after))


def unbilled(state: K, event: UnitsUnbilled) -> K:
    p = moved(state, event.lines, lambda v, item: moves.unbill(v, item.units, item.net_minor))
    p = evolve(_unbilled(p, event.invoice), taxed=tax_after(p.taxed, event.groups, -1))
    return state.with_progress(with_moved(p, event.moved))


def _unbilled(p: Progress, invoice: str) -> Progress:
    prepaid = sum([bill.prepaid_minor for bill in p.bills if bill.invoice == invoice])
    p = with_bill(p, invoice, lambda bill: bill._replace(void=True))
    return _freed(p, invoice, prepaid, 0)
