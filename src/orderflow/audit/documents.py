"""Invoices and credit notes: their totals recompute, they stay as drafted, and their numbers have no gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeAlias

from orderflow.audit.checks import Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.billing.credit_note import CreditNoteContent, CreditNoteDrafted, credited_sums
from orderflow.domain.billing.invoice import InvoiceDrafted
from orderflow.domain.billing.numbering import NumberAllotted, SeriesOpened
from orderflow.domain.engine.workflow import EventContext
from orderflow.domain.money.tax import TaxableLine, Totals, totals
from orderflow.errors import Key

Drafted: TypeAlias = InvoiceDrafted | CreditNoteDrafted


class Documents(Check):
    """Totals (I22), content (I21) and numbers (I17 to I19) of documents.

    A number found on a document is kept until the journal of its series is read, or the other way round.
    """

    kinds = frozenset({"invoice", "credit_note", "series"})

    def __init__(self, counted: Counter[str]) -> None:
        super().__init__(counted)
        self._drafted: Drafted | None = None
        self._next = 1
        self._last: datetime | None = None
        self._numbers: dict[tuple[str, str], tuple[str, str]] = {}

    def event(self, seen: Seen) -> Iterator[Violation]:
        """Remember a draft; follow a series number by number."""
        event = seen.context.event
        if isinstance(event, Drafted):
            self._drafted = event
        elif isinstance(event, SeriesOpened):
            self._next = event.start
        elif isinstance(event, NumberAllotted):
            yield from self._allotted(seen.context, event)

    def _allotted(self, context: EventContext, event: NumberAllotted) -> Iterator[Violation]:
        key, at = context.key, context.stamp.at
        for number in ("I18", "I19"):
            self.counted[number] += 1
        if event.number != self._next:
            yield Violation("I18", key, f"number {event.number} was allotted where {self._next} was due")
        if self._last is not None and at < self._last:
            yield Violation("I19", key, f"number {event.number} was allotted earlier than the number before it")
        self._next, self._last = event.number + 1, at
        yield from self._pair((event.kind, event.document), (key.id, event.text))

    def _pair(self, document: tuple[str, str], number: tuple[str, str]) -> Iterator[Violation]:
        """A document and its series must name the same number; the second to be read is compared with the first."""
        other = self._numbers.pop(document, None)
        if other is None:
            self._numbers[document] = number
        elif other != number:
            detail = f"{' '.join(document)}: document and series disagree: {' '.join(number)}, {' '.join(other)}"
            yield Violation("I17", None, detail)

    def row(self, key: Key, state: Any, *, whole: bool) -> Iterator[Violation]:
        """Check a stored document, or finish a series."""
        drafted, self._drafted = self._drafted, None
        if key.kind == "series":
            self._next, self._last = 1, None
            return
        yield from self._recomputed(key, state)
        if drafted is not None:
            self.counted["I21"] += 1
            content = (drafted.content, drafted.due_date) if isinstance(drafted, InvoiceDrafted) else (drafted.content,)
            if (*_content(state), state.totals) != (*content, drafted.totals):
                yield Violation("I21", key, "the document differs from its draft")
        if hasattr(state, "number"):
            self.counted["I17"] += 1
            yield from self._pair((key.kind, key.id), (state.content.series, state.number))

    def _recomputed(self, key: Key, state: Any) -> Iterator[Violation]:
        self.counted["I22"] += 1
        sums = _sums(_content(state)[0])
        if sums != state.totals:
            yield Violation("I22", key, f"totals are {state.totals.gross}, the lines give {sums.gross}")

    def end(self) -> Iterator[Violation]:
        """Report numbers that only a document or only a series names."""
        for document, number in self._numbers.items():
            detail = f"{' '.join(document)}: {' '.join(number)} is named by the document or the series, but not by both"
            yield Violation("I17", None, detail)


def _sums(said: Any) -> Totals:
    if isinstance(said, CreditNoteContent):
        return credited_sums(said)[0]
    return totals(
        [TaxableLine(line.net_minor, line.tax, line.quantity) for line in said.lines], said.tax, said.currency
    )


def _content(state: Any) -> tuple[Any, ...]:
    return (state.content, state.due_date) if hasattr(state, "due_date") else (state.content,)
