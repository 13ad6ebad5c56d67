"""The law of money once more, as an executable model: one order, its invoices, and the payments of two customers.

It imports nothing of the library and counts in fractions, so that the two can only agree by both being right.
Amounts are minor units; tax is one rate on all lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor


class RefusedError(Exception):
    """The law does not allow it; nothing has changed."""


def need(condition: object) -> None:
    """Refuse unless the condition holds."""
    if not condition:
        raise RefusedError


def half_up(value: Fraction) -> int:
    """To the nearest, a half away from zero."""
    return floor(value + Fraction(1, 2)) if value >= 0 else -floor(-value + Fraction(1, 2))


@dataclass
class Line:
    """A line of goods: where its units are, and what was charged of it."""

    ordered: int
    net: int
    open: int = 0
    delivered: int = 0
    returned: int = 0
    lost: int = 0
    cancelled: int = 0
    invoiced: int = 0
    credited: int = 0
    waived: int = 0
    ahead: int = 0
    unit: int = 0
    reduced: int = 0

    @property
    def owed(self) -> int:
        """Units the customer has or is still to get."""
        return self.ordered - self.cancelled - self.returned - self.lost

    @property
    def charged(self) -> int:
        """Units billed and not credited."""
        return self.invoiced - self.credited

    @property
    def uncharged(self) -> int:
        """Units still to be billed; below 0, to be credited."""
        return self.owed - self.charged - self.waived - self.ahead

    def price(self, units: int) -> int:
        """What so many charged units cost."""
        return half_up(Fraction(self.net * units, self.ordered))

    def leave(self, units: int, *, returned: bool = False) -> None:
        """Units are owed no longer: they settle what was credited ahead, returned ones then what was waived."""
        ahead = min(units, self.ahead)
        self.ahead -= ahead
        if returned:
            self.waived -= min(units - ahead, self.waived)
        self.waived = min(self.waived, self.owed)


@dataclass
class Item:
    """Units of a line on an invoice, and what was credited of them."""

    units: int
    minor: int
    credited: int = 0
    given: int = 0
    reduced: int = 0

    @property
    def left(self) -> tuple[int, int]:
        """Units and minor units it still charges."""
        return self.units - self.credited, self.minor - self.given - self.reduced


@dataclass
class Invoice:
    """An invoice of the order: its items by line, and what was taken off its total."""

    items: dict[int, Item]
    tax: int
    gross: int
    rounding: int = 0
    prepaid: int = 0
    credited: int = 0
    written_off: int = 0
    paid: dict[str, int] = field(default_factory=dict)
    void: bool = False

    @property
    def due(self) -> int:
        """What is due before the order's own money."""
        return 0 if self.void else self.gross - self.credited - self.written_off - sum(self.paid.values())

    @property
    def open(self) -> int:
        """What is still to be paid."""
        return self.due - self.prepaid


@dataclass
class Payment:
    """Money of a customer: what is kept of it, and what it pays, oldest first; the order is ``""``.

    ``reserved`` is still to be taken, for the order; ``aside`` is in a refund of which nobody knows yet.
    """

    customer: str
    kept: int
    pays: dict[str, int] = field(default_factory=dict)
    reserved: int = 0
    aside: int = 0
    came: bool = True

    @property
    def free(self) -> int:
        """What pays nothing yet."""
        return self.kept - sum(self.pays.values()) - self.aside


