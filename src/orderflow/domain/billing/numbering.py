"""A number series: gapless numbers, allotted inside the commit that uses them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, TypeAlias

from attrs import evolve, frozen

from orderflow.domain.engine.bounds import Between, Count, Id, Name
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule
from orderflow.domain.engine.record import Command, Event, Internal, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import InvariantBroken, Refusal

__all__ = [
    "SERIES",
    "AllotNumber",
    "ClosePeriod",
    "NumberAllotted",
    "OpenSeries",
    "PeriodClosed",
    "Series",
    "SeriesOpened",
]


@frozen(eq=False, repr=False)
class Series(Record):
    """The next number, and how it is printed."""

    prefix: str
    start: int
    digits: int
    next: int
    closed_through: date | None = None


#: A series that was never opened begins at 1, without a prefix.
FRESH: Final = Series("", 1, 6, 1)
Row: TypeAlias = Absent | Series


def _series(state: Row) -> Series:
    return state if isinstance(state, Series) else FRESH


@frozen(eq=False, repr=False)
class _Opening:
    prefix: Name
    start: Count = 1
    digits: Annotated[int, Between(1, 18)] = 6


class OpenSeries(_Opening, Command):
    """Begin a series with a pattern of its own; a series never opened begins at 1, without a prefix."""

    __slots__ = ()


class SeriesOpened(_Opening, Event):
    """A series began."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class AllotNumber(Internal):
    """Give the next number to a document (kind and id) dated ``on``."""

    kind: Id
    document: Id
    on: date


@frozen(eq=False, repr=False)
class NumberAllotted(Event):
    """A document got its number; ``text`` is what is printed."""

    kind: str
    document: str
    number: int
    text: str
    on: date


@frozen(eq=False, repr=False)
class _Closing:
    through: date


class ClosePeriod(_Closing, Command):
    """Allow no further document of this series dated on or before ``through``."""

    __slots__ = ()


class PeriodClosed(_Closing, Event):
    """A period was closed."""

    __slots__ = ()


def period_open(state: Series, command: AllotNumber, stamp: Stamp) -> Refusal | None:
    """A document must be dated after the last closed period."""
    if state.closed_through is None or command.on > state.closed_through:
        return None
    return refuse("period_closed", "the period is closed through {through}", through=state.closed_through.isoformat())


def closes_later(state: Series, command: ClosePeriod, stamp: Stamp) -> Refusal | None:
    """A closed period is never reopened."""
    if state.closed_through is None or command.through > state.closed_through:
        return None
    return refuse("already_closed", "already closed through {through}", through=state.closed_through.isoformat())


def _opened(state: Absent, event: SeriesOpened) -> Series:
    return Series(event.prefix, event.start, event.digits, event.start)


def _allot(state: Row, command: AllotNumber, stamp: Stamp) -> NumberAllotted:
    series = _series(state)
    text = f"{series.prefix}{series.next:0{series.digits}d}"
    return NumberAllotted(command.kind, command.document, series.next, text, command.on)


def _allotted(state: Row, event: NumberAllotted) -> Series:
    return evolve(_series(state), next=event.number + 1)


def _closed(state: Row, event: PeriodClosed) -> Series:
    return evolve(_series(state), closed_through=event.through)


def _check(state: Series) -> None:
    if state.next < state.start:
        raise InvariantBroken("I18", f"next number {state.next} before the first {state.start}")


SERIES: Final = Machine(
    "series",
    rules=(
        rule(Absent, OpenSeries, SeriesOpened, Series, _opened),
        rule(Absent, AllotNumber, NumberAllotted, Series, _allotted, decide=_allot),
        rule(Series, AllotNumber, NumberAllotted, Series, _allotted, guards=(period_open,), decide=_allot),
        rule(Absent, ClosePeriod, PeriodClosed, Series, _closed),
        rule(Series, ClosePeriod, PeriodClosed, Series, _closed, guards=(closes_later,)),
    ),
    final=(Series,),
    check=_check,
)
