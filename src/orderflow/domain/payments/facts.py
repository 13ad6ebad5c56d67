"""Facts are total: what a bank or provider says has happened is recorded in every state.

A fact that was told before changes nothing. What contradicts the row becomes a task on it, for a person to look at.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.bounds import Name
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.record import Command, Event
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.payments.state import MAX_NOTES, Known, Notes, Operation, without
from orderflow.domain.values import Task
from orderflow.errors import Refusal

K = TypeVar("K", bound=Known)


@frozen(eq=False, repr=False)
class FactNoted(Event):
    """A fact changed no amount: it was told before, or contradicts what is there, which is a task then."""

    fact_id: str = ""
    tasks: tuple[Task, ...] = ()
    request: str = ""


def task(code: str, **facts: object) -> Task:
    """A task with its facts as text."""
    return Task(code, tuple([(name, str(value)) for name, value in facts.items()]))


def told_once(
    decide: Callable[[Any, Any, Stamp], Any], answers: Operation | None = None
) -> Callable[[Any, Any, Stamp], Any]:
    """A decide that leaves everything as it is where the fact is known by its id.

    Its event is marked with that id, and with the pending request for ``answers`` that the fact is the outcome of.
    """

    @wraps(decide)
    def once(state: Any, command: Any, stamp: Stamp) -> Any:
        request = answered_request(state, command, answers) if answers else ""
        if command.fact_id and command.fact_id in state.notes.facts:
            return FactNoted(command.fact_id, request=request)
        event = evolve(decide(state, command, stamp), fact_id=command.fact_id)
        return evolve(event, request=request) if request else event

    return once


#: Operations of which any fact is the answer: there is one at a time, whatever amount it turns out to be.
_WHOLE: Final = (Operation.AUTHORISE, Operation.VOID)


def answered_request(state: Known, command: Any, operation: Operation) -> str:
    """The id of the pending request that a fact answers: the one that it names, or one for its amount; else nothing."""
    asked = [item for item in state.pending if item.operation is operation]
    if not asked:
        return ""
    [item] = asked
    meant = command.request == item.id if command.request else operation in _WHOLE or command.amount.minor == item.minor
    return item.id if meant else ""


def noted(state: K, event: FactNoted) -> K:
    """The state with the event's fact and tasks remembered."""
    return evolve(state, pending=without(state.pending, event.request), notes=with_notes(state.notes, event))


def with_notes(notes: Notes, event: Any) -> Notes:
    """What a row remembers once an event is told; the latest, where they are too many."""
    if not event.fact_id and not event.tasks:
        return notes
    facts = (*notes.facts, event.fact_id) if event.fact_id and event.fact_id not in notes.facts else notes.facts
    return with_tasks(Notes(facts[-MAX_NOTES:], notes.tasks), event.tasks)


def with_tasks(notes: Notes, tasks: tuple[Task, ...]) -> Notes:
    """What a row remembers with these tasks; one stands there once."""
    return Notes(notes.facts, tuple(dict.fromkeys((*notes.tasks, *tasks)))[-MAX_NOTES:]) if tasks else notes


# -- tasks


@frozen(eq=False, repr=False)
class _Closing:
    code: Name


class ClosePaymentTask(_Closing, Command):
    """Somebody has looked at the oldest task with this code."""

    __slots__ = ()


class PaymentTaskClosed(_Closing, Event):
    """A task was closed."""

    __slots__ = ()


def has_task(state: Known, command: ClosePaymentTask, stamp: Stamp) -> Refusal | None:
    """Only a task that stands can be closed."""
    if any(task.code == command.code for task in state.notes.tasks):
        return None
    return refuse("no_such_task", "there is no task {task}", task=command.code)


def task_closed(state: K, event: PaymentTaskClosed) -> K:
    tasks = [*state.notes.tasks]
    del tasks[[task.code for task in tasks].index(event.code)]
    return evolve(state, notes=Notes(state.notes.facts, tuple(tasks)))
