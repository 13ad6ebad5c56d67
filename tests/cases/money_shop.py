"""A shop for cases about money: amounts are minor units of any currency, goods move by one call, laws are asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from orderflow import (
    FixedClock,
    OrderContent,
    OrderFlow,
    OrderLine,
    PaymentTerms,
    Policy,
    Price,
    ReceiveGoods,
    TaxCategory,
    TaxPolicy,
)
from orderflow.adapters.ids import SequenceIds
from orderflow.domain.billing.credit_note import AccountLine, CreditItem, CreditNoteContent, DraftCreditNote, IssuedNote
from orderflow.domain.billing.invoice_state import Numbered
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.money.currencies import exponent
from orderflow.domain.money.money import Money
from orderflow.domain.orders.billing import BillUnits
from orderflow.domain.orders.charging import billable_lines, credit_due_minor, credits_due, to_refund_minor
from orderflow.domain.orders.lines import LineVector
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.orders.state import HasProgress, Progress
from orderflow.domain.parties.party import Person
from orderflow.domain.payments.applying import ApplyPayment
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.payments.refunding import ChargeBackPayment
from orderflow.domain.payments.state import ApplicationTarget, Funded, PaymentSource, payment_id
from orderflow.domain.returns.inspecting import InspectedUnits, InspectReturn
from orderflow.domain.returns.receiving import ReceiveReturn, ReturnedUnits
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.shipping.planning import PackShipment, PlanShipment
from orderflow.domain.shipping.state import Item, Plan
from orderflow.domain.values import CreditIntent, InspectionOutcome, LineQuantity, PartyRef
from orderflow.errors import CommandRefused
from orderflow.flows.advance import ShopSettings
from orderflow.flows.prepare import ShippingSettings
from orderflow.ports.carrier import Carrier
from orderflow.ports.payments import PaymentProvider
from orderflow.ports.storage import Storage
from orderflow.testing.lawful import lawful

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
BY_HAND = ShopSettings(shipping=ShippingSettings(needs_label=False))

every_currency = pytest.mark.parametrize("currency", ["GBP", "JPY", "BHD"])


class MoneyShop(OrderFlow):
    """A shop with plenty of TEA; every commit is followed by the laws of money."""

    def __init__(
        self,
        storage: Storage,
        currency: str = "GBP",
        rate: int = 20,
        *,
        workflow: Workflow | None = None,
        providers: Iterable[PaymentProvider] = (),
        carriers: Iterable[Carrier] = (),
    ) -> None:
        kept = lawful(storage, workflow)
        self.time = FixedClock(NOON)
        super().__init__(
            kept,
            clock=self.time,
            ids=SequenceIds(),
            settings=BY_HAND,
            workflow=workflow,
            providers=providers,
            carriers=carriers,
        )
        self.currency, self.tax = currency, TaxCategory.of("S" if rate else "Z", rate)
        self.handle("TEA@main", ReceiveGoods(10_000))
        for name in ("ann", "bob"):
            self.record_party(name, Person(name.title()))

    # -- orders and goods

    def placed(self, order: str, *lines: tuple[int, int], customer: str = "ann", **policy: Any) -> MoneyShop:
        """An order of lines of so many units at so many minor units each, placed."""
        made = tuple(
            OrderLine.of(number, "TEA", units, self.price(minor), self.tax)
            for number, (units, minor) in enumerate(lines, start=1)
        )
        return self._placed(order, made, customer, **policy)

    def together(self, order: str, units: int, minor: int, **policy: Any) -> MoneyShop:
        """An order of one line of so many units for so many minor units together, confirmed."""
        line = OrderLine.of(1, "TEA", units, self.price(minor, units), self.tax)
        self._placed(order, (line,), "ann", **policy).handle(order, ConfirmOrder())
        return self

    def lines_together(self, order: str, lines: list[tuple[int, int]], **policy: Any) -> MoneyShop:
        """An order of lines of so many units for so many minor units together, confirmed."""
        tax = policy.get("tax", TaxPolicy())
        made = tuple(
            OrderLine.of(number, "TEA", units, self.price(minor, units), self.tax, policy=tax)
            for number, (units, minor) in enumerate(lines, start=1)
        )
        self._placed(order, made, "ann", **policy).handle(order, ConfirmOrder())
        return self

    def order_of(self, order: str, *lines: OrderLine, **policy: Any) -> MoneyShop:
        """An order of these lines, confirmed."""
        self._placed(order, lines, "ann", **policy).handle(order, ConfirmOrder())
        return self

    def _placed(self, order: str, made: tuple[OrderLine, ...], customer: str, **policy: Any) -> MoneyShop:
        tax, terms = policy.pop("tax", TaxPolicy()), policy.pop("terms", PaymentTerms())
        ref = PartyRef(customer or "ann", 1)
        content = OrderContent(
            self.currency, made, tax, customer=customer, bill_to=ref, ship_to=ref, policy=Policy(**policy), terms=terms
        )
        self.handle(order, PlaceOrder(content))
        return self

    def price(self, minor: int, per: int = 1) -> Price:
        """A price of so many minor units for ``per`` units."""
        return Price.of(Decimal(minor).scaleb(-exponent(self.currency)), self.currency, per)

    def confirmed(self, order: str, *lines: tuple[int, int], **options: Any) -> MoneyShop:
        """The same, confirmed."""
        self.placed(order, *lines, **options).handle(order, ConfirmOrder())
        return self

    def send(self, order: str, units: int, line: int = 1, *, delivered: bool = True) -> str:
        """So many units of a line go in a shipment of their own, and arrive; returns the shipment."""
        shipment = f"{order}/s{1 + len(self.progress(order).shipments)}"
        self.allocate(order)
        plan = PlanShipment((Item(order, line, "main", units),), Plan(needs_label=False))
        for command in (plan, PackShipment(100, 1), HandOver(), *([RecordDelivered("arrived")] if delivered else [])):
            self.handle(shipment, command)
        return shipment

    def take_back(self, order: str, units: int, line: int = 1, *, usable: bool = True) -> str:
        """So many units come back to the returns desk; returns the return."""
        returned = self._next("r", "return")
        self.handle(returned, ReceiveReturn("main", (ReturnedUnits(order, line, units),), usable=usable))
        return returned

    def reject(self, returned: str, order: str, units: int, line: int = 1) -> None:
        """So many units that came back are sent to the customer again."""
        inspected = InspectedUnits(InspectionOutcome.REJECT, "main", order, line, units)
        self.handle(returned, InspectReturn((inspected,)))

    # -- bills and credits

    def bill(self, order: str, units: int = 0, line: int = 1) -> str:
        """Bill all that may be billed, or so many units of a line; returns the invoice."""
        invoice = f"{order}/{1 + len(self.progress(order).bills)}"
        some = (LineQuantity(line, units),) if units else ()
        self.handle(order, BillUnits(invoice, "inv", units=some))
        return invoice

    def credit(
        self,
        invoice: str,
        units: int = 0,
        *,
        amount: int = 0,
        line: int = 1,
        intent: CreditIntent = CreditIntent.KEPT,
        customer: str = "ann",
    ) -> str:
        """Credit units or an amount of an invoice line; returns the note."""
        return self.note(CreditItem(invoice, line, units, amount, intent), customer=customer)

    def note(self, *lines: CreditItem | AccountLine, customer: str = "ann", currency: str = "") -> str:
        """A credit note over these lines; returns its id."""
        items = tuple([line for line in lines if isinstance(line, CreditItem)])
        on_account = tuple([line for line in lines if isinstance(line, AccountLine)])
        ref, dated = PartyRef(customer or "ann", 1), date(2026, 4, 1)
        content = CreditNoteContent("cn", customer, ref, currency or self.currency, dated, items, on_account)
        name = self._next("n", "credit_note")
        self.handle(name, DraftCreditNote(content))
        return name

    # -- money

    def money(self, minor: int) -> Money:
        """So many minor units of the shop's currency."""
        return Money(minor, self.currency)

    def pay(self, minor: int, *, customer: str = "ann", order: str = "", invoice: str = "") -> str:
        """Money of a customer comes in, and all of it pays an order or an invoice if one is named; returns the row."""
        reference = self._next("p", "payment")
        name = payment_id("bank", reference)
        self.handle(name, RecordPayment(PaymentSource("bank", reference, customer), self.money(minor)))
        if order:
            self.handle(name, ApplyPayment(ApplicationTarget.ORDER, order, self.money(minor)))
        if invoice:
            self.handle(name, ApplyPayment(ApplicationTarget.INVOICE, invoice, self.money(minor)))
        return name

    def apply(self, payment: str, minor: int, invoice: str) -> None:
        """Free money of a payment pays an invoice."""
        self.handle(payment, ApplyPayment(ApplicationTarget.INVOICE, invoice, self.money(minor)))

    def charge_back(self, payment: str, minor: int) -> None:
        """The bank takes money back."""
        self.handle(payment, ChargeBackPayment(self.money(minor)))

    # -- what stands where

    def open(self, *invoices: str) -> list[int]:
        """What is open on each invoice."""
        return [self.bill_of(invoice).open_minor for invoice in invoices]

    def line(self, order: str, number: int = 1) -> LineVector:
        """The vector of a line."""
        return self.progress(order).lines[number - 1]

    def progress(self, order: str) -> Progress:
        """How far an order has come."""
        return self._order(order).progress

    def bill_of(self, invoice: str) -> Numbered:
        """An invoice that has a number and is not void."""
        state = self.invoices.get(invoice)
        assert isinstance(state, Numbered)
        return state

    def issued(self, note: str) -> IssuedNote:
        """A credit note."""
        state = self.credit_notes.get(note)
        assert isinstance(state, IssuedNote)
        return state

    def free(self, payment: str) -> int:
        """What of a payment pays nothing yet."""
        state = self.payments.get(payment)
        assert isinstance(state, Funded)
        return state.free

    def billable(self, order: str) -> list[int]:
        """Units of each line that may be billed, if any."""
        return [units for _, _, units in billable_lines(self._order(order))]

    def credit_due(self, order: str) -> list[int]:
        """Units of each line to credit, if any."""
        return [units for _, units in credits_due(self._order(order))]

    def credit_due_minor(self, order: str) -> int:
        """What these units are worth."""
        return credit_due_minor(self._order(order))

    def to_refund(self, order: str) -> int:
        """Money kept for the order that it does not need."""
        return to_refund_minor(self._order(order))

    def owes(self, customer: str = "ann") -> int:
        """The customer's balance."""
        return self.balance(customer, self.currency)

    def exposure(self, customer: str = "ann") -> int:
        """The customer's credit exposure."""
        state = self.read([self.key("account", customer)])[self.key("account", customer)].state
        return 0 if state is ABSENT else int(state.of(self.currency).exposure)

    def refused(self, row: str, command: Any) -> tuple[str, ...]:
        """The codes with which a command is refused; nothing has changed then."""
        before = self.storage.entries(0, 1_000)
        with pytest.raises(CommandRefused) as caught:
            self.handle(row, command)
        assert self.storage.entries(0, 1_000) == before
        return caught.value.codes

    def _order(self, order: str) -> HasProgress:
        state = self.orders.get(order)
        assert isinstance(state, HasProgress)
        return state

    def _next(self, prefix: str, kind: str) -> str:
        return f"{prefix}{1 + len(self.rows(kind).find(limit=1000))}"
