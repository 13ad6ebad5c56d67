"""Notices to customers, by whatever means."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from orderflow.domain.engine.record import Record

__all__ = ["Notice", "Notifier"]


class Notice(Record):
    """One message to one customer.

    ``id`` is the idempotency key; ``to`` is an address, or the customer id where the adapter knows the addresses;
    ``template`` names the kind of message, ``order`` what it is about; ``at`` is the aware moment it was decided;
    ``tenant`` is whose customer it is, where several share a notifier.
    """

    id: str
    to: str
    template: str
    subject: str
    body: str
    order: str
    at: datetime
    tenant: str = "main"


class Notifier(Protocol):
    """Delivers notices."""

    def send(self, notice: Notice) -> None:
        """Delivers the notice once, however often it is sent.

        Raises:
            PortError: with ``retry=True`` when it may succeed later, with ``retry=False`` when it never will.
        """
        ...
