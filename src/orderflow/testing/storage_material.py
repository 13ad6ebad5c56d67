"""Rows and batches that the storage contract uses: stock rows, orders and parties; also for tests of your own."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from orderflow.domain.engine.decide import NOTHING, Entry, Loaded
from orderflow.domain.engine.machine import Machine
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.inventory.level import StockLevel
from orderflow.domain.inventory.stock import GoodsReceived
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import OrderContent, OrderLine
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.domain.values import PartyRef
from orderflow.errors import Key
from orderflow.ports.storage import Ack, Batch, CommandRecord, Storage, Write

ANN = PartyRef("ann", 1)

__all__ = [
    "AT",
    "StorageMaker",
    "command",
    "holds",
    "joined",
    "level",
    "loaded",
    "placed",
    "receipt",
    "received",
    "stepped",
    "store",
]

StorageMaker = Callable[[str], Storage]
"""Makes a storage of a tenant."""

AT: Final = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
TEA: Final = OrderLine.of(1, "TEA", 3, Price.of("2.55", "GBP"), TaxCategory.of("S", 20))


def command(command_id: str, key: Key, version: int, *, at: datetime = AT) -> CommandRecord:
    """An accepted command on a row."""
    occurred = at - timedelta(minutes=1)
    return CommandRecord(
        Ack(command_id, key, version, at), f"print of {command_id}", "tester", "ReceiveGoods", "why", "w1", occurred
    )


def receipt(command_id: str, key: Key, before: Loaded, quantity: int = 1, *, at: datetime = AT) -> Batch:
    """A batch of one command that receives goods on one stock row."""
    on_hand = 0 if before.version == 0 else before.state.on_hand
    version = before.version + 1
    return Batch(
        (command(command_id, key, version, at=at),),
        (Write(key, before.version, version, StockLevel(on_hand + quantity), at),),
        (Entry(key, version, GoodsReceived(quantity, document=command_id), command_id),),
    )


def stepped(machine: Machine, command_id: str, key: Key, before: Loaded, sent: Any, *, at: datetime = AT) -> Batch:
    """A batch of one command on one row, as its machine decides it."""
    event, state = machine.step(before.state, sent, Stamp(at, "tester", command_id))
    version = before.version + 1
    return Batch(
        (command(command_id, key, version, at=at),),
        (Write(key, before.version, version, state, at),),
        (Entry(key, version, event, command_id),),
    )


def placed(storage: Storage, id: str, *, at: datetime = AT, tags: tuple[str, ...] = ()) -> Loaded:  # noqa: A002 - a row's
    """Place an order for three units of tea, in a unit of its own; returns the stored row."""
    content = OrderContent(
        "GBP", (TEA,), TaxPolicy(), number=f"N-{id}", external_id=f"X-{id}", bill_to=ANN, ship_to=ANN, tags=tags
    )
    key = Key(storage.tenant, "order", id)
    store(storage, stepped(ORDER, f"place {id}", key, NOTHING, PlaceOrder(content), at=at))
    return storage.read([key])[key]


def received(storage: Storage, command_id: str, key: Key, quantity: int = 1) -> None:
    """Receive goods in a unit of its own."""
    with storage.unit() as unit:
        unit.commit(receipt(command_id, key, unit.load([key])[key], quantity))


def store(storage: Storage, batch: Batch) -> None:
    """Commit a batch in a unit of its own."""
    with storage.unit() as unit:
        unit.commit(batch)


def loaded(storage: Storage, key: Key) -> Loaded:
    """A row as a unit loads it."""
    with storage.unit() as unit:
        return unit.load([key])[key]


def level(version: int, on_hand: int, at: datetime = AT) -> Loaded:
    """A stock row as it is loaded."""
    return Loaded(version, StockLevel(on_hand), at)


def holds(value: object, text: str) -> bool:
    """Whether a text occurs anywhere in a value, even if its ``repr`` hides it."""
    return text.encode() in pickle.dumps(value)


def joined(*batches: Batch) -> Batch:
    """Several batches combined into one."""
    return Batch(
        tuple(item for batch in batches for item in batch.commands),
        tuple(item for batch in batches for item in batch.writes),
        tuple(item for batch in batches for item in batch.entries),
    )
