"""An in-memory payment provider that can fail in every way a real one does."""

from __future__ import annotations

import enum
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from attrs import define, evolve

from orderflow.domain.money.money import Money
from orderflow.domain.payments.collecting import AuthorisePayment, CapturePayment, EndAuthorisation
from orderflow.domain.payments.refunding import ChargeBackPayment, DisputePayment, RefundPayment, ResolveDispute
from orderflow.domain.payments.state import payment_id
from orderflow.errors import PortError
from orderflow.ports.payments import Answer, Operation, Outcome, PaymentRequest

__all__ = ["MemoryProvider", "PaymentFailure"]


class PaymentFailure(enum.Enum):
    """One way for a request to go wrong."""

    DECLINED = "declined"
    """No, and nothing happened."""
    REFUSED = "refused"
    """An error that will stay; nothing happened."""
    TIMEOUT_BEFORE = "timeout_before"
    """No answer; nothing happened."""
    TIMEOUT_AFTER = "timeout_after"
    """No answer, but it did happen."""
    TWICE = "twice"
    """It is done two times, and told as one."""
    PARTIAL = "partial"
    """Half of the amount was moved."""
    UNDER_WAY = "under_way"
    """Taken on; it happens when it is next asked about."""
    GARBAGE = "garbage"
    """An error page where the answer should be; nothing happened."""


@define
class _Account:
    """What the provider holds of one payment, in minor units."""

    authorised: int = 0
    captured: int = 0
    refunded: int = 0


class MemoryProvider:
    """Moves money in memory and remembers every idempotency key.

    Each request takes the next entry of ``script``: a failure, or None for success; when the script is used up, every
    request that the payment's money allows succeeds. ``facts`` lists what it would notify of, in the order in which it
    happened, as pairs of a payment's row and a command: hand them to the shop late, twice or in any order, as real ones
    do. ``wait`` runs at the start of every request, for tests that need a slow provider.
    """

    def __init__(
        self,
        name: str = "memory",
        *,
        script: Iterable[PaymentFailure | None] = (),
        wait: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.facts: list[tuple[str, Any]] = []
        self.requests: list[PaymentRequest] = []
        self._script, self._wait = deque(script), wait
        self._accounts: dict[tuple[str, str], _Account] = {}
        self._by_key: dict[str, tuple[PaymentRequest, Answer]] = {}
        self._lock = threading.Lock()

    def operate(self, request: PaymentRequest) -> Answer:
        """Carries out the request, once for each key."""
        self._wait()
        with self._lock:
            self.requests.append(request)
            failure = self._script.popleft() if self._script else None
            earlier = self._by_key.get(request.idempotency_key)
            if earlier and earlier[0] != request:
                raise self._refusal("the idempotency key was used for another request")
            if earlier:
                return earlier[1]
            return self._first(request, failure)

    def find(self, idempotency_key: str) -> Answer | None:
        """What became of the request; what was under way has happened by then."""
        self._wait()
        with self._lock:
            request, answer = self._by_key.get(idempotency_key, (None, None))
            if request and answer and answer.outcome is Outcome.UNDER_WAY:
                answer = self._do(request, request.amount.minor)
            return answer

    def dispute(self, reference: str, amount: Money) -> None:
        """The payer disputes an amount."""
        self._tell(reference, DisputePayment(amount, self._fact_id()))

    def end_dispute(self, reference: str, *, won: bool) -> None:
        """The dispute ends; if it is lost, the disputed amount is gone."""
        self._tell(reference, ResolveDispute(won, self._fact_id()))

    def charge_back(self, reference: str, amount: Money) -> None:
        """The payer's bank takes an amount back."""
        self._tell(reference, ChargeBackPayment(amount, self._fact_id()))

    def _first(self, request: PaymentRequest, failure: PaymentFailure | None) -> Answer:
        match failure:
            case PaymentFailure.TIMEOUT_BEFORE:
                raise PortError("payments", f"{self.name}: no answer in time")
            case PaymentFailure.REFUSED:
                raise self._refusal("refused")
            case PaymentFailure.GARBAGE:
                return "<html>502 Bad Gateway</html>"  # type: ignore[return-value]
            case PaymentFailure.DECLINED:
                return self._remembered(request, Answer(Outcome.DECLINED, reason="declined by the issuer"))
            case PaymentFailure.UNDER_WAY:
                return self._remembered(request, Answer(Outcome.UNDER_WAY))
            case PaymentFailure.PARTIAL:
                return self._do(request, max(1, request.amount.minor // 2))
            case PaymentFailure.TIMEOUT_AFTER | PaymentFailure.TWICE | None:
                pass
        answer = self._do(request, request.amount.minor)
        if failure is PaymentFailure.TWICE:
            self._do(request, request.amount.minor)
            return self._remembered(request, answer)
        if failure is PaymentFailure.TIMEOUT_AFTER:
            raise PortError("payments", f"{self.name}: no answer in time")
        return answer

    def _do(self, request: PaymentRequest, minor: int) -> Answer:
        if minor < 1:
            return self._remembered(request, Answer(Outcome.DECLINED, reason="no amount"))
        account = self._accounts.setdefault((request.tenant, request.reference), _Account())
        amount, fact_id = evolve(request.amount, minor=minor), self._fact_id()
        match request.operation:
            case Operation.AUTHORISE:
                account.authorised = minor
                fact: Any = AuthorisePayment(amount, fact_id)
            case Operation.CAPTURE if minor <= account.authorised - account.captured:
                account.captured += minor
                fact = CapturePayment(amount, fact_id)
            case Operation.REFUND if minor <= account.captured - account.refunded:
                account.refunded += minor
                fact = RefundPayment(amount, fact_id)
            case Operation.VOID if account.authorised > account.captured:
                account.authorised = account.captured
                fact = EndAuthorisation(fact_id)
            case _:
                return self._remembered(request, Answer(Outcome.DECLINED, reason="not enough money"))
        self._tell(request.reference, fact)
        return self._remembered(request, Answer(Outcome.SUCCEEDED, amount, fact_id))

    def _remembered(self, request: PaymentRequest, answer: Answer) -> Answer:
        self._by_key[request.idempotency_key] = request, answer
        return answer

    def _tell(self, reference: str, fact: Any) -> None:
        self.facts.append((payment_id(self.name, reference), fact))

    def _fact_id(self) -> str:
        return f"{self.name}-{len(self.facts) + 1}"

    def _refusal(self, reason: str) -> PortError:
        return PortError("payments", f"{self.name}: {reason}", retry=False)
