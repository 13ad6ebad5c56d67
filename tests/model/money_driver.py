"""Drives the real library and the oracle through the same operations, and says where they differ."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from money_oracle import Order
from money_rows import Line, RefusedError, Tax
from money_shop import MoneyShop

from orderflow.domain.billing.invoice import VoidInvoice
from orderflow.domain.billing.invoice_money import TakeBackWriteOff, WriteOff
from orderflow.domain.billing.invoice_state import Numbered
from orderflow.domain.money.tax import TaxCategory, TaxPolicy, TaxRounding, includes_tax
from orderflow.domain.orders.amending import ConfirmAmendment, Difference, ProposeAmendment
from orderflow.domain.orders.billing import BillUnits
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.changes import Changes, NewPrice
from orderflow.domain.orders.charging import (
    billable,
    charged_minor,
    credit_due,
    missing_minor,
    outstanding_gross,
    owed,
    to_pay_minor,
    uncharged_gross,
)
from orderflow.domain.orders.content import CancelledBy, InvoiceBasis, OrderLine, PayBefore
from orderflow.domain.orders.state import HasProgress, lines_of
from orderflow.domain.payments.applying import ApplyPayment, UnapplyPayment
from orderflow.domain.payments.collecting import (
    AuthorisePayment,
    CapturePayment,
    EndAuthorisation,
    ExpectPayment,
    RecordPayment,
)
from orderflow.domain.payments.guards import capturable
from orderflow.domain.payments.pending import RequestOperation, ResolvePending
from orderflow.domain.payments.refunding import ChargeBackPayment, RefundPayment
from orderflow.domain.payments.state import (
    ApplicationTarget,
    Authorised,
    Funded,
    Operation,
    PaymentSource,
    payment_id,
)
from orderflow.domain.values import CreditIntent, LineQuantity
from orderflow.errors import CommandRefused
from orderflow.ports.storage import Storage

LEVELS = {
    "document": TaxRounding.PER_DOCUMENT,
    "line": TaxRounding.PER_LINE,
    "unit": TaxRounding.PER_UNIT,
}
#: Taxes that meet in one order: of one rate with and without tax in the price, and two on one line.
MIXED = (
    *(TaxCategory.of("S", 20, included=included) for included in (None, False, True)),
    *(TaxCategory.of("GST", 5, ("PST", 7), included=False), TaxCategory.of("GST", 5)),
)
#: Lines of an order, those of its amendments too.
MOST_LINES = 7
#: Units of a line, and what they cost together: amounts that do not divide.
HOSTILE = ((10, 5), (3, 1000), (7, 1000), (1, 1), (2, 0), (6, 799), (4, 100))


class Pair:
    """One order in the library and in the oracle."""

    def __init__(self, storage: Storage, seed: int) -> None:
        draw = self.draw = random.Random(seed)
        currency, rate = draw.choice(("GBP", "JPY", "BHD")), draw.choice((0, 8, 10, 20))
        level, included = draw.choice(tuple(LEVELS)), draw.random() < 0.5
        waits, ordered, coin = draw.random() < 0.4, draw.random() < 0.5, draw.choice((0, 0, 5))
        policy = TaxPolicy(LEVELS[level], included, cash_rounding_minor=coin)
        self.shop = MoneyShop(storage, currency, rate)
        categories = draw.choice(((TaxCategory.of("S", rate),), MIXED))
        made = [self._line(number, draw.choice(categories), policy) for number in range(1, draw.randint(2, 4))]
        rows = [Line(line.quantity, line.net_minor, _taxes(line.tax, policy), open=line.quantity) for line in made]
        self.oracle = Order(rows, level, waits, ordered, coin)
        self.shop.order_of(
            "O",
            *made,
            tax=policy,
            pay_before=PayBefore.PREPARE if waits else PayBefore.NEVER,
            invoice_basis=InvoiceBasis.ORDERED if ordered else InvoiceBasis.DISPATCHED,
        )
        self.prices = [Fraction(line.net_minor, line.quantity) for line in made]
        self.told: list[str] = []
        self.back: list[tuple[str, int, int]] = []

    def _line(self, number: int, category: TaxCategory, policy: TaxPolicy) -> OrderLine:
        units, minor = self.draw.choice(HOSTILE)
        return OrderLine.of(number, "TEA", units, self.shop.price(minor, units), category, policy=policy)

    def step(self) -> None:
        """One operation, drawn at random, on both; they must agree on whether it is allowed."""
        name = self.draw.choice(OPERATIONS)
        made = getattr(self, f"_{name}")()
        if made is None:
            return
        model, real = made
        self.told.append(name)
        try:
            model()
            expected = True
        except RefusedError:
            expected = False
        try:
            real()
            allowed = True
        except CommandRefused as refused:
            allowed = False
            self.told[-1] += f" ({'; '.join(map(str, refused.refusals))})"
        assert allowed is expected, f"the library says {allowed}, the model {expected}: {self.told}"
        differences = [*self.differences()]
        assert not differences, f"{differences} after {self.told}"

    # -- operations

    def _send(self) -> Any:
        at, units = self._units(lambda line: line.open)
        return (lambda: self.oracle.send(at, units)), (lambda: self.shop.send("O", units, at + 1))

    def _take_back(self) -> Any:
        at, units = self._units(lambda line: line.delivered)
        if not self.oracle.lines[at].delivered:
            return None

        def real() -> None:
            self.back.append((self.shop.take_back("O", units, at + 1, usable=False), at, units))

        return (lambda: self.oracle.take_back(at, units)), real

    def _reject(self) -> Any:
        if not self.back:
            return None
        row, at, here = self.back.pop(self.draw.randrange(len(self.back)))
        units = self.draw.randint(1, here)
        self.back.extend([(row, at, here - units)] if units < here else [])
        return (lambda: self.oracle.reject(at, units)), (lambda: self.shop.reject(row, "O", units, at + 1))

    def _cancel(self) -> Any:
        at, units = self._units(lambda line: line.open)
        if sum(line.live for line in self.oracle.lines) == units:
            return None
        command = CancelUnits("no", CancelledBy.CUSTOMER, (LineQuantity(at + 1, units),))
        return (lambda: self.oracle.cancel(at, units)), (lambda: self.shop.handle("O", command))

    def _amend(self) -> Any:
        if len(self.oracle.lines) == MOST_LINES:
            return None
        at, units = self._units(lambda line: line.open)
        if self.draw.random() < 0.5:
            price, changes, model = self.prices[at], Changes(more=(LineQuantity(at + 1, units),)), self.oracle.add
        else:
            per, minor = self.draw.choice(HOSTILE)
            price, model = Fraction(minor, per), self.oracle.reprice
            changes = Changes(prices=(NewPrice(at + 1, self.shop.price(minor, per), units),))

        def real() -> None:
            shown = self._amended(changes)
            self.prices.append(price)
            order = self.shop.orders.get("O")
            assert isinstance(order, HasProgress)
            cost = charged_minor(order) + outstanding_gross(order)
            assert (shown.after_minor, shown.to_pay_minor) == (cost, to_pay_minor(order)), self.told

        return (lambda: model(at, units, price)), real

    def _amended(self, changes: Changes) -> Difference:
        """What was shown before the order was amended."""
        revision = self.shop.progress("O").revision
        self.shop.handle("O", ProposeAmendment(revision, changes, CancelledBy.CUSTOMER))
        shown = self.shop.orders.amendment("O")
        assert shown is not None
        self.shop.handle("O", ConfirmAmendment(revision + 1))
        return shown

    def _bill(self) -> Any:
        at, units = self._units(self.oracle.billable)
        return self._billed({at: units})

    def _bill_all(self) -> Any:
        wanted = {at: units for at, line in enumerate(self.oracle.lines) if (units := self.oracle.billable(line))}
        return self._billed(wanted) if wanted else None

    def _billed(self, wanted: dict[int, int]) -> Any:
        invoice = f"O/{1 + len(self.oracle.invoices):03}"
        units = tuple(LineQuantity(at + 1, count) for at, count in wanted.items())
        command = BillUnits(invoice, "inv", units=units)
        return (lambda: self.oracle.bill(invoice, wanted)), (lambda: self.shop.handle("O", command))

    def _void(self) -> Any:
        invoice = self._invoice()
        if not invoice:
            return None
        return (lambda: self.oracle.void(invoice)), (lambda: self.shop.handle(invoice, VoidInvoice("wrong")))

    def _credit(self) -> Any:
        invoice, intent = self._invoice(), self.draw.choice(tuple(CreditIntent))
        if not invoice:
            return None
        at, item = self.draw.choice([*self.oracle.invoices[invoice].items.items()])
        units = self.draw.randint(1, max(1, item.left[0]))
        return (
            lambda: self.oracle.credit(invoice, at, units, intent.value),
            lambda: self.shop.credit(invoice, units, line=at + 1, intent=intent),
        )

    def _reduce(self) -> Any:
        invoice = self._invoice()
        if not invoice:
            return None
        at, item = self.draw.choice([*self.oracle.invoices[invoice].items.items()])
        minor = self.draw.randint(1, max(1, item.left[1]))
        return (
            lambda: self.oracle.reduce(invoice, at, minor),
            lambda: self.shop.credit(invoice, amount=minor, line=at + 1),
        )

    def _pay(self) -> Any:
        reference, customer = f"{len(self.oracle.payments)}", self.draw.choice(("ann", "bob"))
        row, minor = payment_id("bank", reference), self.draw.choice((1, 7, 100, 500, 2000))
        command = RecordPayment(PaymentSource("bank", reference, customer), self.shop.money(minor))
        return (lambda: self.oracle.pay(row, customer, minor)), (lambda: self.shop.handle(row, command))

    def _apply(self) -> Any:
        return self._applied(ApplyPayment, self.oracle.apply, lambda paid, document: paid.free)

    def _unapply(self) -> Any:
        return self._applied(UnapplyPayment, self.oracle.unapply, lambda paid, document: paid.pays.get(document, 0))

    def _applied(self, kind: Any, model: Any, have: Callable[[Any, str], int]) -> Any:
        payment, document = self._payment(), self.draw.choice((self._invoice() or "", ""))
        if not payment:
            return None
        minor = self.draw.randint(1, max(1, have(self.oracle.payments[payment], document)))
        target = ApplicationTarget.INVOICE if document else ApplicationTarget.ORDER
        command = kind(target, document or "O", self.shop.money(minor))
        return (lambda: model(payment, document, minor)), (lambda: self.shop.handle(payment, command))

    def _goes_back(self) -> Any:
        payment, kind = self._payment(), self.draw.choice((RefundPayment, ChargeBackPayment))
        if not payment:
            return None
        minor = self.draw.randint(1, 2 + self.oracle.payments[payment].kept)
        command = kind(self.shop.money(minor))
        refund = kind is RefundPayment
        return (
            lambda: self.oracle.goes_back(payment, minor, refund=refund),
            lambda: self.shop.handle(payment, command),
        )

    def _reserve(self) -> Any:
        reference, minor = f"{len(self.oracle.payments)}", self.draw.choice((7, 500, 2000))
        row, amount = payment_id("card", reference), self.shop.money(minor)
        expect = ExpectPayment(PaymentSource("card", reference, "ann", authorises=True, order="O"), amount)

        def real() -> None:
            self.shop.handle(row, expect)
            self.shop.handle(row, AuthorisePayment(amount))

        return (lambda: self.oracle.reserve(row, minor)), real

    def _capture(self) -> Any:
        payment = self._card()
        if not payment:
            return None
        minor = self.draw.randint(1, 1 + self.oracle.payments[payment].reserved)
        command = CapturePayment(self.shop.money(minor))
        return (lambda: self.oracle.capture(payment, minor)), (lambda: self.shop.handle(payment, command))

    def _end(self) -> Any:
        payment = self._card()
        if not payment or not self.oracle.payments[payment].came:
            return None
        end = EndAuthorisation()
        return (lambda: self.oracle.end_reservation(payment)), (lambda: self.shop.handle(payment, end))

    def _ask_refund(self) -> Any:
        payment, of_order = self._payment(), self.draw.random() < 0.5
        if not payment:
            return None
        paid = self.oracle.payments[payment]
        minor = self.draw.randint(1, 1 + max(0, paid.pays.get("", 0) if of_order else paid.free))
        command = RequestOperation(Operation.REFUND, self.shop.money(minor), "O" if of_order else "")
        return (
            lambda: self.oracle.ask_refund(payment, minor, of_order=of_order),
            lambda: self.shop.handle(payment, command),
        )

    def _answer(self) -> Any:
        payment, succeeded = self._payment(), self.draw.random() < 0.5
        if not payment:
            return None
        return (
            lambda: self.oracle.answer_refund(payment, succeeded=succeeded),
            lambda: self.shop.handle(payment, ResolvePending(Operation.REFUND, succeeded)),
        )

    def _write_off(self) -> Any:
        invoice = self._invoice()
        if not invoice:
            return None
        minor = self.draw.randint(1, max(1, self.oracle.invoices[invoice].open))
        return (
            lambda: self.oracle.write_off(invoice, minor),
            lambda: self.shop.handle(invoice, WriteOff(minor, "fee")),
        )

    def _take_back_write_off(self) -> Any:
        invoice = self._invoice()
        if not invoice:
            return None
        minor = self.draw.randint(1, max(1, self.oracle.invoices[invoice].written_off))
        return (
            lambda: self.oracle.take_back_write_off(invoice, minor),
            lambda: self.shop.handle(invoice, TakeBackWriteOff(minor, "it comes")),
        )

    def _units(self, have: Callable[[Line], int]) -> tuple[int, int]:
        at = self.draw.randrange(len(self.oracle.lines))
        return at, self.draw.randint(1, max(1, have(self.oracle.lines[at])))

    def _invoice(self) -> str:
        return self.draw.choice([*self.oracle.invoices] or [""])

    def _card(self) -> str:
        return self.draw.choice([name for name in self.oracle.payments if name.startswith("card")] or [""])

    def _payment(self) -> str:
        return self.draw.choice([*self.oracle.payments] or [""])

    # -- what both say

    def differences(self) -> Iterator[str]:
        """Every figure on which the two differ, and every law that the model itself breaks."""
        yield from (f"the model breaks {law}" for law in self.oracle.breaches())
        order = self.shop.orders.get("O")
        assert isinstance(order, HasProgress)
        yield from _unequal("pool", order.progress.pool_minor, self.oracle.pool)
        yield from _unequal("uncharged", uncharged_gross(order), self.oracle.uncharged_gross())
        yield from _unequal("taxes", _by_rate(order), self.oracle.by_rate())
        yield from _unequal("rounded", order.progress.rounded_minor, self.oracle.rounded)
        for line, (made, v) in zip(self.oracle.lines, lines_of(order), strict=True):
            counted = (v.invoiced, v.credited, v.ahead, v.waived_of(owed(order, made, v)))
            yield from _unequal("counters", counted, (line.invoiced, line.credited, line.ahead, line.waived))
            yield from _unequal("money", (v.unit_minor, v.reduced_minor), (line.unit, line.reduced))
            yield from _unequal("billable", billable(order, made, v), self.oracle.billable(line))
            yield from _unequal("credit due", credit_due(order, made, v), max(0, -line.uncharged))
        for name, invoice in self.oracle.invoices.items():
            state = self.shop.invoices.get(name)
            if isinstance(state, Numbered):
                a = state.amounts
                yield from _unequal(f"{name} sums", _sums(state), self.oracle.sums(name))
                found = (state.totals.gross_minor, state.open_minor, a.prepaid, a.credited, a.written_off, a.applied)
                paid = sum(invoice.paid.values())
                wanted = (invoice.gross, invoice.open, invoice.prepaid, invoice.credited, invoice.written_off, paid)
                yield from _unequal(name, found, wanted)
        for name, payment in self.oracle.payments.items():
            row = self.shop.payments.get(name)
            kept, free = (row.funds.kept, row.free) if isinstance(row, Funded) else (0, 0)
            reserved = capturable(row) if isinstance(row, Authorised | Funded) and name.startswith("card") else 0
            yield from _unequal(name, (kept, free, reserved), (payment.kept, payment.free, payment.reserved))
        for customer in ("ann", "bob"):
            yield from _unequal(customer, self.shop.owes(customer), self.oracle.balance(customer))
        exposed = self.oracle.balance("ann") + self.oracle.uncharged()
        yield from _unequal("exposure", self.shop.exposure(), exposed)
        if self.oracle.waits:
            missing = missing_minor(order, self.shop.time.now()) <= 0
            open_ = missing and all(bill.open_minor <= 0 for bill in order.progress.bills)
            yield from _unequal("gate", open_, self.oracle.gate())


def _taxes(category: TaxCategory, policy: TaxPolicy) -> tuple[Tax, ...]:
    rates = [(code, Fraction(rate) / 100) for code, rate in [(category.code, category.rate), *category.also]]
    price = tuple(sorted(rates)) if includes_tax(category, policy) else ()
    return tuple([Tax(code, rate, price) for code, rate in rates])


def _by_rate(order: HasProgress) -> dict[str, int]:
    found: Counter[str] = Counter()
    for category, minor in order.progress.taxed:
        found[category.code] += minor
    return {code: minor for code, minor in found.items() if minor}


def _sums(state: Numbered) -> tuple[int, int, dict[str, tuple[int, int]]]:
    sums = state.totals
    return sums.net_minor, sums.tax_minor, {g.category.code: (g.taxable_minor, g.tax_minor) for g in sums.by_rate}


def _unequal(what: str, found: object, wanted: object) -> Iterator[str]:
    if found != wanted:
        yield f"{what}: {found}, the model says {wanted}"


#: What is drawn, some more often than others.
OPERATIONS = (
    *(
        "send",
        "send",
        "take_back",
        "take_back",
        "reject",
        "cancel",
        "amend",
        "amend",
        "bill",
        "bill",
        "bill_all",
        "void",
        "credit",
        "credit",
        "reduce",
    ),
    *("reserve", "capture", "capture", "end", "ask_refund", "answer"),
    *("pay", "pay", "apply", "apply", "apply", "unapply", "goes_back", "write_off", "take_back_write_off"),
)


def walk(storage: Storage, seed: int, steps: int) -> int:
    """So many operations on one order; returns how many were carried out or refused by both."""
    pair = Pair(storage, seed)
    for _ in range(steps):
        pair.step()
    return len(pair.told)
