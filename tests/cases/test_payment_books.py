"""After anything at all, the provider's books and the shop's say the same, and nothing waits for nobody."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest
from test_payment_providers import CAPTURE, REFUND, VOID, CardShop, Failure

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy
from orderflow.domain.payments.facts import ClosePaymentTask
from orderflow.domain.payments.pending import RequestOperation
from orderflow.domain.values import CreditIntent, LineQuantity
from orderflow.errors import CommandRefused
from orderflow.ports.storage import Storage

#: Ways to go wrong after which the provider's answers and notices still tell all that it did.
FAILURES = (
    *[None] * 8,
    Failure.DECLINED,
    Failure.REFUSED,
    Failure.TIMEOUT_BEFORE,
    Failure.TIMEOUT_AFTER,
    Failure.PARTIAL,
    Failure.UNDER_WAY,
    Failure.GARBAGE,
    Failure.TWICE,
)


class Life:
    """A card shop in which anything happens, drawn by a seed."""

    def __init__(self, storage: Storage, seed: int) -> None:
        self.draw = random.Random(seed)
        self.shop = CardShop(storage, *self.draw.choices(FAILURES, k=30))
        self.told = 0

    def step(self) -> None:
        """One thing happens; a wish that the rules do not allow does not."""
        with suppress(CommandRefused):
            getattr(self, self.draw.choice(STEPS))()

    def send(self) -> None:
        """A unit is sent."""
        self.shop.send("O", 1)

    def bill(self) -> None:
        """All that has left is billed."""
        self.shop.bill("O")

    def cancel(self) -> None:
        """A unit is cancelled, or all that is left."""
        units = (LineQuantity(1, 1),) if self.draw.random() < 0.7 else ()
        self.shop.handle("O", CancelUnits("not wanted", CancelledBy.CUSTOMER, units))

    def take_back(self) -> None:
        """A unit comes back."""
        self.shop.take_back("O", 1)

    def credit(self) -> None:
        """A unit of some invoice is credited."""
        bills = self.shop.progress("O").bills
        if bills:
            self.shop.credit(self.draw.choice(bills).invoice, 1, intent=self.draw.choice(list(CreditIntent)))

    def ask(self) -> None:
        """Somebody asks for something by hand."""
        operation, minor = self.draw.choice((CAPTURE, REFUND, VOID)), self.draw.choice((1, 700, 1200, 5000))
        amount = None if operation is VOID or self.draw.random() < 0.3 else self.shop.money(minor)
        order = "O" if operation is REFUND and self.draw.random() < 0.5 else ""
        self.shop.handle("card/1", RequestOperation(operation, amount, order))

    def relay(self) -> None:
        """A worker comes by."""
        self.shop.relay()

    def notify(self) -> None:
        """A notice of the provider comes, the next one or an old one again."""
        facts = self.shop.card.facts
        if self.told < len(facts) and self.draw.random() < 0.7:
            self.told += 1
        if self.told:
            row, fact = facts[self.told - 1] if self.draw.random() < 0.8 else facts[self.draw.randrange(self.told)]
            self.shop.handle(row, fact)

    def look(self) -> None:
        """Somebody closes a task."""
        self.shop.handle("card/1", ClosePaymentTask("declined"))

    def end(self) -> None:
        """Everything is carried out, every notice has come, every refusal was looked at."""
        for _ in range(6):
            self.shop.settle()
            for row, fact in self.shop.card.facts:
                self.shop.handle(row, fact)
            with suppress(CommandRefused):
                for _ in range(50):
                    self.look()


STEPS = ("send", "bill", "cancel", "take_back", "credit", "ask", "ask", "relay", "relay", "relay", "notify", "look")


def agree(life: Life) -> None:
    """What the provider holds is what the payment says, and every message has been carried out."""
    shop, payment = life.shop, life.shop.payment()
    account = shop.card._accounts["main", "1"]
    funds: Any = getattr(payment, "funds", None)
    received, refunded = (funds.received, funds.refunded) if funds else (0, 0)
    assert (received, refunded) == (account.captured, account.refunded)
    reserved = payment.authorised.minor if hasattr(payment, "authorised") else 0
    assert account.authorised == (funds.authorised if funds and funds.received else reserved)
    assert payment.pending == ()
    assert shop.storage.pending() == 0
    # What was taken twice, and told after the rest was let go, is beyond what is reserved.
    assert {task.code for task in payment.notes.tasks} <= {"declined", "exceeds_authorised"}


@pytest.mark.parametrize("block", range(4))
def test_the_books_agree_after_anything(block: int) -> None:
    """In memory: 60 lives of 40 steps each."""
    for seed in range(15):
        life = Life(MemoryStorage(), 1000 * block + seed)
        for _ in range(40):
            life.step()
        life.end()
        agree(life)


def test_the_books_agree_on_a_file(tmp_path: Any) -> None:
    """Ten more on a file."""
    for seed in range(10):
        storage = SqliteStorage(tmp_path / f"{seed}.db")
        life = Life(storage, 50_000 + seed)
        for _ in range(30):
            life.step()
        life.end()
        agree(life)
        storage.close()
