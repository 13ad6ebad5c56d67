"""Invoices and credit notes: their totals recompute, they stay as drafted, and their numbers have no gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, TypeAlias

from orderflow.audit.checks import Check, Seen
from orderflow.audit.invariants import Violation
from orderflow.domain.billing.credit_note import CreditNoteDrafted, IssuedNote, note_totals
from orderflow.domain.billing.invoice import InvoiceDrafted
from orderflow.domain.billing.numbering import NumberAllotted, Restart, SeriesOpened, period_text
from orderflow.domain.engine.workflow import EventContext
from orderflow.domain.money.tax import TaxableLine, TaxRounding, amount_of, totals
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
        self._texts: set[str] = set()
        self._begin(1, Restart.NEVER, backdating=False)
        self._numbers: dict[tuple[str, str], tuple[str, str]] = {}

    def event(self, seen: Seen) -> Iterator[Violation]:
        """Remember a draft; follow a series number by number."""
        event = seen.context.event
        if isinstance(event, Drafted):
            self._drafted = event
        elif isinstance(event, SeriesOpened):
            self._begin(event.start, event.restart, backdating=event.backdating)
        elif isinstance(event, NumberAllotted):
            yield from self._allotted(seen.context, event)

    def _begin(self, start: int, restart: Restart, *, backdating: bool) -> None:
        """A series begins, or begins anew with another pattern."""
        self._start, self._restart, self._backdating = start, restart, backdating
        self._next: dict[str, int] = {}
        self._last: datetime | None = None
        self._dated: date | None = None

    def _allotted(self, context: EventContext, event: NumberAllotted) -> Iterator[Violation]:
        key, at, period = context.key, context.stamp.at, period_text(self._restart, event.on)
        for number in ("I17", "I18", "I19"):
            self.counted[number] += 1
        due = self._next.get(period, self._start)
        if event.number != due:
            yield Violation("I18", key, f"number {event.number} was allotted where {due} was due")
        if self._last is not None and at < self._last:
            yield Violation("I19", key, f"number {event.number} was allotted earlier than the number before it")
        if self._dated is not None and event.on < self._dated and not self._backdating:
            yield Violation("I19", key, f"number {event.number} is dated {event.on}, after one of {self._dated}")
        if event.text in self._texts:
            yield Violation("I17", key, f"{event.text} is printed on two documents")
        self._next[period], self._last, self._dated = event.number + 1, at, event.on
        self._texts.add(event.text)
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
            self._begin(1, Restart.NEVER, backdating=False)
            return
        self.counted["I22"] += 1
        yield from (Violation("I22", key, detail) for detail in _not_recomputed(state))
        if drafted is not None:
            self.counted["I21"] += 1
            if any(getattr(state, name) != getattr(drafted, name) for name in _drawn_up(drafted)):
                yield Violation("I21", key, "the document differs from its draft")
        if hasattr(state, "number"):
            self.counted["I17"] += 1
            yield from self._pair((key.kind, key.id), (state.content.series, state.number))

    def end(self) -> Iterator[Violation]:
        """Report numbers that only a document or only a series names."""
        for document, number in self._numbers.items():
            detail = f"{' '.join(document)}: {' '.join(number)} is named by the document or the series, but not by both"
            yield Violation("I17", None, detail)


def _drawn_up(drafted: Drafted) -> tuple[str, ...]:
    """The fields of a document that never change once it is drafted."""
    return ("content", "due_date", "totals") if isinstance(drafted, InvoiceDrafted) else ("content",)


def _not_recomputed(state: Any) -> Iterator[str]:
    if isinstance(state, IssuedNote):
        sums = note_totals(state.content, state.parts)
        if sums != state.totals:
            yield f"totals are {state.totals.gross}, the parts give {sums.gross}"
    elif hasattr(state, "due_date"):
        yield from _invoice_not_recomputed(state)


def _invoice_not_recomputed(state: Any) -> Iterator[str]:
    """Tax that was cumulated with the order's other invoices may differ from that of the lines alone."""
    content = state.content
    if state.totals.net_minor + state.totals.tax_minor + state.totals.rounding_minor != state.totals.gross_minor:
        yield f"net, tax and rounding do not make the total of {state.totals.gross}"
    if state.totals.rounding_minor and not (content.tax.cash_rounding_minor or content.tax.round_parts):
        yield f"it is rounded by {state.totals.rounding_minor}, which its tax policy does not ask for"
    if content.tax.cash_rounding_minor and state.totals.gross_minor % content.tax.cash_rounding_minor:
        yield f"{state.totals.gross} is not a multiple of {content.tax.cash_rounding_minor} minor units"
    lines = [TaxableLine(line.net_minor, line.tax, line.quantity) for line in content.lines]
    sums = totals(lines, content.tax, content.currency)
    per_document = content.tax.rounding_level is TaxRounding.PER_DOCUMENT
    most = 1 if per_document else sum(line.quantity for line in content.lines)
    charged = [{g.category: amount_of(g, content.tax) for g in given.groups} for given in (sums, state.totals)]
    off = abs(sums.tax_minor - state.totals.tax_minor)
    if charged[0] != charged[1] or off > most * len(sums.groups):
        yield f"totals are {state.totals.gross}, the lines give {sums.gross}"
