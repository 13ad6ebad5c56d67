"""What it means that a row waits: the lines that the table of attention is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias

from orderflow.domain.engine.machine import refuse
from orderflow.domain.money.calendar import business_date
from orderflow.domain.money.money import Money
from orderflow.errors import Refusal

#: The states in which a row may be at rest, by kind. Rows of other kinds always are.
RESTING: Final[Mapping[str, frozenset[str]]] = {
    "order": frozenset({"Completed", "Cancelled"}),
    "shipment": frozenset({"Delivered", "ReturnedToSender", "Lost", "Voided"}),
    "invoice": frozenset({"Settled", "Void"}),
    "payment": frozenset({"Received", "Closed"}),
    "stock": frozenset({"StockLevel"}),
    "return": frozenset({"Declined", "Cancelled", "Settled", "Rejected"}),
}


#: The code of what nothing speaks against, as far as the row itself says.
READY: Final = "ready"


class Standing(Enum):
    """What a row waits for."""

    DUE = "due"
    """A time."""
    LISTED = "listed"
    """Somebody: it is on a worklist."""
    MOVING = "moving"
    """The shop's next round, which takes it ahead; it is on a worklist until then, as something may refuse that."""
    ELSEWHERE = "elsewhere"
    """Other rows: they say what they wait for."""


class Attention(NamedTuple):
    """One thing that a row waits for. ``worklist`` shows it; one of ``commands``, the first accepted, leads on.

    ``due`` is the time or the day of what is merely due.
    """

    standing: Standing
    worklist: str
    reason: Refusal
    commands: tuple[type[Any], ...]
    due: datetime | date | None = None


Facts: TypeAlias = Mapping[str, object]
#: Says of a state what is waited for at a time, once for each thing; its docstring is the condition in words.
When: TypeAlias = Callable[[Any, datetime], Iterator[Facts]]
#: The same, each with the time or the day it is due, if there is one.
WhenDue: TypeAlias = Callable[[Any, datetime], Iterator[tuple[datetime | date | None, Facts]]]
#: Says of a class whether it is one of the states meant.
Of: TypeAlias = Callable[[type[Any]], bool]


class Wait(NamedTuple):
    """A line of the table of attention: ``of`` these states, ``when`` it is so, this is waited for."""

    standing: Standing
    of: Of
    when: WhenDue
    condition: str
    worklist: str
    code: str
    message: str
    commands: tuple[type[Any], ...]

    def found(self, state: Any, at: datetime) -> Iterator[Attention]:
        """What a state of these waits for at a time."""
        for due, facts in self.when(state, at):
            standing = Standing.LISTED if due is not None and _is_over(due, at) else self.standing
            yield Attention(standing, self.worklist, refuse(self.code, self.message, **facts), self.commands, due)


def _is_over(due: datetime | date, at: datetime) -> bool:
    return due <= at if isinstance(due, datetime) else due < business_date(at, "UTC")


def states(*classes: type[Any]) -> Of:
    """These states, and a host's own that inherit them."""
    return lambda state: issubclass(state, classes)


def is_listed(of: Of, when: When, worklist: str, code: str, message: str, *commands: type[Any]) -> Wait:
    """Somebody is to do something."""
    return Wait(Standing.LISTED, of, _undated(when), _words(when), worklist, code, message, commands)


def is_moving(of: Of, when: When, worklist: str, code: str, message: str, *commands: type[Any]) -> Wait:
    """The shop's next round does it, unless something refuses that, which the worklist then says."""
    return Wait(Standing.MOVING, of, _undated(when), _words(when), worklist, code, message, commands)


def is_ready(of: Of, when: When, worklist: str, *commands: type[Any], by: Standing = Standing.MOVING) -> Wait:
    """Nothing of the row itself speaks against the first command."""
    facts = {"command": commands[0].__name__}

    def ready(state: Any, at: datetime) -> Iterator[tuple[None, Facts]]:
        return ((None, facts) for _ in when(state, at))

    return Wait(by, of, ready, _words(when), worklist, "ready", "ready for {command}", commands)


def is_due(of: Of, when: WhenDue, worklist: str, code: str, message: str, *commands: type[Any]) -> Wait:
    """Due at a time, and from then on listed."""
    return Wait(Standing.DUE, of, when, _words(when), worklist, code, message, commands)


def is_elsewhere(of: Of, when: When, code: str, message: str) -> Wait:
    """Other rows say what they wait for."""
    return Wait(Standing.ELSEWHERE, of, _undated(when), _words(when), "", code, message, ())


def _undated(when: When) -> WhenDue:
    return lambda state, at: ((None, facts) for facts in when(state, at))


def _words(when: Callable[..., Any]) -> str:
    return (when.__doc__ or "").strip()


def always(state: Any, at: datetime) -> Iterator[Facts]:
    """Always."""
    yield {}


def amount(minor: int, currency: str) -> dict[str, object]:
    """An amount as two facts: to be read, and to be counted with."""
    return {"amount": str(Money(minor, currency)), "minor": minor}
