"""A number series: gapless numbers, allotted inside the commit that uses them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, TypeAlias

from attrs import frozen

from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, to
from orderflow.domain.engine.schema import Between, Count, Id, Name
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
    "SeriesCommand",
    "SeriesEvent",
    "SeriesOpened",
]


@frozen
class OpenSeries:
    """Begin a series with a pattern of its own; a series not opened begins at 1, without a prefix."""

    prefix: Name
    start: Count = 1
    digits: Annotated[int, Between(1, 18)] = 6


@frozen
class AllotNumber:
    """Give the next number to a document (kind and id) dated ``on``."""

    kind: Id
    document: Id
    on: date


@frozen
class ClosePeriod:
    """No document of this series is dated on or before ``through`` any more."""

    through: date


@frozen
class SeriesOpened:
    """A series began."""

    prefix: str
    start: int
    digits: int


@frozen
class NumberAllotted:
    """A document got its number; ``text`` is what is printed."""

    kind: str
    document: str
    number: int
    text: str
    on: date


@frozen
class PeriodClosed:
    """A period was closed."""

    through: date


@frozen
class Series:
    """The next number, and how it is printed."""

    prefix: str
    start: int
    digits: int
    next: int
    closed_through: date | None = None


SeriesCommand: TypeAlias = OpenSeries | AllotNumber | ClosePeriod


SeriesEvent: TypeAlias = SeriesOpened | NumberAllotted | PeriodClosed


FRESH = Series("", 1, 6, 1)


def period_open(state: Absent | Series, command: AllotNumber, stamp: Stamp) -> Refusal | None:
    """A document is dated after the last closed period."""
    if isinstance(state, Absent) or state.closed_through is None or command.on > state.closed_through:
        return None
    return refuse("period_closed", "closed through {through}", through=state.closed_through.isoformat())


def closes_later(state: Absent | Series, command: ClosePeriod, stamp: Stamp) -> Refusal | None:
    """A closed period is not opened again."""
    if isinstance(state, Absent) or state.closed_through is None or command.through > state.closed_through:
        return None
    return refuse("already_closed", "closed through {through} already", through=state.closed_through.isoformat())


def _series(state: Absent | Series) -> Series:
    return state if isinstance(state, Series) else FRESH


def _open(state: Absent, command: OpenSeries, stamp: Stamp) -> SeriesOpened:
    return SeriesOpened(command.prefix, command.start, command.digits)


def _opened(state: Absent, event: SeriesOpened) -> Series:
    return Series(event.prefix, event.start, event.digits, event.start)


def _allot(state: Absent | Series, command: AllotNumber, stamp: Stamp) -> NumberAllotted:
    series = _series(state)
    text = f"{series.prefix}{series.next:0{series.digits}d}"
    return NumberAllotted(command.kind, command.document, series.next, text, command.on)


def _allotted(state: Absent | Series, event: NumberAllotted) -> Series:
    s = _series(state)
    return Series(s.prefix, s.start, s.digits, event.number + 1, s.closed_through)


def _close(state: Absent | Series, command: ClosePeriod, stamp: Stamp) -> PeriodClosed:
    return PeriodClosed(command.through)


def _closed(state: Absent | Series, event: PeriodClosed) -> Series:
    s = _series(state)
    return Series(s.prefix, s.start, s.digits, s.next, event.through)


def _check(state: Series) -> None:
    if state.next < state.start:
        raise InvariantBroken("I18", f"next number {state.next} before the first {state.start}")


SERIES = Machine(
    "series",
    commands=SeriesCommand,
    events=SeriesEvent,
    final=(Series,),
    check=_check,
    rules=(
        rule(Absent, OpenSeries, _open, to(SeriesOpened, Series, _opened)),
        rule(Absent, AllotNumber, _allot, to(NumberAllotted, Series, _allotted)),
        rule(Absent, ClosePeriod, _close, to(PeriodClosed, Series, _closed)),
        rule(Series, AllotNumber, _allot, to(NumberAllotted, Series, _allotted), guards=(period_open,)),
        rule(Series, ClosePeriod, _close, to(PeriodClosed, Series, _closed), guards=(closes_later,)),
    ),
)
