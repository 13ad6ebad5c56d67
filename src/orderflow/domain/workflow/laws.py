"""Laws across rows as code, and those of money: whoever holds all rows of a tenant can ask whether they agree.

Laws B, money is conserved, and F, a gate looks at the truth. A row's own invariants are its machine's check; here
stands what no row can know alone. Give every event as it happens and every row as it stands, then ask ``end``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Any, ClassVar, Final, NamedTuple

from orderflow.domain.billing.account import Account
from orderflow.domain.billing.credit_note import IssuedNote
from orderflow.domain.billing.invoice_state import Numbered
from orderflow.domain.engine.workflow import EventContext
from orderflow.domain.orders.allocating import StockAllocated
from orderflow.domain.orders.billing import OrderCompleted
from orderflow.domain.orders.charging import billable_lines, credits_due, exposure, missing_minor, net_minor
from orderflow.domain.orders.content import CompleteOn, Gate, OrderLine
from orderflow.domain.orders.guards import waits_for_money
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.placing import OrderConfirmed
from orderflow.domain.orders.shipping import ShipmentDispatched, ShipmentPrepared
from orderflow.domain.orders.state import HasProgress, lines_of
from orderflow.domain.payments.guards import reserved_minor
from orderflow.domain.payments.state import ApplicationTarget, Authorised, Funded, currency_of, order_of
from orderflow.errors import Key

__all__ = ["MONEY_LAWS", "Breach", "Laws", "MoneyLaws"]


class Breach(NamedTuple):
    """A law that is broken: its id, the row where that shows (None: between rows), and what was found."""

    law: str
    key: Key | None
    found: str


#: Id to law. A breach names the id.
MONEY_LAWS: Final = {
    "B1": "A customer's balance is what his invoices have open, less the money of his that pays nothing yet.",
    "B2": "Each sum of an account is that of its invoices, credit notes, payments and write-offs.",
    "B3": "What an order's line was charged, credited and reduced is what its invoices say of it.",
    "B4": "The net charged for units of a line is their rounded share of it, but for what part credits round.",
    "B5": "What was credited of an invoice is what its credit notes say, line by line.",
    "B6": "Money kept for an order, and on its invoices, is what payments say pays it.",
    "B7": "An order knows what is due on each of its invoices, and what of its money lies there; none is overpaid.",
    "B8": "What pays an invoice directly is what payments say pays it.",
    "B9": "Credit on account that pays an invoice is what its credit notes say.",
    "B10": "What is reserved for an order is what its payments say is reserved.",
    "F1": "A gate that waits for money opened only once it was there.",
    "F2": "A customer's exposure is what his confirmed orders still charge.",
    "F3": "An order completed with nothing to bill, nothing to credit and, if asked, nothing to pay.",
}

_GATES: Final = {
    OrderConfirmed: Gate.CONFIRM,
    StockAllocated: Gate.ALLOCATE,
    ShipmentPrepared: Gate.PREPARE,
    ShipmentDispatched: Gate.SHIP,
}


class Laws(ABC):
    """Sums that two sides must agree on: one adds, the other subtracts. ``checked`` counts the facts, by law."""

    KINDS: ClassVar[frozenset[str]]

    def __init__(self) -> None:
        self.checked: Counter[str] = Counter()
        self._sums: dict[tuple[str, Hashable], int] = {}

    def event(self, context: EventContext) -> Iterator[Breach]:
        """What an event says when it happens; most laws are of rows, which say it all."""
        return iter(())

    @abstractmethod
    def row(self, key: Key, state: Any) -> Iterator[Breach]:
        """Add one side of what a row says; what shows at the row itself is said at once."""

    def end(self) -> Iterator[Breach]:
        """The sums on which two sides differ."""
        for (law, what), difference in self._sums.items():
            if difference:
                yield Breach(law, None, f"{what}: differs by {difference}")

    def _add(self, law: str, what: Hashable, number: int) -> None:
        self.checked[law] += 1
        self._sums[law, what] = self._sums.get((law, what), 0) + number


class MoneyLaws(Laws):
    """The laws of money, ``MONEY_LAWS``."""

    KINDS = frozenset({"order", "invoice", "credit_note", "payment", "account"})

    def __init__(self) -> None:
        super().__init__()
        self._prepaid: list[tuple[str, str, int]] = []
        self._prepaid_orders: dict[str, tuple[str, str]] = {}

    def event(self, context: EventContext) -> Iterator[Breach]:
        """What an event of an order says about the gate it has passed."""
        event, before = context.event, context.before
        gate = _GATES.get(type(event))
        if gate is not None and waits_for_money(before, gate):
            self.checked["F1"] += 1
            missing, due = missing_minor(before, context.stamp.at), before.progress.open_minor
            if missing > 0 or due:
                found = f"{type(event).__name__} with {missing} minor units missing and {due} open"
                yield Breach("F1", context.key, found)
        elif isinstance(event, OrderCompleted):
            self.checked["F3"] += 1
            waits = before.content.policy.complete_on is CompleteOn.PAID
            if billable_lines(before) or credits_due(before) or (waits and before.progress.open_minor):
                yield Breach("F3", context.key, "completed with something to bill, to credit or to pay")

    def row(self, key: Key, state: Any) -> Iterator[Breach]:
        """Add one side of what a row says; what shows at the row itself is said at once."""
        if isinstance(state, HasProgress):
            yield from self._order(key, state)
        elif isinstance(state, Numbered):
            yield from self._invoice(key, state)
        elif isinstance(state, IssuedNote):
            self._note(key, state)
        elif isinstance(state, Funded | Authorised):
            self._payment(key, state)
        elif isinstance(state, Account):
            self._account(key, state)
        elif hasattr(state, "amounts") or hasattr(state, "progress"):
            raise TypeError(f"no law knows a {type(state).__name__}")

    def end(self) -> Iterator[Breach]:
        """The sums on which two sides differ."""
        for payer, order, minor in self._prepaid:
            customer, currency = self._prepaid_orders.get(order, (payer, ""))
            self._transfer(payer, customer, currency, minor)
        self._prepaid.clear()
        yield from super().end()

    def _balance(self, customer: str, currency: str, minor: int) -> None:
        if customer:
            self._add("B1", (customer, currency), minor)

    def _sum(self, customer: str, currency: str, name: str, minor: int) -> None:
        if customer:
            self._add("F2" if name == "ordered" else "B2", (customer, currency, name), minor)

    # -- rows

    def _order(self, key: Key, order: HasProgress) -> Iterator[Breach]:
        content, p = order.content, order.progress
        self._balance(content.customer, content.currency, p.pool_minor)
        self._sum(content.customer, content.currency, "ordered", exposure(order))
        for item in p.authorisations:
            self._add("B10", (key.id, item.payment, content.currency), item.minor)
        if p.prepayments:
            self._prepaid_orders[key.id] = content.customer, content.currency
        for payment, minor in p.prepayments:
            self._add("B6", (key.id, payment), minor)
        for bill in p.bills:
            self._add("B7", (bill.invoice, "due"), bill.due_minor)
            self._add("B7", (bill.invoice, "prepaid"), bill.prepaid_minor)
        for line, v in lines_of(order):
            self._add("B3", (key.id, line.line, "units"), v.charged)
            self._add("B3", (key.id, line.line, "net"), v.unit_minor)
            self._add("B3", (key.id, line.line, "reduced"), v.reduced_minor)
            self.checked["B4"] += 1
            drift = v.unit_minor - net_minor(order, line, v.charged)
            if abs(drift) > _most_drift(order, line, v):
                found = f"line {line.line}: {v.charged} units charged at {v.unit_minor}, {drift} off their share"
                yield Breach("B4", key, found)

    def _invoice(self, key: Key, invoice: Numbered) -> Iterator[Breach]:
        content, a = invoice.content, invoice.amounts
        if invoice.open_minor < 0:
            yield Breach("B7", key, f"{-invoice.open_minor} more is paid and credited than was billed")
        self._balance(content.customer, content.currency, -invoice.open_minor)
        self._sum(content.customer, content.currency, "invoiced", invoice.totals.gross_minor)
        self._sum(content.customer, content.currency, "written_off", a.written_off)
        self._add("B7", (key.id, "due"), -invoice.due_minor)
        self._add("B7", (key.id, "prepaid"), -a.prepaid)
        self._add("B5", (key.id, "gross"), a.credited)
        for (line, units, minor), credit in zip(invoice.left(), invoice.credits, strict=True):
            self._add("B3", (line.order, line.line, "units"), -units)
            self._add("B3", (line.order, line.line, "net"), -minor - credit.reduced_minor)
            self._add("B3", (line.order, line.line, "reduced"), -credit.reduced_minor)
            self._add("B5", (key.id, line.line, "units"), credit.units)
            self._add("B5", (key.id, line.line, "minor"), credit.unit_minor + credit.reduced_minor)
        for payment, minor, payer in a.paid_by:
            self._add("B8", (key.id, payment), minor)
            self._transfer(payer, content.customer, content.currency, minor)
        for note, minor in a.credit_used:
            self._add("B9", (key.id, note), minor)

    def _note(self, key: Key, note: IssuedNote) -> None:
        content = note.content
        self._balance(content.customer, content.currency, note.free_minor)
        self._sum(content.customer, content.currency, "credited", note.totals.gross_minor)
        for part in note.parts:
            self._add("B5", (part.invoice, "gross"), -part.totals.gross_minor)
            for line in part.lines:
                self._add("B5", (part.invoice, line.line, "units"), -line.units)
                self._add("B5", (part.invoice, line.line, "minor"), -line.amount_minor)
        for invoice, minor in note.used:
            self._add("B9", (invoice, key.id), -minor)

    def _payment(self, key: Key, payment: Funded | Authorised) -> None:
        self._add("B10", (order_of(payment), key.id, currency_of(payment)), -reserved_minor(payment))
        if isinstance(payment, Funded):
            self._funds(key, payment)

    def _funds(self, key: Key, payment: Funded) -> None:
        funds, customer = payment.funds, payment.origin.customer
        self._balance(customer, funds.currency, funds.kept - funds.applied)
        self._sum(customer, funds.currency, "paid", funds.kept)
        for target, document, minor in funds.applications:
            if target is ApplicationTarget.INVOICE:
                self._add("B8", (document, key.id), -minor)
            else:
                self._add("B6", (document, key.id), -minor)
                self._prepaid.append((customer, document, minor))

    def _transfer(self, payer: str, ower: str, currency: str, minor: int) -> None:
        if payer != ower:
            self._sum(payer, currency, "paid", -minor)
            self._sum(ower, currency, "paid", minor)

    def _account(self, key: Key, account: Account) -> None:
        for sums in account.sums:
            self._balance(key.id, sums.currency, sums.balance)
            for name in ("ordered", "invoiced", "credited", "paid", "written_off"):
                self._sum(key.id, sums.currency, name, -getattr(sums, name))


def _most_drift(order: HasProgress, line: OrderLine, v: LineVector) -> int:
    """How far a line may be off its share: two minor units for a part credit under a reduction, one for a void."""
    if not v.charged or (v.charged == line.quantity and not v.credited):
        return 0
    return 2 * v.credited + sum(bill.void for bill in order.progress.bills)
