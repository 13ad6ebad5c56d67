"""How far a run has come. It has a machine of its own, so that progress is stored in the same commits as the work."""

from __future__ import annotations

from typing import Final

from orderflow.domain.engine.bounds import Count
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule
from orderflow.domain.engine.record import Command, Event, Fields, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import InvariantBroken, Refusal


class _Progress(Fields):
    documents: Count
    accepted: Count


class RecordProgress(_Progress, Command):
    """Record that another window is finished: ``documents`` of the file are done, ``accepted`` of them were taken."""


class ProgressRecorded(_Progress, Event):
    """A window was finished."""


class Run(_Progress, Record):
    """A run of a file: documents finished, those of them that were taken, and the windows they came in."""

    windows: int


def _goes_on(state: Run, command: RecordProgress, stamp: Stamp) -> Refusal | None:
    """Progress never goes back."""
    if command.documents > state.documents:
        return None
    return refuse("not_further", "{known} documents are already done", known=state.documents)


def _recorded(state: Absent | Run, event: ProgressRecorded) -> Run:
    return Run(event.documents, event.accepted, 1 + (state.windows if isinstance(state, Run) else 0))


def _check(state: Run) -> None:
    if max(state.windows, state.accepted) > state.documents:
        raise InvariantBroken("run", f"{state.documents} documents in {state.windows} windows, {state.accepted} taken")


PROGRESS: Final = Machine(
    "run",
    rules=(
        rule(Absent, RecordProgress, ProgressRecorded, Run, _recorded),
        rule(Run, RecordProgress, ProgressRecorded, Run, _recorded, guards=(_goes_on,)),
    ),
    final=(Run,),
    check=_check,
)
