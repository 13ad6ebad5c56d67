"""What a cancellation becomes: a return for its goods, a credit note for its money."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.batch.documents import CancellationDocument, CancelledLine
from orderflow.batch.matching import Match
from orderflow.domain.calendar import business_date
from orderflow.domain.credit import CreditLine, CreditTerms, DraftCreditNote
from orderflow.domain.money import cumulative
from orderflow.domain.returns import Loose, ReceiveReturn, ReturnedUnits

__all__ = ["credit_note_of", "return_of"]


def return_of(document: CancellationDocument, matches: list[list[Match]]) -> ReceiveReturn | None:
    """The goods of a cancellation, matched or loose; None where it brings none."""
    pairs = [
        (line, match) for line, parts in zip(document.lines, matches, strict=True) for match in parts if line.goods
    ]
    if not pairs:
        return None
    return ReceiveReturn(
        document.location,
        tuple([ReturnedUnits(match.order, match.line, match.quantity) for _, match in pairs if match.order]),
        tuple([Loose(line.sku, match.quantity) for line, match in pairs if not match.order]),
        customer=document.customer,
        reason="cancellation",
    )


def credit_note_of(document: CancellationDocument, matches: list[list[Match]], zone: str) -> DraftCreditNote:
    """The money of a cancellation: linked to what it matches, the rest on account."""
    lines = [
        part
        for number, (line, parts) in enumerate(zip(document.lines, matches, strict=True), start=1)
        for part in _credit_lines(number, line, parts, document)
    ]
    return DraftCreditNote(
        CreditTerms(
            series="credit_note",
            customer=document.customer,
            bill_to=document.party.ref,
            currency=document.currency,
            lines=tuple(lines),
            tax=document.tax,
            dated=business_date(document.at, zone),
            reason="cancellation",
            document=document.number,
        )
    )


def _credit_lines(
    number: int, line: CancelledLine, parts: list[Match], document: CancellationDocument
) -> Iterator[CreditLine]:
    """The parts' amounts end exactly on the line's, however it is cut."""
    rounding = document.tax.rounding
    whole = line.price.line_minor(line.quantity, rounding)
    before = 0
    for match in parts:
        net = cumulative(whole, line.quantity, before, match.quantity, rounding)
        before += match.quantity
        invoice = f"{match.order}/1" if match.order else ""
        yield CreditLine(number, line.sku, match.quantity, net, line.tax, match.order, match.line, invoice)
