"""How far a run has come: a machine of its own, so that the mark is kept by the same storage, in the same commits."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, to
from orderflow.domain.engine.schema import Count
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import InvariantBroken, Refusal

__all__ = ["PROGRESS", "Advanced", "RecordProgress", "Run"]


@frozen
class RecordProgress:
    """Another window is finished; ``documents`` are done in all, of those of the file."""

    documents: Count


@frozen
class Advanced:
    """A window was finished."""

    documents: int


@frozen
class Run:
    """A run of a file: documents finished, windows finished."""

    documents: int
    windows: int


def _goes_on(state: Run, command: RecordProgress, stamp: Stamp) -> Refusal | None:
    """Progress never goes back."""
    if command.documents > state.documents:
        return None
    return refuse("not_further", "{known} documents are done already", known=state.documents)


def _advance(state: Absent | Run, command: RecordProgress, stamp: Stamp) -> Advanced:
    return Advanced(command.documents)


def _advanced(state: Absent | Run, event: Advanced) -> Run:
    return Run(event.documents, 1 + (state.windows if isinstance(state, Run) else 0))


def _check(state: Run) -> None:
    if state.windows > state.documents:
        raise InvariantBroken("run", f"{state.windows} windows hold only {state.documents} documents")


PROGRESS: Final = Machine(
    "run",
    commands=RecordProgress,
    events=Advanced,
    final=(Run,),
    check=_check,
    rules=(
        rule(Absent, RecordProgress, _advance, to(Advanced, Run, _advanced)),
        rule(Run, RecordProgress, _advance, to(Advanced, Run, _advanced), guards=(_goes_on,)),
    ),
)
