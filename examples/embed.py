"""A shop with its own tables and catalogue hands its carts to orderflow: ``python examples/embed.py``.

The shop and orderflow have separate databases. No transaction spans them and none is needed: a cart is received only
once, by its channel and external id, so ``check_out`` may be run again after a crash.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from orderflow import (
    HandOver,
    MemoryCarrier,
    OrderContent,
    OrderFlow,
    OrderLine,
    Person,
    Price,
    ReceiveGoods,
    ShippingSettings,
    ShopSettings,
    SqliteStorage,
    TaxCategory,
    TaxPolicy,
)
from orderflow.adapters.notifiers.maildir import MaildirNotifier
from orderflow.domain.orders.content import totals_of

TABLES = """
CREATE TABLE products (sku TEXT PRIMARY KEY, name TEXT, price TEXT, grams INTEGER, vat TEXT);
CREATE TABLE carts (id TEXT PRIMARY KEY, customer TEXT, mail TEXT, standing TEXT NOT NULL DEFAULT '');
CREATE TABLE cart_items (cart TEXT, sku TEXT, quantity INTEGER);
INSERT INTO products VALUES ('TEA', 'Green tea', '2.55', 120, '20'), ('POT', 'Tea pot', '18.00', 900, '20');
INSERT INTO carts (id, customer, mail) VALUES ('C-1', 'ann', 'ann@example.org'), ('C-2', 'bob', 'bob@example.org');
INSERT INTO cart_items VALUES ('C-1', 'TEA', 3), ('C-1', 'POT', 1), ('C-2', 'POT', 2);
"""
ITEMS = "SELECT sku, quantity, name, price, grams, vat FROM cart_items JOIN products USING (sku) WHERE cart = ?"


def content_of(db: sqlite3.Connection, flow: OrderFlow, cart: str, customer: str, mail: str) -> OrderContent:
    """What is in a cart, at the present prices of the shop's catalogue."""
    lines = tuple(
        OrderLine.of(
            n, sku, units, Price.of(price, "GBP"), TaxCategory.of("S", vat), description=name, weight_grams=grams
        )
        for n, (sku, units, name, price, grams, vat) in enumerate(db.execute(ITEMS, [cart]), start=1)
    )
    party = flow.record_party(customer, Person(email=mail))
    return OrderContent(
        "GBP", lines, TaxPolicy(prices_include_tax=True),
        customer=customer, bill_to=party, ship_to=party, channel="shop", external_id=cart,
    )  # fmt: skip


def check_out(db: sqlite3.Connection, flow: OrderFlow) -> None:
    """Hand over every cart that has no standing yet, and record the state of its order as its standing."""
    for cart, customer, mail in db.execute("SELECT id, customer, mail FROM carts WHERE standing = ''").fetchall():
        flow.receive(cart, content_of(db, flow, cart, customer, mail))
        db.execute("UPDATE carts SET standing = ? WHERE id = ?", [flow.advance(cart).state, cart])
        db.commit()
    flow.relay()


def main(folder: Path) -> None:
    """Check out two carts, with too few tea pots in stock for both."""
    storage = SqliteStorage(folder / "orders.db")
    settings = ShopSettings(shipping=ShippingSettings(carrier="memory"))
    notifier = MaildirNotifier(folder / "mail", "shop@example.org")
    with closing(storage), closing(sqlite3.connect(folder / "shop.db")) as db:
        db.executescript(TABLES)
        flow = OrderFlow(storage, carriers=[MemoryCarrier()], notifier=notifier, settings=settings)
        flow.handle("TEA@main", ReceiveGoods(10))
        flow.handle("POT@main", ReceiveGoods(2))
        check_out(db, flow)
        check_out(db, flow)  # a second run finds nothing to do
        flow.handle("C-1/1", HandOver())
        for cart, standing in db.execute("SELECT id, standing FROM carts"):
            order = flow.orders.get(cart)
            total = totals_of(order.content).gross
            print(f"{cart}: {total}, {standing} at check-out, now {type(order).__name__}")
        pots = flow.stock.level("POT")
        print(f"tea pots: {pots.available} available, {pots.backordered} on back-order")
        print(f"mails: {len(list((folder / 'mail' / 'new').iterdir()))}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        main(Path(name))
