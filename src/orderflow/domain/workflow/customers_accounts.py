"""Customers to their accounts: who is blocked gets no order confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.domain.billing.account import BlockAccount, UnblockAccount
from orderflow.domain.engine.workflow import EventContext, Send
from orderflow.domain.parties.customer import CustomerClosed


def block(h: EventContext) -> Iterator[Send]:
    reason = "closed" if isinstance(h.event, CustomerClosed) else h.event.reason
    yield Send(h.key.beside("account", h.key.id), BlockAccount(reason))


def unblock(h: EventContext) -> Iterator[Send]:
    yield Send(h.key.beside("account", h.key.id), UnblockAccount())
