"""What a cancellation becomes: a return for its goods, a credit note for its money."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.domain.billing.credit_note import CreditLine, CreditNoteContent, DraftCreditNote
from orderflow.domain.money.calendar import business_date
from orderflow.domain.returns import ReceiveReturn, ReturnedUnits, UnmatchedReturn
from orderflow.importing.documents import CancellationDocument, CancelledLine
from orderflow.importing.matching import Match, invoice_of


def return_of(document: CancellationDocument, matches: list[list[Match]]) -> ReceiveReturn | None:
    """The goods of a cancellation, matched or not; None if it has none."""
    pairs = [
        (line, match) for line, parts in zip(document.lines, matches, strict=True) for match in parts if line.goods
    ]
    if not pairs:
        return None
    return ReceiveReturn(
        document.location,
        tuple([ReturnedUnits(match.order, match.line, match.quantity) for _, match in pairs if match.order]),
        tuple([UnmatchedReturn(line.sku, match.quantity) for line, match in pairs if not match.order]),
        customer=document.customer,
        reason="cancellation",
    )


def credit_note_of(document: CancellationDocument, matches: list[list[Match]], timezone: str) -> DraftCreditNote:
    """The money of a cancellation: linked to what it matches, the rest on account."""
    lines = [
        part
        for number, (line, parts) in enumerate(zip(document.lines, matches, strict=True), start=1)
        for part in _credit_lines(number, line, parts)
    ]
    before = [match.before for parts in matches for match in parts if match.before]
    return DraftCreditNote(
        CreditNoteContent(
            series="credit_note",
            customer=document.customer,
            bill_to=document.party.ref,
            currency=document.currency,
            lines=tuple(lines),
            tax=document.tax,
            dated=business_date(document.at, timezone),
            reason="cancellation",
            document=document.number,
            before=tuple(dict.fromkeys(before)),
        )
    )


def _credit_lines(number: int, line: CancelledLine, parts: list[Match]) -> Iterator[CreditLine]:
    for order, order_line, quantity, net, _ in parts:
        invoice = invoice_of(order) if order else ""
        yield CreditLine(number, line.sku, quantity, net, line.tax, order, order_line, invoice)
