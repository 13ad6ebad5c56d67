"""The invoice's table, and nothing else."""

from __future__ import annotations

from typing import Final

from orderflow.domain.invoice import messages as m
from orderflow.domain.invoice import rules as r
from orderflow.domain.invoice.states import Draft, Issued, Settled, Void, check_invoice
from orderflow.domain.machine import Absent, Machine, rule, to, to_any

__all__ = ["INVOICE"]

APPLIED = to_any(m.PaymentApplied, r.payment_applied, Issued, Settled)
UNAPPLIED = to_any(m.PaymentUnapplied, r.payment_unapplied, Issued, Settled)
CREDITED = to_any(m.CreditApplied, r.credit_applied, Issued, Settled)
SETTLED_CREDITED = to(m.CreditApplied, Settled, r.credit_settled)

INVOICE: Final = Machine(
    "invoice",
    commands=m.InvoiceCommand,
    events=m.InvoiceEvent,
    final=(Settled, Void, Issued),
    check=check_invoice,
    rules=(
        rule(Absent, m.DraftInvoice, r.draft, to(m.InvoiceDrafted, Draft, r.drafted), guards=(r.has_party,)),
        rule(Draft, m.IssueInvoice, r.issue, to_any(m.InvoiceIssued, r.issued, Issued, Settled)),
        rule(Issued, m.ApplyPayment, r.apply_payment, APPLIED, guards=(r.same_currency, r.is_owed)),
        rule(Issued, m.UnapplyPayment, r.unapply_payment, UNAPPLIED, guards=(r.same_currency, r.was_applied)),
        rule(Issued, m.ApplyCredit, r.apply_credit, CREDITED, guards=(r.same_currency, r.within_invoice)),
        rule(
            Issued,
            m.WriteOff,
            r.write_off,
            to_any(m.WrittenOff, r.written_off, Issued, Settled),
            guards=(r.is_owed,),
        ),
        rule(Issued, m.MarkSent, r.mark_sent, to(m.InvoiceSent, Issued, r.sent)),
        rule(Issued, m.VoidInvoice, r.void, to(m.InvoiceVoided, Void, r.voided), guards=(r.never_seen,)),
        rule(Settled, m.UnapplyPayment, r.unapply_payment, UNAPPLIED, guards=(r.same_currency, r.was_applied)),
        rule(Settled, m.ApplyCredit, r.apply_credit, SETTLED_CREDITED, guards=(r.same_currency, r.within_invoice)),
        rule(Settled, m.MarkSent, r.mark_sent, to(m.InvoiceSent, Settled, r.sent)),
    ),
)