@dataclass
class Order:
    """The whole: an order of ann's, its invoices by id, and payments of anybody."""

    lines: list[Line]
    rate: Fraction
    level: str
    included: bool
    waits: bool
    ordered_basis: bool
    coin: int = 0
    pool: int = 0
    taxed: int = 0
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
        line.delivered -= units
        line.returned += units
        line.leave(units, returned=True)

    def cancel(self, at: int, units: int) -> None:
        """Units are cancelled; not the last ones, which would end the order."""
        line = self.lines[at]
        need(0 < units <= line.open)
        line.open -= units
        line.cancelled += units
        line.leave(units)

    # -- bills

    def basis(self, line: Line) -> int:
        """Units that may be charged by now."""
        return line.owed if self.ordered_basis else line.delivered

    def billable(self, line: Line) -> int:
        """Units that may be billed now."""
        return max(0, self.basis(line) - line.charged - line.waived - line.ahead)

    def bill(self, invoice: str, at: int, units: int) -> None:
        """Some units of a line go on an invoice."""
        line = self.lines[at]
        need(0 < units <= self.billable(line))
        minor = max(0, line.price(line.charged + units) - line.unit)
        tax = self.part_tax([(at, units, minor)])
        gross = minor if self.included else minor + tax
        rounding = self.rounding(gross)
        gross += rounding
        self.rounded += rounding
        line.invoiced += units
        line.unit += minor
        self.taxed += tax
        prepaid = min(self.pool, gross)
        self.pool -= prepaid
        self.invoices[invoice] = Invoice({at: Item(units, minor)}, tax, gross, rounding, prepaid)

    def void(self, invoice: str) -> None:
        """An invoice nobody has touched is taken back."""
        taken = self.invoices[invoice]
        need(not (taken.void or taken.paid or taken.written_off or taken.credited or self._touched(taken)))
        taken.void = True
        self.taxed -= taken.tax
        self.rounded -= taken.rounding
        for at, item in taken.items.items():
            self.lines[at].invoiced -= item.units
            self.lines[at].unit -= item.minor
        self.distribute()

    @staticmethod
    def _touched(invoice: Invoice) -> bool:
        return any(item.credited or item.reduced for item in invoice.items.values())

    def part_tax(self, part: list[tuple[int, int, int]]) -> int:
        """The tax of a part bill: alone, or as a running sum where money was agreed on beforehand."""
        if not self.cumulates():
            return self.tax([(minor, units) for _, units, minor in part])
        more = {at: (units, minor) for at, units, minor in part}
        after = []
        for at, line in enumerate(self.lines):
            units, minor = more.get(at, (0, 0))
            if line.charged + units:
                after.append((line.unit - line.reduced + minor, line.charged + units))
        tax = self.tax(after) - self.taxed
        return max(0, tax) if sum(minor for _, _, minor in part) >= 0 else min(0, tax)

    def cumulates(self) -> bool:
        """Whether the order waits for money or has some of its own."""
        return self.waits or self.pool > 0 or any(invoice.prepaid for invoice in self.invoices.values())

    def tax(self, lines: list[tuple[int, int]]) -> int:
        """The tax on (or within) amounts of so many units, rounded where the level says."""
        if self.level == "document":
            return self.tax_on(sum(minor for minor, _ in lines))
        if self.level == "line":
            return sum(self.tax_on(minor) for minor, _ in lines)
        return sum(self.tax_of_units(minor, units) for minor, units in lines)

    def tax_of_units(self, minor: int, units: int) -> int:
        """Each unit on its own; units of one line differ by one minor unit at most."""
        if not units:
            return 0
        sign = -1 if minor < 0 else 1
        least, more = divmod(abs(minor), abs(units))
        return sign * (self.tax_on(least) * (abs(units) - more) + self.tax_on(least + 1) * more)

    def tax_on(self, minor: int) -> int:
        """The tax on, or within, one amount."""
        return half_up(Fraction(minor) * self.rate / (1 + self.rate if self.included else 1))

    # -- cash

    def payable(self, gross: int) -> int:
        """The nearest sum that coins can pay."""
        return self.coin * half_up(Fraction(gross, self.coin)) if self.coin else gross

    def rounding(self, gross: int) -> int:
        """What a bill is rounded by; a running sum where tax is one."""
        if not self.coin or not self.cumulates():
            return self.payable(gross) - gross
        before = sum(line.unit - line.reduced for line in self.lines) + (0 if self.included else self.taxed)
        rounding = self.payable(before + gross) - before - gross - self.rounded
        return max(-gross, rounding) if gross >= 0 else rounding

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
        line.waived += beyond if intent == "kept" else 0
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

    def charges_left(self, invoice: Invoice) -> tuple[int, int, int]:
        """Tax that an invoice still charges, its gross, and what of that is rounding."""
        own = self.tax([(item.minor, item.units) for item in invoice.items.values()])
        left = [(item.left[1], item.left[0]) for item in invoice.items.values() if item.left[0]]
        if not left:
            return 0, 0, 0
        tax = min(invoice.tax, max(0, self.tax(left) + invoice.tax - own))
        gross = sum(minor for minor, _ in left) + (0 if self.included else tax)
        if not self.coin:
            return tax, gross, 0
        whole = invoice.gross - invoice.rounding
        moved = invoice.gross - self.payable(whole)
        payable = min(invoice.gross, max(0, self.payable(gross) + moved))
        return tax, payable, payable - gross

    def _give_back(self, invoice: Invoice, before: tuple[int, int, int]) -> None:
        tax, gross, rounding = (old - new for old, new in zip(before, self.charges_left(invoice), strict=True))
        over = gross - invoice.open
        invoice.credited += gross
        self.taxed -= tax
        self.rounded -= rounding
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
        """Money is set aside before the provider is asked to send it."""
        paid = self.payments[payment]
        need(paid.came and not paid.aside and 0 < minor <= (paid.pays.get("", 0) if of_order else paid.free))
        if of_order:
            self._pays_less(payment, "", minor)
        paid.aside = minor
        self.distribute()

    def answer_refund(self, payment: str, *, succeeded: bool) -> None:
        """The provider has sent it, or will not."""
        paid = self.payments[payment]
        need(paid.aside)
        paid.kept -= paid.aside if succeeded else 0
        paid.aside = 0

    def goes_back(self, payment: str, minor: int, *, refund: bool) -> None:
        """A refund or a chargeback: a fact, whatever the money pays; what was never there changes nothing.

        A refund of just what was asked for is its answer.
        """
        paid = self.payments[payment]
        if refund and paid.aside and minor == paid.aside:
            self.answer_refund(payment, succeeded=True)
            return
        minor = min(minor, paid.kept - paid.aside)
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

    def uncharged_gross(self) -> int:
        """The gross of all that is owed and not charged, signed."""
        part = [
            (at, line.uncharged, line.price(line.charged + line.uncharged) - line.unit)
            for at, line in enumerate(self.lines)
            if line.uncharged
        ]
        if not part:
            return 0
        net = sum(minor for _, _, minor in part)
        gross = net if self.included else net + self.part_tax(part)
        return gross + self.rounding(gross)

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
        if min(line.waived, line.ahead, line.unit) < 0 or line.waived > max(0, line.owed):
            yield "counters"
