"""Payment providers: reserving, taking, letting go and giving back money."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Protocol

from orderflow.domain.engine.bounds import Name
from orderflow.domain.engine.record import Record
from orderflow.domain.money.money import Money
from orderflow.domain.payments.state import Operation

__all__ = ["Answer", "Operation", "Outcome", "PaymentProvider", "PaymentRequest"]


class PaymentRequest(Record):
    """What is asked of the provider: an operation on the payment that it knows as ``reference``.

    ``amount`` is what is to be moved; of a void, what is let go. A request is identified by its ``idempotency_key``: a
    repeated one must ask for the same thing. ``tenant`` is whose payment it is, where several share a provider.
    """

    payment: str
    reference: str
    method: str
    operation: Operation
    amount: Money
    idempotency_key: str
    tenant: str = "main"


class Outcome(Enum):
    """What became of a request."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    """It will not happen; nothing was moved."""
    UNDER_WAY = "under_way"
    """The provider works on it; ask again later."""


class Answer(Record):
    """A provider's answer.

    ``amount`` is what was moved, None if that is all that was asked for. ``fact_id`` is the provider's own id of what
    happened, the same in its answers and its notifications, so that it counts once. ``until`` is when an authorisation
    ends by itself. ``reason`` says in a few words, without personal data, why it was declined.
    """

    outcome: Outcome
    amount: Money | None = None
    fact_id: Name = ""
    until: datetime | None = None
    reason: Name = ""


class PaymentProvider(Protocol):
    """Moves money.

    Every method raises only ``PortError``: with ``retry=True`` when asking again may help or the outcome is unknown,
    with ``retry=False`` when nothing has happened and nothing will.
    """

    @property
    def name(self) -> str:
        """The ``source`` of the payments that it carries out."""
        ...

    def operate(self, request: PaymentRequest) -> Answer:
        """Carries out the request; the same idempotency key gives the same answer again, and moves nothing twice."""
        ...

    def find(self, idempotency_key: str) -> Answer | None:
        """What became of an earlier request; None if it never arrived. Moves nothing."""
        ...
