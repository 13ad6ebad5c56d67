"""Check a database against the numbered invariants, in one pass over its journal and rows.

Every row's journal is folded and compared with the stored row; sums across rows are kept while the rows stream by.
Memory grows with the number of rows that other rows send commands to, not with the length of the journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from attrs import frozen

from orderflow.audit.checks import Check
from orderflow.audit.decisions import Decisions, Effects
from orderflow.audit.documents import Documents
from orderflow.audit.invariants import INVARIANTS, Violation
from orderflow.audit.journal import Auditor
from orderflow.audit.laws import CreditLimits, Laws
from orderflow.audit.orders import Orders
from orderflow.audit.shipments import Shipments
from orderflow.audit.stocks import Stocks
from orderflow.domain.engine.machine import Machine
from orderflow.domain.engine.workflow import Workflow
from orderflow.ports.audit import AuditSource

__all__ = ["Finding", "Report", "verify"]


#: The most violations of one invariant that a report lists.
EXAMPLES: Final = 20


@frozen
class Finding:
    """The result for one invariant: how many facts were checked, how many break it, and the first of those."""

    invariant: str
    says: str
    checked: int
    violations: int
    examples: tuple[Violation, ...]


@frozen
class Report:
    """A finding for every invariant that is checked, and the number of ``rows`` read.

    ``unknown`` names the kinds for which the given workflows have no machine. ``unasked`` counts, by fingerprint, the
    entries that other workflows decided: their events are folded, but their decisions are not checked.
    """

    findings: tuple[Finding, ...]
    rows: int
    unknown: tuple[str, ...]
    unasked: tuple[tuple[str, int], ...]

    @property
    def violations(self) -> int:
        """The total number of violations."""
        return sum(finding.violations for finding in self.findings)


def verify(source: AuditSource, *workflows: Workflow, progress: Callable[[str], None] = lambda kind: None) -> Report:
    """Check everything that ``source`` holds; ``progress`` is called with each kind before its rows are read.

    What an event tells other rows to do and which effects it asks for is checked with the workflow that decided it, if
    that is one of ``workflows``. Every event is folded, by the first of them that has a machine for its kind.
    """
    audit = _Audit(source, {workflow.fingerprint: workflow for workflow in workflows})
    found: Counter[str] = Counter()
    examples: dict[str, list[Violation]] = {}
    for violation in audit.violations(progress):
        found[violation.invariant] += 1
        listed = examples.setdefault(violation.invariant, [])
        if len(listed) < EXAMPLES:
            listed.append(violation)
    findings = (
        Finding(number, says, audit.counted[number], found[number], tuple(examples.get(number, ())))
        for number, says in INVARIANTS.items()
    )
    unknown = (kind for kind in source.kinds() if kind not in audit.machines)
    return Report(tuple(findings), audit.rows, tuple(unknown), tuple(sorted(audit.unasked.items())))


class _Audit:
    """One pass over a source, and what is counted on the way."""

    def __init__(self, source: AuditSource, workflows: Mapping[str, Workflow]) -> None:
        self._source, self._workflows = source, workflows
        self.machines: dict[str, Machine] = {}
        for workflow in workflows.values():
            self.machines = {**workflow.machines, **self.machines}
        self.counted: Counter[str] = Counter()
        self.unasked: Counter[str] = Counter()
        self.rows = 0

    def violations(self, progress: Callable[[str], None]) -> Iterator[Violation]:
        """Every violation, as it is found."""
        checks = self._checks()
        yield from _storage(self._source, self.counted)
        for kind in self._source.kinds():
            machine = self.machines.get(kind)
            if machine is not None:
                progress(kind)
                concerned = [each for each in checks if each.concerns(kind)]
                yield from self._rows(Auditor(machine, self._workflows, concerned, self.counted, self.unasked))
        for each in checks:
            yield from each.end()

    def _rows(self, auditor: Auditor) -> Iterator[Violation]:
        for stream in self._source.streams(auditor.machine.kind):
            self.rows += 1
            yield from auditor.walk(stream)

    def _checks(self) -> tuple[Check, ...]:
        counted, workflows = self.counted, self._workflows.values()
        return (
            Decisions(counted, workflows),
            Effects(counted, workflows, self._source),
            Orders(counted),
            Stocks(counted),
            Shipments(counted),
            Documents(counted),
            Laws(counted),
            CreditLimits(counted),
        )


def _storage(source: AuditSource, counted: Counter[str]) -> Iterator[Violation]:
    """What concerns no single row: damage, commands without events, messages without events."""
    counted["DB"] += 1
    yield from (Violation("DB", None, fault) for fault in source.faults())
    counted["I38"] += source.commands()
    yield from (Violation("I38", None, detail) for detail in source.command_faults())
    for message in source.messages_without_event():
        yield Violation("I32", None, f"message {message!r} is not the effect of any event")
    counted["I49"] += 1
    if foreign := source.foreign_tenant():
        yield Violation("I49", None, f"{foreign} events cite a command of another tenant")
