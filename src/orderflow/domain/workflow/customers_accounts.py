"""What customers tell their accounts: no order of a blocked customer is confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.domain.billing.account import BlockAccount, UnblockAccount
from orderflow.domain.engine.workflow import EventContext, Send
from orderflow.domain.parties.customer import CustomerClosed


def block(context: EventContext) -> Iterator[Send]:
    reason = "closed" if isinstance(context.event, CustomerClosed) else context.event.reason
    yield Send(context.key.beside("account", context.key.id), BlockAccount(reason))


def unblock(context: EventContext) -> Iterator[Send]:
    yield Send(context.key.beside("account", context.key.id), UnblockAccount())
