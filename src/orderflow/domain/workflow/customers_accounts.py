"""What customers tell their accounts and their duplicates: no order of a blocked or merged one is confirmed."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from typing import Any

from orderflow.domain.billing.account import BlockAccount, UnblockAccount
from orderflow.domain.engine.workflow import EventContext, Send
from orderflow.domain.parties.customer import Blocked, CustomerClosed
from orderflow.domain.parties.merging import MergeCustomers, RecordMerge
from orderflow.errors import Key


def block(context: EventContext) -> Iterator[Send]:
    reason = "closed" if isinstance(context.event, CustomerClosed) else context.event.reason
    yield Send(context.key.beside("account", context.key.id), BlockAccount(reason))


def unblock(context: EventContext) -> Iterator[Send]:
    yield Send(context.key.beside("account", context.key.id), UnblockAccount())


def duplicate(key: Key, command: MergeCustomers) -> Generator[Any, Any, Collection[Key]]:
    """Both customers are locked together, in the order of their ids."""
    yield from ()
    return [key.beside("customer", command.merged)]


def record_merge(context: EventContext) -> Iterator[Send]:
    merged = context.event.merged
    blocked = isinstance(context.after, Blocked)
    yield Send(context.key.beside("customer", merged), RecordMerge(merged, context.key.id, blocked))


def block_merged(context: EventContext) -> Iterator[Send]:
    """What the duplicate had ordered before goes on; nothing new is confirmed for it."""
    yield Send(context.key.beside("account", context.key.id), BlockAccount("merged"))
