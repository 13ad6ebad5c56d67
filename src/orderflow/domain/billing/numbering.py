"""A number series: gapless numbers, allotted inside the commit that uses them, by dates that do not run backwards.

No two documents of a tenant show the same text, because a text can be read in one way only. Digits stand at its end.
Before them stands the year, or the year and month, and a slash where the series restarts; before that the prefix of an
opened series, which no other series may hold, or the series' own name and a ``#`` where nobody has opened it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import Enum
from typing import Annotated, Final, TypeAlias

from attrs import evolve

from orderflow.domain.engine.bounds import Between, Count, Id, Name, Text
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule
from orderflow.domain.engine.record import Command, Event, Fields, Internal, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import Fault, InvariantBroken, Refusal

__all__ = [
    "PLAIN",
    "SERIES",
    "AllotNumber",
    "ClosePeriod",
    "Closing",
    "NumberAllotted",
    "OpenSeries",
    "PastPeriod",
    "PeriodClosed",
    "Restart",
    "Series",
    "SeriesOpened",
    "period_text",
]

#: The one series whose numbers may stand without a prefix: that of a shop that says nothing about series.
PLAIN: Final = "invoice"

_LONGEST_PREFIX = 50

#: What other texts have before their digits: digits, the mark of a series never opened, a period.
_AMBIGUOUS: Final = re.compile(r"(\d|#|(\d{4}(-\d\d)?/))$")


class Restart(Enum):
    """When the numbers of a series begin anew, by the dates of its documents."""

    NEVER = "never"
    YEAR = "year"
    MONTH = "month"


class PastPeriod(Record):
    """The next number of a period that is over."""

    period: str
    next: int


class Closing(Record):
    """The last day on which no document of a customer may be dated any more."""

    customer: str
    through: date


class Series(Record):
    """The next number, and how it is printed; without a ``prefix``, nobody has said how.

    ``last`` is the latest date of its documents. ``past`` is kept where documents may still be dated back.
    """

    prefix: str | None
    start: int
    digits: int
    next: int
    closed_through: date | None = None
    restart: Restart = Restart.NEVER
    backdating: bool = False
    last: date | None = None
    past: tuple[PastPeriod, ...] = ()
    closings: tuple[Closing, ...] = ()

    def period(self, on: date) -> str:
        """The period of a date."""
        return period_text(self.restart, on)

    def closed_for(self, customer: str) -> date | None:
        """The last closed day, for the documents of a customer."""
        days = [closing.through for closing in self.closings if closing.customer == customer]
        return max([*days, *([self.closed_through] if self.closed_through else [])], default=None)


def period_text(restart: Restart, on: date) -> str:
    """What is printed between prefix and digits."""
    if restart is Restart.NEVER:
        return ""
    return f"{on.year:04d}/" if restart is Restart.YEAR else f"{on.year:04d}-{on.month:02d}/"


#: A series that was never opened begins at 1.
FRESH: Final = Series(None, 1, 6, 1)
Row: TypeAlias = Absent | Series


def _series(state: Row) -> Series:
    return state if isinstance(state, Series) else FRESH


Prefix = Annotated[str, Text(_LONGEST_PREFIX)]


class _Opening(Fields):
    prefix: Prefix
    start: Count = 1
    digits: Annotated[int, Between(1, 18)] = 6
    restart: Restart = Restart.NEVER
    backdating: bool = False


class OpenSeries(_Opening, Command):
    """Give a series a pattern of its own before its first number.

    ``restart``: numbers begin anew with each year or month, which is printed after the prefix. ``backdating``: a
    document may be dated before the last one.
    """

    def faults(self) -> Iterator[Fault]:
        """The prefix does not end like what stands before the digits of other texts."""
        if _AMBIGUOUS.search(self.prefix):
            yield Fault("prefix", "ambiguous", "must not end in a digit, in #, or in a year or month and a slash")


class SeriesOpened(_Opening, Event):
    """A series began."""


class AllotNumber(Internal):
    """Give the next number of ``series`` to a document (kind and id) of a customer, dated ``on``."""

    kind: Id
    document: Id
    on: date
    series: Id = PLAIN
    customer: Name = ""


class NumberAllotted(Event):
    """A document got its number; ``text`` is what is printed."""

    kind: str
    document: str
    number: int
    text: str
    on: date


class _Closing(Fields):
    through: date
    customer: Name = ""


class ClosePeriod(_Closing, Command):
    """Allow no further document of this series dated on or before ``through``, of one customer or of anybody."""


class PeriodClosed(_Closing, Event):
    """A period was closed."""


def nothing_allotted(state: Series, command: OpenSeries, stamp: Stamp) -> Refusal | None:
    """The pattern of a series does not change once a number has been printed by it."""
    if state.last is None:
        return None
    return refuse("series_in_use", "the series has allotted numbers, the last on {last}", last=state.last.isoformat())


def period_open(state: Series, command: AllotNumber, stamp: Stamp) -> Refusal | None:
    """A document must be dated after the last closed period, of the series and of its customer."""
    closed = state.closed_for(command.customer)
    if closed is None or command.on > closed:
        return None
    return refuse("period_closed", "the period is closed through {through}", through=closed.isoformat())


def dated_in_order(state: Series, command: AllotNumber, stamp: Stamp) -> Refusal | None:
    """A document is not dated before the last one, unless the series allows it."""
    if state.backdating or state.last is None or command.on >= state.last:
        return None
    facts = {"on": command.on.isoformat(), "last": state.last.isoformat()}
    return refuse("dated_back", "dated {on}, but the series has a document of {last}", **facts)


def closes_later(state: Series, command: ClosePeriod, stamp: Stamp) -> Refusal | None:
    """A closed period is never reopened."""
    closed = state.closed_for(command.customer) if command.customer else state.closed_through
    if closed is None or command.through > closed:
        return None
    return refuse("already_closed", "already closed through {through}", through=closed.isoformat())


def _opened(state: Row, event: SeriesOpened) -> Series:
    return evolve(
        _series(state),
        prefix=event.prefix,
        start=event.start,
        digits=event.digits,
        next=event.start,
        restart=event.restart,
        backdating=event.backdating,
    )


def _allot(state: Row, command: AllotNumber, stamp: Stamp) -> NumberAllotted:
    series = _series(state)
    number = _next_of(series, command.on)
    text = f"{_stem(series, command.series)}{series.period(command.on)}{number:0{series.digits}d}"
    return NumberAllotted(command.kind, command.document, number, text, command.on)


def _stem(series: Series, name: str) -> str:
    """A series that was never opened prints its own name, unless it is the plain one."""
    if series.prefix is not None:
        return series.prefix
    return "" if name == PLAIN else f"{name}#"


def _next_of(series: Series, on: date) -> int:
    """The next number of the period of a date."""
    period = series.period(on)
    if series.last is None or period == series.period(series.last):
        return series.next
    return next((past.next for past in series.past if past.period == period), series.start)


def _allotted(state: Row, event: NumberAllotted) -> Series:
    series = _counted(_series(state), event.on, event.number + 1)
    if series.backdating or not series.closings:
        return series
    # The order of dates keeps what was closed before this document closed. So the row stays small.
    return evolve(series, closings=tuple([closing for closing in series.closings if closing.through >= event.on]))


def _counted(series: Series, on: date, following: int) -> Series:
    if series.last is None or series.period(on) == series.period(series.last):
        return evolve(series, next=following, last=max(on, series.last or on))
    if on < series.last:
        return evolve(series, past=_with(series.past, PastPeriod(series.period(on), following)))
    over = PastPeriod(series.period(series.last), series.next)
    return evolve(series, next=following, last=on, past=_with(series.past, over) if series.backdating else ())


def _with(past: tuple[PastPeriod, ...], period: PastPeriod) -> tuple[PastPeriod, ...]:
    return (*[other for other in past if other.period != period.period], period)


def _closed(state: Row, event: PeriodClosed) -> Series:
    series = _series(state)
    if not event.customer:
        later = tuple([closing for closing in series.closings if closing.through > event.through])
        return evolve(series, closed_through=event.through, closings=later)
    others = [closing for closing in series.closings if closing.customer != event.customer]
    return evolve(series, closings=(*others, Closing(event.customer, event.through)))


def _check(state: Series) -> None:
    if state.next < state.start:
        raise InvariantBroken("I18", f"next number {state.next} before the first {state.start}")


SERIES: Final = Machine(
    "series",
    rules=(
        rule(Absent, OpenSeries, SeriesOpened, Series, _opened),
        rule(Series, OpenSeries, SeriesOpened, Series, _opened, guards=(nothing_allotted,)),
        rule(Absent, AllotNumber, NumberAllotted, Series, _allotted, decide=_allot),
        rule(
            Series, AllotNumber, NumberAllotted, Series, _allotted, guards=(period_open, dated_in_order), decide=_allot
        ),
        rule(Absent, ClosePeriod, PeriodClosed, Series, _closed),
        rule(Series, ClosePeriod, PeriodClosed, Series, _closed, guards=(closes_later,)),
    ),
    final=(Series,),
    check=_check,
)
