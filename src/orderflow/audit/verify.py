"""Verifying: a database is checked against the numbered invariants, in one pass over its journal and rows.

Every row's journal is folded and compared with what is stored; sums across rows are kept while the rows stream by.
Memory grows with the number of rows that are told something by others, not with the length of the journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from attrs import frozen

from orderflow.audit.accounts import Accounts
from orderflow.audit.checks import Check
from orderflow.audit.decisions import Decisions, Effects
from orderflow.audit.documents import Documents
from orderflow.audit.invariants import INVARIANTS, Violation
from orderflow.audit.journal import walk
from orderflow.audit.orders import Orders
from orderflow.audit.shipments import Shipments
from orderflow.audit.stocks import Stocks
from orderflow.domain.engine.workflow import Workflow
from orderflow.ports.audit import AuditSource

__all__ = ["Finding", "Report", "check", "verify"]


#: Violations of one invariant that a report spells out.
EXAMPLES: Final = 20


@frozen
class Finding:
    """What came of one invariant: how many facts were looked at, how many break it, and the first of those."""

    invariant: str
    says: str
    checked: int
    violations: int
    examples: tuple[Violation, ...]


@frozen
class Report:
    """A finding for every invariant that is checked; ``unknown`` names kinds the workflow has no machine for."""

    findings: tuple[Finding, ...]
    unknown: tuple[str, ...]

    @property
    def violations(self) -> int:
        """All violations together."""
        return sum(finding.violations for finding in self.findings)


def verify(source: AuditSource, workflow: Workflow, *, progress: Callable[[str], None] = lambda kind: None) -> Report:
    """Check everything that ``source`` holds; ``progress`` is told each kind before its rows are read.

    The workflow must be the one the database was worked with, its notices too.
    """
    counted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    examples: dict[str, list[Violation]] = {}
    for violation in check(source, workflow, counted, progress):
        found[violation.invariant] += 1
        listed = examples.setdefault(violation.invariant, [])
        if len(listed) < EXAMPLES:
            listed.append(violation)
    findings = (
        Finding(number, says, counted[number], found[number], tuple(examples.get(number, ())))
        for number, says in INVARIANTS.items()
    )
    return Report(tuple(findings), tuple(kind for kind in source.kinds() if kind not in workflow.machines))


def check(
    source: AuditSource, workflow: Workflow, counted: Counter[str], progress: Callable[[str], None] = lambda kind: None
) -> Iterator[Violation]:
    """Every violation, as it is found; ``counted`` gathers how many facts were looked at for each invariant."""
    checks: tuple[Check, ...] = (
        Decisions(counted, workflow),
        Effects(counted, workflow, source),
        Orders(counted),
        Stocks(counted),
        Shipments(counted),
        Documents(counted),
        Accounts(counted),
    )
    yield from _storage(source, counted)
    for kind in source.kinds():
        if kind in workflow.machines:
            progress(kind)
            concerned = [each for each in checks if each.concerns(kind)]
            for stream in source.streams(kind):
                yield from walk(stream, workflow.machines[kind], concerned, counted)
    for each in checks:
        yield from each.end()


def _storage(source: AuditSource, counted: Counter[str]) -> Iterator[Violation]:
    """What concerns no single row: damage, commands without events, messages without events."""
    counted["DB"] += 1
    yield from (Violation("DB", None, fault) for fault in source.faults())
    counted["I38"] += source.commands()
    yield from (Violation("I38", None, detail) for detail in source.orphans())
    for message in source.messages_without_event():
        yield Violation("I32", None, f"message {message!r} is an effect of no event")
    counted["I49"] += 1
    if foreign := source.foreign_tenant():
        yield Violation("I49", None, f"{foreign} events cite a command of another tenant")
