"""Facts are total: what a bank or provider says has happened is recorded in every state.

A fact that was told before changes nothing. What contradicts the row becomes a task on it, for a person to look at.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from attrs import evolve

from orderflow.domain import values
from orderflow.domain.engine.bounds import Name
from orderflow.domain.engine.record import Command, Event, Fields
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.payments.state import MAX_NOTES, Known, Notes, Operation, Pending, SomeMoney, currency_of, without
from orderflow.domain.values import Task
from orderflow.errors import Refusal

K = TypeVar("K", bound=Known)


class FactNoted(Event):
    """A fact changed no amount: it was told before, or contradicts what is there, which is a task then.

    ``awaited`` is the operation that it is the fact of, where that was known to have happened.
    """

    fact_id: str = ""
    tasks: tuple[Task, ...] = ()
    request: str = ""
    awaited: tuple[Pending, ...] = ()


def task(code: str, **facts: object) -> Task:
    """A task with its facts as text."""
    return Task(code, tuple([(name, str(value)) for name, value in facts.items()]))


def told_once(
    decide: Callable[[Any, Any, Stamp], Any], answers: Operation | None = None
) -> Callable[[Any, Any, Stamp], Any]:
    """A decide that changes no amount where the fact is known by its id, or was awaited; nor in another currency.

    Its event is marked with that id, and with the pending request for ``answers`` that the fact is the outcome of.
    """

    @wraps(decide)
    def once(state: Any, command: Any, stamp: Stamp) -> Any:
        if command.fact_id and command.fact_id in state.notes.facts:
            return FactNoted(command.fact_id, request=_named_request(state, command) if answers else "")
        other = isinstance(command, SomeMoney) and command.amount.currency != currency_of(state)
        awaited = _awaited(state, command, answers) if answers in _MOVES and not other else None
        if awaited:
            return FactNoted(command.fact_id, _differing(command, awaited), awaited=(awaited,))
        request = answered_request(state, command, answers) if answers else ""
        told = _in_other_currency(command) if other else decide(state, command, stamp)
        event = evolve(told, fact_id=command.fact_id)
        return evolve(event, request=request) if request else event

    return once


#: Operations that move money, each by an amount of its own.
_MOVES: Final = (Operation.CAPTURE, Operation.REFUND)


def answered_request(state: Known, command: Any, operation: Operation) -> str:
    """The id of the pending request that a fact answers: the one that it names, or one for its amount; else nothing.

    Once a reservation has ended, however that came, nothing is left to be voided.
    """
    asked = [item for item in state.pending if item.operation is operation]
    if not asked:
        return ""
    [item] = asked
    if operation is Operation.VOID:
        return item.id
    if command.request:
        return _named_request(state, command)
    return item.id if operation is Operation.AUTHORISE or command.amount.minor == item.minor else ""


def _named_request(state: Known, command: Any) -> str:
    return command.request if any(item.id == command.request for item in state.pending) else ""


def _awaited(state: Known, command: Any, operation: Operation) -> Pending | None:
    """The operation known to have happened that a fact tells of: whose request it names, or whose amount it has."""
    if _named_request(state, command):
        return None
    for item in state.notes.awaited:
        named = command.request and item.id
        same = command.request == item.id if named else command.amount.minor == item.minor
        if item.operation is operation and same:
            return item
    return None


def _in_other_currency(command: SomeMoney) -> FactNoted:
    amount = command.amount
    return FactNoted(tasks=(task("other_currency", currency=amount.currency, minor=amount.minor),))


def _differing(command: Any, awaited: Pending) -> tuple[Task, ...]:
    told, known = command.amount.minor, awaited.minor
    return () if told == known else (task("amount_differs", told=told, known=known),)


def answered(state: Known, event: Any) -> tuple[tuple[Pending, ...], Notes]:
    """What is pending and noted once an event is told that may be the answer to a request."""
    return without(state.pending, event.request), with_notes(state.notes, event)


def moved(state: Known, event: Any, operation: Operation) -> tuple[tuple[Pending, ...], Notes]:
    """The same of an event that moves money: told without an id of its source, its own fact is still to come."""
    pending, notes = answered(state, event)
    if not event.request or event.fact_id:
        return pending, notes
    return pending, with_awaited(notes, Pending(operation, event.amount.minor, event.request, event.at))


def with_awaited(notes: Notes, operation: Pending) -> Notes:
    """What a row remembers once an operation is known to have happened whose own fact is still to be told."""
    return evolve(notes, awaited=(*notes.awaited, operation)[-MAX_NOTES:])


def noted(state: K, event: FactNoted) -> K:
    """The state with the event's fact and tasks remembered."""
    pending, notes = answered(state, event)
    left = tuple([item for item in notes.awaited if item not in event.awaited])
    return evolve(state, pending=pending, notes=evolve(notes, awaited=left))


def with_notes(notes: Notes, event: Any) -> Notes:
    """What a row remembers once an event is told; the latest, where they are too many."""
    if not event.fact_id and not event.tasks:
        return notes
    facts = (*notes.facts, event.fact_id) if event.fact_id and event.fact_id not in notes.facts else notes.facts
    return with_tasks(evolve(notes, facts=facts[-MAX_NOTES:]), event.tasks)


def with_tasks(notes: Notes, tasks: tuple[Task, ...]) -> Notes:
    """What a row remembers with these tasks; one stands there once."""
    return evolve(notes, tasks=values.with_tasks(notes.tasks, tasks)) if tasks else notes


# -- tasks


class _Closing(Fields):
    code: Name


class ClosePaymentTask(_Closing, Command):
    """Somebody has looked at the oldest task with this code."""


class PaymentTaskClosed(_Closing, Event):
    """A task was closed."""


def has_task(state: Known, command: ClosePaymentTask, stamp: Stamp) -> Refusal | None:
    return values.has_task(state.notes.tasks, command.code)


def task_closed(state: K, event: PaymentTaskClosed) -> K:
    return evolve(state, notes=evolve(state.notes, tasks=values.without_task(state.notes.tasks, event.code)))
