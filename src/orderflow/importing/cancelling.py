"""What a cancellation becomes: a return for its goods, a credit note for its money."""

from __future__ import annotations

from typing import Final

from orderflow.domain.billing.credit_note import AccountLine, CreditItem, CreditNoteContent, DraftCreditNote
from orderflow.domain.money.calendar import business_date
from orderflow.domain.orders.content import line_minor
from orderflow.domain.returns.receiving import ReceiveReturn, ReturnedUnits, UnmatchedReturn
from orderflow.importing.documents import CancellationDocument, CancelledLine
from orderflow.importing.matching import Match, invoice_of

#: The series that numbers the credit notes of a run.
CREDIT_NOTES: Final = "credit_note"


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
        usable=True,  # the file says no more of these goods
        customer=document.customer,
        reason="cancellation",
    )


def credit_note_of(document: CancellationDocument, matches: list[list[Match]], timezone: str) -> DraftCreditNote:
    """The money of a cancellation: linked to what it matches, the rest on account."""
    parts = [
        (number, line, match)
        for number, (line, found) in enumerate(zip(document.lines, matches, strict=True), start=1)
        for match in found
    ]
    return DraftCreditNote(
        CreditNoteContent(
            series=CREDIT_NOTES,
            customer=document.customer,
            bill_to=document.party.ref,
            currency=document.currency,
            items=tuple([_item(number, match) for number, _, match in parts if match.order]),
            on_account=tuple([_on_account(document, *part) for part in parts if not part[2].order]),
            tax=document.tax,
            dated=business_date(document.at, timezone),
            reason="cancellation",
            document=document.number,
        )
    )


def _item(number: int, match: Match) -> CreditItem:
    return CreditItem(invoice_of(match.order), match.line, match.quantity, own_line=number)


def _on_account(document: CancellationDocument, number: int, line: CancelledLine, match: Match) -> AccountLine:
    amount = line_minor(line.price, match.quantity, document.tax)
    return AccountLine(number, line.sku, match.quantity, amount, line.tax)
