"""The law of money once more, as an executable model: one order, its invoices, and the payments of two customers.

It imports nothing of the library and counts in fractions, so that the two can only agree by both being right.
Amounts are minor units; a line has one tax or several, inside its price or beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from money_rows import Invoice, Item, Line, Payment, Tax, Taxes, half_up, need, on_top


@dataclass
class Order:
    """The whole: an order of ann's, its invoices by id, and payments of anybody."""

    lines: list[Line]
    level: str
    waits: bool
    ordered_basis: bool
    coin: int = 0
    pool: int = 0
    taxed: Taxes = field(default_factory=dict)
    rounded: int = 0
    invoices: dict[str, Invoice] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)

    # -- goods

    def send(self, at: int, units: int) -> None:
        """Units leave and arrive."""
        line = self.lines[at]
        need(0 < units <= line.open and not (self.waits and not self.gate()))
        line.open -= units
        line.delivered += units

    def take_back(self, at: int, units: int) -> None:
        """Units come back."""
        line = self.lines[at]
        need(0 < units <= line.delivered)
        line.come_back(units)

    def reject(self, at: int, units: int) -> None:
        """Units that came back are the customer's again."""
        line = self.lines[at]
        need(0 < units <= line.returned)
        line.go_again(units)

    def cancel(self, at: int, units: int) -> None:
        """Units are cancelled; not the last ones, which would end the order."""
        line = self.lines[at]
        need(0 < units <= line.open)
        line.open -= units
        line.cancelled += units
        line.leave(units)

    def add(self, at: int, units: int, price: Fraction) -> None:
        """Units more of a line, as a line of their own."""
        need(self.amendable)
        self._new_line(at, units, price)

    def reprice(self, at: int, units: int, price: Fraction) -> None:
        """Units that are here and not charged get a new price, on a line of their own."""
        line = self.lines[at]
        need(self.amendable and 0 < units <= min(line.open, line.uncharged))
        line.open -= units
        line.moved += units
        self._new_line(at, units, price)

    @property
    def amendable(self) -> bool:
        """Whether something has not left."""
        return any(line.open for line in self.lines)

    def _new_line(self, at: int, units: int, price: Fraction) -> None:
        self.lines.append(Line(units, half_up(price * units), self.lines[at].taxes, open=units))

    # -- bills

    def basis(self, line: Line) -> int:
        """Units that may be charged by now."""
        return line.owed if self.ordered_basis else line.delivered

    def billable(self, line: Line) -> int:
        """Units that may be billed now."""
        return max(0, self.basis(line) - line.charged - line.waived - line.ahead)

    def bill(self, invoice: str, wanted: dict[int, int]) -> None:
        """Some units of lines go on an invoice."""
        need(all(0 < units <= self.billable(self.lines[at]) for at, units in wanted.items()))
        part = []
        for at, units in wanted.items():
            line = self.lines[at]
            part.append((at, units, max(0, line.price(line.charged + units) - line.unit)))
        taxes = self.part_taxes(part)
        gross = sum(minor for _, _, minor in part) + on_top(taxes)
        rounding = self.part_rounding(gross)
        for at, units, minor in part:
            self.lines[at].invoiced += units
            self.lines[at].unit += minor
        self._count(taxes, rounding, 1)
        prepaid = min(self.pool, gross + rounding)
        self.pool -= prepaid
        items = {at: Item(units, minor) for at, units, minor in part}
        self.invoices[invoice] = Invoice(items, taxes, gross + rounding, rounding, prepaid)

    def _count(self, taxes: Taxes, rounding: int, sign: int) -> None:
        for tax, minor in taxes.items():
            self.taxed[tax] = self.taxed.get(tax, 0) + sign * minor
        self.rounded += sign * rounding

    def void(self, invoice: str) -> None:
        """An invoice nobody has touched is taken back."""
        taken = self.invoices[invoice]
        need(not (taken.void or taken.paid or taken.written_off or taken.credited or self._touched(taken)))
        taken.void = True
        self._count(taken.taxes, taken.rounding, -1)
        for at, item in taken.items.items():
            self.lines[at].invoiced -= item.units
            self.lines[at].unit -= item.minor
        self.distribute()

    @staticmethod
    def _touched(invoice: Invoice) -> bool:
        return any(item.credited or item.reduced for item in invoice.items.values())

    def part_taxes(self, part: list[tuple[int, int, int]]) -> Taxes:
        """The taxes of a part bill: alone, or as running sums where money was agreed on beforehand."""
        alone = self.taxes(part)
        if not self.cumulates():
            return alone
        more = {at: (units, minor) for at, units, minor in part}
        after = []
        for at, line in enumerate(self.lines):
            units, minor = more.get(at, (0, 0))
            if line.charged + units:
                after.append((at, line.charged + units, line.unit - line.reduced + minor))
        whole, found = self.taxes(after), {}
        for tax in alone:
            minor = whole.get(tax, 0) - self.taxed.get(tax, 0)
            positive = sum(minor for at, _, minor in part if tax in self.lines[at].taxes) >= 0
            found[tax] = max(0, minor) if positive else min(0, minor)
        return found

    def part_rounding(self, gross: int) -> int:
        """What makes a part bill payable in cash: alone, or as a running sum."""
        if not self.cumulates():
            return self.payable(gross) - gross
        charged = sum(line.unit - line.reduced for line in self.lines) + on_top(self.taxed)
        rounding = self.payable(charged + gross) - charged - gross - self.rounded
        return max(-gross, rounding) if gross >= 0 else rounding

    def payable(self, gross: int) -> int:
        """The nearest multiple of the smallest coin."""
        return self.coin * half_up(Fraction(gross, self.coin)) if self.coin else gross

    def cumulates(self) -> bool:
        """Whether the order waits for money or has some of its own."""
        return self.waits or self.pool > 0 or any(invoice.prepaid for invoice in self.invoices.values())

    def taxes(self, lines: list[tuple[int, int, int]]) -> Taxes:
        """The taxes on (or within) amounts of so many units of lines, each rounded where the level says."""
        groups: dict[Tax, list[tuple[int, int]]] = {}
        for at, units, minor in lines:
            for tax in self.lines[at].taxes:
                groups.setdefault(tax, []).append((minor, units))
        return {tax: self._tax(tax, amounts) for tax, amounts in groups.items()}

    def _tax(self, tax: Tax, amounts: list[tuple[int, int]]) -> int:
        if self.level == "document":
            return tax.on(sum(minor for minor, _ in amounts))
        if self.level == "line":
            return sum(tax.on(minor) for minor, _ in amounts)
        return sum(tax.of_units(minor, units) for minor, units in amounts)

    # -- credits

    def credit(self, invoice: str, at: int, units: int, intent: str) -> None:
        """Units of an invoice line give back their share of what it still charges."""
        taken, line = self.invoices[invoice], self.lines[at]
        need(not taken.void and at in taken.items)
        item = taken.items[at]
        left, minor = item.left
        need(0 < units <= left)
        before = self.charges_left(taken)
        rest = half_up(Fraction(minor * (left - units), left))
        share = item.reduced - half_up(Fraction(item.reduced * (left - units), left))
        due = max(0, -line.uncharged)
        item.credited += units
        item.given += minor - rest + share
        item.reduced -= share
        line.credited += units
        line.unit -= minor - rest + share
        line.reduced -= share
        beyond = units - min(units, due)
        line.forgiven += beyond if intent == "kept" else 0
        line.ahead += beyond if intent == "ahead" else 0
        self._give_back(taken, before)

    def reduce(self, invoice: str, at: int, minor: int) -> None:
        """A price reduction, without units."""
        taken, line = self.invoices[invoice], self.lines[at]
        need(not taken.void and at in taken.items and taken.items[at].left[0])
        need(0 < minor <= taken.items[at].left[1])
        before = self.charges_left(taken)
        taken.items[at].reduced += minor
        line.reduced += minor
        self._give_back(taken, before)

    def charges_left(self, invoice: Invoice) -> tuple[Taxes, int, int]:
        """Taxes, gross and rounding that an invoice still charges: what was cumulated stays with it to the end."""
        own = self.taxes([(at, item.units, item.minor) for at, item in invoice.items.items()])
        left = [(at, *item.left) for at, item in invoice.items.items() if item.left[0]]
        if not left:
            return {}, 0, 0
        taxes = {
            tax: min(invoice.taxes[tax], max(0, minor + invoice.taxes[tax] - own[tax]))
            for tax, minor in self.taxes(left).items()
        }
        exact = sum(minor for _, _, minor in left) + on_top(taxes)
        if not self.coin:
            return taxes, exact, 0
        moved = invoice.gross - self.payable(invoice.gross - invoice.rounding)
        gross = min(invoice.gross, max(0, self.payable(exact) + moved))
        return taxes, gross, gross - exact

    def _give_back(self, invoice: Invoice, before: tuple[Taxes, int, int]) -> None:
        after = self.charges_left(invoice)
        gross = before[1] - after[1]
        self._count(before[0], before[2], -1)
        self._count(after[0], after[2], 1)
        over = gross - invoice.open
        invoice.credited += gross
        if over > 0:
            up = min(over, invoice.written_off)
            invoice.written_off -= up
            over = max(0, over - up - invoice.prepaid)
            for payment in reversed(list(invoice.paid)):
                freed = min(over, invoice.paid[payment])
                self._pays_less(payment, self._id(invoice), freed)
                over -= freed
        self.distribute()

    def _id(self, invoice: Invoice) -> str:
        return next(name for name, other in self.invoices.items() if other is invoice)

    # -- money

    def distribute(self) -> None:
        """What an invoice does not need comes off it; the pool goes to those still due, by id."""
        for invoice in self.invoices.values():
            over = max(0, -invoice.open)
            invoice.prepaid -= over
            self.pool += over
        for _, invoice in sorted(self.invoices.items()):
            more = min(self.pool, max(0, invoice.open))
            invoice.prepaid += more
            self.pool -= more

    def pay(self, payment: str, customer: str, minor: int) -> None:
        """Money comes in."""
        self.payments[payment] = Payment(customer, minor)

    def apply(self, payment: str, document: str, minor: int) -> None:
        """Free money pays an invoice, or the order."""
        paid = self.payments[payment]
        need(0 < minor <= paid.free)
        if document:
            invoice = self.invoices[document]
            need(not invoice.void and minor <= invoice.open + invoice.written_off)
            invoice.written_off -= max(0, minor - invoice.open)
            invoice.paid[payment] = invoice.paid.get(payment, 0) + minor
        else:
            self.pool += minor
        paid.pays[document] = paid.pays.pop(document, 0) + minor
        self.distribute()

    def unapply(self, payment: str, document: str, minor: int) -> None:
        """Money is taken off again."""
        need(0 < minor <= self.payments[payment].pays.get(document, 0))
        self._pays_less(payment, document, minor)
        self.distribute()

    def _pays_less(self, payment: str, document: str, minor: int) -> None:
        paid = self.payments[payment]
        if not minor:
            return
        paid.pays[document] -= minor
        if not paid.pays[document]:
            del paid.pays[document]
        if not document:
            self._take(minor)
            return
        invoice = self.invoices[document]
        invoice.paid[payment] -= minor
        if not invoice.paid[payment]:
            del invoice.paid[payment]

    def _take(self, minor: int) -> None:
        """Money of the order goes: from the pool first, then from its newest invoice."""
        taken = min(minor, self.pool)
        self.pool -= taken
        minor -= taken
        for invoice in reversed(list(self.invoices.values())):
            taken = min(minor, invoice.prepaid)
            invoice.prepaid -= taken
            minor -= taken

    def reserve(self, payment: str, minor: int) -> None:
        """A card of ann's is authorised for the order."""
        self.payments[payment] = Payment("ann", 0, reserved=minor, came=False)

    def capture(self, payment: str, minor: int) -> None:
        """Money of a card is taken: the order's own at once, though more is taken than was reserved."""
        paid = self.payments[payment]
        paid.came = True
        paid.kept += minor
        paid.reserved = max(0, paid.reserved - minor)
        paid.pays[""] = paid.pays.pop("", 0) + minor
        self.pool += minor
        self.distribute()

    def end_reservation(self, payment: str) -> None:
        """What was not taken is reserved no longer."""
        self.payments[payment].reserved = 0

    def ask_refund(self, payment: str, minor: int, *, of_order: bool) -> None:
        """Money is set aside before the provider is asked to send it; of the order's, what it needs no more."""
        paid = self.payments[payment]
        need(paid.came and not paid.asked and 0 < minor <= (paid.pays.get("", 0) if of_order else paid.free))
        if of_order:
            missing = self.uncharged() + sum(invoice.open for invoice in self.invoices.values()) - self.pool
            need(missing + minor <= 0)
            self._pays_less(payment, "", minor)
        paid.asked, paid.of_order = minor, of_order
        self.distribute()

    def answer_refund(self, payment: str, *, succeeded: bool) -> None:
        """The provider has sent it, or will not: then the order has it again."""
        paid = self.payments[payment]
        need(paid.asked)
        asked, aside, paid.asked = paid.asked, paid.aside, 0
        if succeeded:
            self._goes(payment, min(asked, paid.kept))
        elif paid.of_order and aside:
            paid.pays[""] = paid.pays.pop("", 0) + aside
            self.pool += aside
            self.distribute()

    def goes_back(self, payment: str, minor: int, *, refund: bool) -> None:
        """A refund or a chargeback: a fact, whatever the money pays; what was never there changes nothing.

        A refund of just what was asked for is its answer.
        """
        paid = self.payments[payment]
        if refund and paid.asked and minor == paid.asked:
            self.answer_refund(payment, succeeded=True)
            return
        self._goes(payment, min(minor, paid.kept))

    def _goes(self, payment: str, minor: int) -> None:
        """What is free first, then what it pays, the newest first, and last what is in a refund."""
        paid = self.payments[payment]
        missing = minor - paid.free
        for document in reversed(list(paid.pays)):
            if missing > 0:
                off = min(missing, paid.pays[document])
                self._pays_less(payment, document, off)
                missing -= off
        paid.kept -= minor
        self.distribute()

    def write_off(self, invoice: str, minor: int) -> None:
        """An open amount is given up."""
        given = self.invoices[invoice]
        need(not given.void and 0 < minor <= given.open)
        given.written_off += minor

    def take_back_write_off(self, invoice: str, minor: int) -> None:
        """An amount that was given up is due again."""
        given = self.invoices[invoice]
        need(not given.void and 0 < minor <= given.written_off)
        given.written_off -= minor
        self.distribute()

    # -- figures

    def by_rate(self) -> dict[str, int]:
        """The tax that is charged now, by code."""
        found: dict[str, int] = {}
        for tax, minor in self.taxed.items():
            found[tax.code] = found.get(tax.code, 0) + minor
        return {code: minor for code, minor in found.items() if minor}

    def sums(self, invoice: str) -> tuple[int, int, dict[str, tuple[int, int]]]:
        """Net and tax of an invoice, and what is taxed and the tax of each code."""
        billed, groups = self.invoices[invoice], dict[str, tuple[int, int]]()
        for own, minor in billed.taxes.items():
            amount = sum(item.minor for at, item in billed.items.items() if own in self.lines[at].taxes)
            inside = sum(other for tax, other in billed.taxes.items() if own.inside and tax.price == own.price)
            taxable, known = groups.get(own.code, (0, 0))
            groups[own.code] = taxable + amount - inside, known + minor
        tax = sum(billed.taxes.values())
        return billed.gross - billed.rounding - tax, tax, groups

    def uncharged_gross(self) -> int:
        """The gross of all that is owed and not charged."""
        return self._gross([part for part in self._uncharged() if part[1] > 0])

    def uncharged(self) -> int:
        """The same less what is to be credited."""
        return self._gross([*self._uncharged()])

    def _uncharged(self) -> Iterator[tuple[int, int, int]]:
        for at, line in enumerate(self.lines):
            units = max(line.uncharged, -line.charged)
            given = 0
            if units < 0:
                given = line.reduced - half_up(Fraction(line.reduced * (line.charged + units), line.charged))
            if units:
                yield at, units, line.price(line.charged + units) - line.unit + given

    def _gross(self, part: list[tuple[int, int, int]]) -> int:
        if not part:
            return 0
        gross = sum(minor for _, _, minor in part) + on_top(self.part_taxes(part))
        return gross + self.part_rounding(gross)

    def gate(self) -> bool:
        """Whether an order that waits for money may go on."""
        reserved = sum(paid.reserved for paid in self.payments.values())
        return self.pool + reserved >= self.uncharged_gross() and all(
            invoice.open <= 0 for invoice in self.invoices.values()
        )

    def balance(self, customer: str) -> int:
        """What a customer owes, by the documents."""
        owed = sum(invoice.open for invoice in self.invoices.values()) - self.pool if customer == "ann" else 0
        return owed - sum(paid.free + paid.aside for paid in self.payments.values() if paid.customer == customer)

    # -- laws of the model itself

    def breaches(self) -> Iterator[str]:
        """What is wrong with the model's own state, by law."""
        invoices = self.invoices.values()
        kept = sum(paid.pays.get("", 0) for paid in self.payments.values())
        if kept != self.pool + sum(invoice.prepaid for invoice in invoices):
            yield "B6"
        if self.pool < 0 or (self.pool and any(invoice.open > 0 for invoice in invoices)):
            yield "B7"
        if any(invoice.open < 0 or invoice.prepaid < 0 for invoice in invoices):
            yield "overpaid"
        for invoice in invoices:
            if not any(item.left[0] for item in invoice.items.values()) and invoice.credited != invoice.gross:
                yield "credits do not end on the invoice"
        for at in range(len(self.lines)):
            yield from self._line_breaches(at)

    def _line_breaches(self, at: int) -> Iterator[str]:
        line = self.lines[at]
        left = [v.items[at].left for v in self.invoices.values() if not v.void and at in v.items]
        if line.charged != sum(units for units, _ in left) or line.unit - line.reduced != sum(
            minor for _, minor in left
        ):
            yield "B3"
        if not line.charged and (line.unit or line.reduced):
            yield "B4"
        if self.billable(line) and line.uncharged < 0:
            yield "billable and to credit"
        if min(line.waived, line.ahead, line.unit, line.forgiven_back) < 0 or line.forgiven_back > line.returned:
            yield "counters"
