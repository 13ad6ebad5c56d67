"""One row's journal: its versions, commands and times, and its fold, compared with the stored row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import define, fields, has

from orderflow.audit.checks import Check, Seen
from orderflow.audit.invariants import INVARIANTS, Violation
from orderflow.domain.engine.machine import ABSENT, Machine
from orderflow.domain.engine.workflow import EventContext, Workflow
from orderflow.errors import InvariantBroken, Key, OrderFlowError
from orderflow.ports.audit import Cited, Logged, Stream, Unreadable

#: The invariants that a machine's own check of a state covers, by kind; counted once for each stored row.
_LAWS: Final[Mapping[str, tuple[str, ...]]] = {
    "order": ("L1", "I11"),
    "stock": ("I02",),
    "invoice": ("I21",),
    "payment": ("I25",),
}


_SENSELESS: Final = (
    InvariantBroken,
    OrderFlowError,
    LookupError,
    AttributeError,
    TypeError,
    ValueError,
    ArithmeticError,
)


@define
class Auditor:
    """Audits the rows of one kind.

    ``workflows`` are the given ones, by fingerprint; ``unasked`` counts, by fingerprint, the entries of all others.
    """

    machine: Machine
    workflows: Mapping[str, Workflow]
    checks: Sequence[Check]
    counted: Counter[str]
    unasked: Counter[str]

    def walk(self, stream: Stream) -> Iterator[Violation]:
        """Fold a row's journal, show it to the checks, and compare it with the stored row."""
        at = _Walk(self, stream.key)
        for entry in stream.entries:
            yield from at.entry(entry)
        yield from at.end(stream)


@define
class _Walk:
    """Where the fold of one row stands; ``whole`` turns false when an event cannot be folded."""

    by: Auditor
    key: Key
    state: Any = ABSENT
    version: int = 0
    whole: bool = True
    cited: Cited | None = None

    def entry(self, entry: Logged) -> Iterator[Violation]:
        """Check the next entry and fold it."""
        self.by.counted["I41"] += 1
        if entry.version != self.version + 1:
            yield self._found("I41", f"version {entry.version} follows {self.version}")
            self.whole = False
        self.version = entry.version
        if entry.cited is None:
            yield self._found("I38", f"the command of version {entry.version} is missing or unreadable")
            self.whole = False
            return
        yield from self._command(entry.cited)
        if isinstance(entry.event, Unreadable):
            yield self._found("I54", f"version {entry.version}: {entry.event.error}")
            self.whole = False
        elif entry.event is not None and self.whole:
            yield from self._fold(entry.event, entry.cited)
        self.cited = entry.cited

    def _command(self, cited: Cited) -> Iterator[Violation]:
        stamp = cited.stamp
        if cited.workflow not in self.by.workflows:
            self.by.unasked[cited.workflow] += 1
        self.by.counted["I46"] += 1
        self.by.counted["I47"] += 1
        if self.cited is not None and stamp.at < self.cited.stamp.at:
            yield self._found("I46", f"version {self.version} was recorded before version {self.version - 1}")
        if not (stamp.actor and stamp.command_id and cited.workflow):
            yield self._found("I47", f"version {self.version}: its actor, command id or workflow is blank")

    def _fold(self, event: Any, cited: Cited) -> Iterator[Violation]:
        self.by.counted["I09"] += 1
        self.by.counted["I54"] += 1
        before = self.state
        try:
            self.state = self.by.machine.evolve(before, event)
        except _SENSELESS as error:
            yield self._found("I09", f"version {self.version}: {error}")
            self.whole = False
            return
        yield from self._show(EventContext(self.key, before, event, self.state, cited.stamp), cited)

    def _show(self, context: EventContext, cited: Cited) -> Iterator[Violation]:
        """Show an event to the checks, with the command if it was sent to this row and this is its first event."""
        before = self.cited
        root = cited.key == self.key and (before is None or before.stamp.command_id != cited.stamp.command_id)
        seen = Seen(context, self.version, cited.command if root else None, self.by.workflows.get(cited.workflow))
        yield from self._sensible(found for check in self.by.checks for found in check.event(seen))

    def _sensible(self, found: Iterable[Violation]) -> Iterator[Violation]:
        """What the checks find; a check that fails with an error is a finding too."""
        try:
            yield from found
        except _SENSELESS as error:
            yield self._found("LAW", f"version {self.version} holds data that cannot be checked: {error!r}")
            self.whole = False

    def end(self, stream: Stream) -> Iterator[Violation]:
        """Check the stored row, after all entries."""
        stored = stream.stored()
        self.by.counted["I43"] += 1
        if stored is None or not self.version:
            yield self._found("I43", "has no row" if stored is None else "has no journal")
        if stored is None:
            return
        if stored.version != self.version:
            yield self._found("I41", f"the row has version {stored.version}, its journal ends with {self.version}")
        if isinstance(stored.state, Unreadable):
            yield self._found("I54", f"the row: {stored.state.error}")
            return
        if self.whole and self.state is not ABSENT and stored.state != self.state:
            yield self._found("I43", f"stored and folded differ: {_difference(stored.state, self.state)}")
        self.by.counted["I26"] += 1
        if stored.stale_columns:
            yield self._found("I26", f"columns that differ from the state: {', '.join(stored.stale_columns)}")
        yield from self._law(stored.state)
        yield from self._sensible(
            found for check in self.by.checks for found in check.row(self.key, stored.state, whole=self.whole)
        )

    def _law(self, state: Any) -> Iterator[Violation]:
        for number in ("LAW", *_LAWS.get(self.by.machine.kind, ())):
            self.by.counted[number] += 1
        try:
            self.by.machine.check(state)
        except InvariantBroken as error:
            other = "I25" if self.by.machine.kind == "payment" else "LAW"
            yield self._found(error.invariant if error.invariant in INVARIANTS else other, str(error))
        except _SENSELESS as error:
            yield self._found("LAW", f"the row holds data that cannot be checked: {error!r}")

    def _found(self, invariant: str, detail: str) -> Violation:
        return Violation(invariant, self.key, detail)


def _difference(stored: Any, folded: Any, path: str = "") -> str:
    """The first place where two states differ."""
    if type(stored) is type(folded) and has(type(stored)):
        names = (field.name for field in fields(type(stored)))
        name = next(name for name in names if getattr(stored, name) != getattr(folded, name))
        return _difference(getattr(stored, name), getattr(folded, name), f"{path}.{name}" if path else name)
    if isinstance(stored, tuple) and isinstance(folded, tuple) and len(stored) == len(folded):
        index = next(index for index, pair in enumerate(zip(stored, folded, strict=True)) if pair[0] != pair[1])
        return _difference(stored[index], folded[index], f"{path}[{index}]")
    return f"{path or 'state'} is {stored!r:.80}, folded {folded!r:.80}"
