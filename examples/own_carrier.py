"""A carrier adapter of your own: the shop's van, and an order that travels with it.

Run it with ``python examples/own_carrier.py``; ``tests/docs/test_examples.py`` checks it against every clause of the
contract for carriers.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from orderflow import (
    MemoryStorage,
    Money,
    OrderContent,
    OrderFlow,
    OrderLine,
    Person,
    Price,
    ReceiveGoods,
    ShippingSettings,
    ShopSettings,
    TaxCategory,
    TaxPolicy,
    standard_workflow,
)
from orderflow.domain.shipping.state import Labelled
from orderflow.errors import PortError
from orderflow.ports.carrier import Label, LabelRequest, Quote

OFFERS = (Quote("slow", Money.of("4.90", "EUR"), days=3), Quote("fast", Money.of("9.90", "EUR"), days=1))
TABLE = "CREATE TABLE IF NOT EXISTS labels (number INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, void TEXT)"


class Van:
    """Sells the shop's own rounds. Labels are kept in a file, so that a retry after a crash finds the one it bought."""

    def __init__(self, path: Path, name: str = "van") -> None:
        self.name, self._path = name, path

    def quote(self, request: LabelRequest) -> tuple[Quote, ...]:
        """Both rounds, or only the one requested."""
        offers = tuple(offer for offer in OFFERS if request.service in (None, offer.service))
        if not offers or not request.parcels:
            raise PortError("carrier", f"{self.name} does not carry {request.shipment}", retry=False)
        return offers

    def buy_label(self, request: LabelRequest) -> Label:
        """The label for this idempotency key, numbered by the key's row in the file."""
        offer = self.quote(request)[0]
        with self._file() as db:
            db.execute("INSERT OR IGNORE INTO labels (key) VALUES (?)", [request.idempotency_key])
            (number,) = db.execute("SELECT number FROM labels WHERE key = ?", [request.idempotency_key]).fetchone()
        tracking = f"{self.name}-{number:06}"
        return Label(self.name, offer.service, tracking, offer.price, f"{tracking} {request.reference}", "text/plain")

    def void_label(self, tracking_number: str, idempotency_key: str) -> None:
        """Void a label; voiding it twice changes nothing."""
        number = tracking_number.removeprefix(f"{self.name}-")
        with self._file() as db:
            if not db.execute("UPDATE labels SET void = ? WHERE number = ?", [idempotency_key, number]).rowcount:
                raise PortError("carrier", f"{tracking_number} was never sold", retry=False)

    @contextmanager
    def _file(self) -> Generator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path)) as db, db:
                db.execute(TABLE)
                yield db
        except sqlite3.Error as error:
            raise PortError("carrier", f"{self.name}: {error}") from error


def main(folder: Path) -> None:
    """Place an order of one line and buy its label from the van."""
    settings = ShopSettings(shipping=ShippingSettings(service="fast"))
    flow = OrderFlow(
        MemoryStorage(), workflow=standard_workflow(()), carriers=[Van(folder / "van.db")], settings=settings
    )
    flow.handle("TEA@main", ReceiveGoods(10))
    line = OrderLine.of(1, "TEA", 3, Price.of("2.55", "EUR"), TaxCategory.of("S", 20), weight_grams=120)
    ann = flow.record_party("ann", Person("Ann Lee", lines=("1 Hill Road",), city="Leeds"))
    flow.receive("order-1", OrderContent("EUR", (line,), TaxPolicy(), bill_to=ann, ship_to=ann))
    flow.advance("order-1")
    while flow.relay().taken:
        pass
    shipment = flow.shipments.get("order-1/1")
    if isinstance(shipment, Labelled):
        label = shipment.label
        print(f"{label.tracking_number}: {label.service}, {Money(label.price_minor or 0, label.currency)}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        main(Path(name))
