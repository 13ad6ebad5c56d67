"""The contract of a payment provider: one movement for each key, no money beyond what is there, and a memory of both.

Hand :func:`payment_clauses` a request by which your provider's test mode reserves money::

    def test_my_provider_keeps_the_contract():
        check_all(payment_clauses(request), MyProvider.in_test_mode)
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeAlias

from attrs import evolve

from orderflow.domain.money.money import Money
from orderflow.errors import PortError
from orderflow.ports.payments import Answer, Operation, Outcome, PaymentProvider, PaymentRequest
from orderflow.testing.contracts import Clause, Expect

__all__ = ["REQUEST", "payment_clauses"]

#: Ten euros, to be reserved on a card.
REQUEST: Final = PaymentRequest(
    "card/ref-1", "ref-1", "card", Operation.AUTHORISE, Money.of("10.00", "EUR"), "SO-7/authorise"
)

_THREADS: Final = 8
_KEYS: Final = ("shop/536365/pay", "支払い", "a b\tc", "x" * 200)


class _Till:
    """A provider with the money of one request reserved."""

    def __init__(self, request: PaymentRequest, provider: PaymentProvider, expect: Expect) -> None:
        self.request, self.provider, self.expect = request, provider, expect
        self.whole = request.amount.minor
        self.first = provider.operate(request)

    def asking(self, operation: Operation, minor: int, key: str) -> PaymentRequest:
        """A request about the same payment."""
        amount = Money(minor, self.request.amount.currency)
        return evolve(self.request, operation=operation, amount=amount, idempotency_key=f"SO-7/{key}")

    def done(self, operation: Operation, minor: int, key: str) -> Answer:
        """An operation that must succeed, with all of its amount."""
        answer = self.provider.operate(self.asking(operation, minor, key))
        self.expect.equal(f"the outcome of {key}", Outcome.SUCCEEDED, answer.outcome)
        moved = answer.amount.minor if answer.amount else minor
        self.expect.equal(f"the amount of {key}", minor, moved)
        return answer

    def no(self, operation: Operation, minor: int, key: str) -> None:
        """An operation that must not happen."""
        try:
            answer = self.provider.operate(self.asking(operation, minor, key))
        except PortError as error:
            self.expect.equal(f"retry of the refused {key}", expected=False, observed=error.retry)
        else:
            self.expect.equal(f"the outcome of {key}", Outcome.DECLINED, answer.outcome)


Trial: TypeAlias = Callable[[_Till], None]


def _succeeds(till: _Till) -> None:
    answers = [
        till.first,
        till.done(Operation.CAPTURE, till.whole - 1, "take"),
        till.done(Operation.REFUND, 1, "give"),
        till.done(Operation.VOID, 1, "void"),
    ]
    till.expect.true("an id for each fact", all(answer.fact_id for answer in answers))
    till.expect.equal("distinct ids of facts", len(answers), len({answer.fact_id for answer in answers}))


def _one_key(till: _Till) -> None:
    for _ in range(3):
        till.done(Operation.CAPTURE, till.whole - 1, "take")
    till.done(Operation.CAPTURE, 1, "take the rest")


def _same_answer(till: _Till) -> None:
    again = till.provider.operate(till.request)
    till.expect.equal("the answer to a repeated key", till.first, again)


def _at_once(till: _Till) -> None:
    till.done(Operation.CAPTURE, till.whole, "take")
    with ThreadPoolExecutor(_THREADS) as pool:
        give = till.asking(Operation.REFUND, till.whole - 1, "give")
        answers = [*pool.map(lambda _: till.provider.operate(give), range(4 * _THREADS))]
    till.expect.equal("answers to one key, asked by several threads", 1, len({answer.fact_id for answer in answers}))
    till.done(Operation.REFUND, 1, "give the rest")


def _another_request(till: _Till) -> None:
    till.done(Operation.CAPTURE, 1, "take")
    error = till.expect.raises(
        "another request under the same key",
        PortError,
        lambda: till.provider.operate(till.asking(Operation.CAPTURE, 2, "take")),
    )
    till.expect.equal("port and retry", ("payments", False), (error.port, error.retry))


def _any_key(till: _Till) -> None:
    facts = {till.done(Operation.CAPTURE, 1, key).fact_id for key in _KEYS}
    till.expect.equal("distinct facts for unusual keys", len(_KEYS), len(facts))


def _not_beyond_reserved(till: _Till) -> None:
    till.no(Operation.CAPTURE, till.whole + 1, "too much")
    till.done(Operation.CAPTURE, till.whole, "all")
    till.no(Operation.CAPTURE, 1, "more")


def _not_beyond_taken(till: _Till) -> None:
    till.no(Operation.REFUND, 1, "too early")
    till.done(Operation.CAPTURE, till.whole - 1, "take")
    till.no(Operation.REFUND, till.whole, "too much")
    till.done(Operation.REFUND, till.whole - 1, "give")


def _void_ends(till: _Till) -> None:
    till.done(Operation.CAPTURE, 1, "take")
    till.done(Operation.VOID, till.whole - 1, "void")
    till.no(Operation.CAPTURE, 1, "take after the void")
    till.done(Operation.REFUND, 1, "give")


def _nothing_found(till: _Till) -> None:
    till.expect.equal("what became of a key never used", None, till.provider.find("SO-7/never"))


def _found(till: _Till) -> None:
    till.expect.equal("what became of the first request", till.first, till.provider.find(till.request.idempotency_key))
    taken = till.done(Operation.CAPTURE, till.whole, "take")
    for _ in range(2):
        till.expect.equal("what became of the second", taken, till.provider.find("SO-7/take"))
    till.done(Operation.REFUND, till.whole, "give")
    till.no(Operation.REFUND, 1, "more")


_TRIALS: Final[tuple[tuple[str, str, Trial], ...]] = (
    ("PAYMENT-ANSWER-01", "What the money allows succeeds, with its amount and an id of its own.", _succeeds),
    ("PAYMENT-KEY-01", "One idempotency key moves money once, however often it is used.", _one_key),
    ("PAYMENT-KEY-02", "The same holds when several workers use it at once.", _at_once),
    ("PAYMENT-KEY-03", "A repeated key gives the first answer again.", _same_answer),
    ("PAYMENT-KEY-04", "A key that was used for something else is refused, and not to be retried.", _another_request),
    ("PAYMENT-KEY-05", "A key may be any text, and different keys are different requests.", _any_key),
    ("PAYMENT-LIMIT-01", "No more is taken than is reserved; a refused request moves nothing.", _not_beyond_reserved),
    ("PAYMENT-LIMIT-02", "No more is given back than was taken.", _not_beyond_taken),
    ("PAYMENT-VOID-01", "A void ends what is reserved, and leaves what was taken.", _void_ends),
    ("PAYMENT-FIND-01", "A key that was never used is not found.", _nothing_found),
    ("PAYMENT-FIND-02", "What is found is the answer that was given; finding moves nothing.", _found),
)  # fmt: skip


def payment_clauses(request: PaymentRequest = REQUEST) -> tuple[Clause[PaymentProvider], ...]:
    """What every payment provider must keep, tried with a request by which it reserves at least 5 minor units."""

    def clause(id_: str, rule: str, trial: Trial) -> Clause[PaymentProvider]:
        return Clause(id_, rule, partial(_tried, request, trial))

    return tuple(clause(*line) for line in _TRIALS)


def _tried(request: PaymentRequest, trial: Trial, provider: PaymentProvider, expect: Expect) -> None:
    trial(_Till(request, provider, expect))
