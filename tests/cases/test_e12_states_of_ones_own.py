"""E12: a label state of one's own, which inherits nothing of ``Labelled``, is voided, handed over and listed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
from small_shop import packed, small_shop

from orderflow import CancelledBy, CancelUnits, HandOver, MemoryCarrier, OrderFlow, SqliteStorage, standard_workflow
from orderflow.domain.engine.machine import rule
from orderflow.domain.engine.record import Command, Event, Record
from orderflow.domain.orders.state import Allocated, Shipped
from orderflow.domain.shipping import labelling, leaving, planning
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.labelling import LabelVoided, RequestLabel, VoidLabel
from orderflow.domain.shipping.leaving import HandedOver
from orderflow.domain.shipping.machine import SHIPMENT
from orderflow.domain.shipping.planning import (
    DropItems,
    ItemsDropped,
    ShipmentVoided,
    VoidShipment,
)
from orderflow.domain.shipping.state import (
    Delivered,
    InTransit,
    Item,
    Labelled,
    Packed,
    Packing,
    Plan,
    ShippingLabel,
    Tracking,
    Voided,
)

LABEL = ShippingLabel("memory", "marketplace", "M-1", 0, "GBP")


class MarketLabelled(Record):
    """Packed, with a label that the marketplace has sent; its courier collects in a time slot."""

    items: tuple[Item, ...]
    plan: Plan
    tracking: Tracking
    packing: Packing
    label: ShippingLabel
    bought_at: datetime
    slot: str


class TakeMarketLabel(Command):
    """The marketplace has sent a label."""

    label: ShippingLabel
    slot: str


class MarketLabelTaken(Event):
    """The marketplace has sent a label."""

    label: ShippingLabel
    slot: str
    at: datetime


def taken(state: Packed, event: MarketLabelTaken) -> MarketLabelled:
    """The label is on the parcel."""
    return MarketLabelled(state.items, state.plan, state.tracking, state.packing, event.label, event.at, event.slot)


LESS: tuple[type[MarketLabelled | Voided], ...] = (MarketLabelled, Voided)
DROPS: Final = (planning.enough_in_shipment,)

MARKET_SHIPMENT: Final = SHIPMENT.extended(
    rule(Packed, TakeMarketLabel, MarketLabelTaken, MarketLabelled, taken),
    rule(MarketLabelled, HandOver, HandedOver, InTransit, leaving.handed_over),
    rule(MarketLabelled, VoidShipment, ShipmentVoided, Voided, planning.voided, decide=planning.void),
    rule(MarketLabelled, VoidLabel, LabelVoided, Packed, labelling.label_voided, decide=labelling.void_label),
    rule(MarketLabelled, DropItems, ItemsDropped, LESS, planning.taken_out, guards=DROPS, decide=planning.drop),
)
WORKFLOW: Final = standard_workflow().extended(machines=(MARKET_SHIPMENT,))
SHIPMENT_ID: Final = "A/1"


class Carrier(MemoryCarrier):
    """Takes back the marketplace's labels as well, which it has not sold."""

    def void_label(self, tracking_number: str, idempotency_key: str) -> None:
        """Take one back."""
        self.voided.add(tracking_number)


Wired = tuple[Carrier, OrderFlow]


@pytest.fixture(params=["memory", "sqlite"])
def carrier_and_shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Wired]:
    """A shop whose only order is packed and has the marketplace's label."""
    file = SqliteStorage(tmp_path / "shop.db", WORKFLOW.machines.values()) if request.param == "sqlite" else None
    carrier = Carrier()
    shop = small_shop(file, workflow=WORKFLOW, carriers=[carrier])
    packed(shop, "A")
    shop.handle(SHIPMENT_ID, TakeMarketLabel(LABEL, "9-11"))
    yield carrier, shop
    if file is not None:
        file.close()


def test_e12_it_is_no_labelled() -> None:
    """The state under test is a class of its own."""
    assert not issubclass(MarketLabelled, Labelled)


def test_e12_it_is_listed(carrier_and_shop: Wired) -> None:
    """It waits to be handed over with nothing in the way, and is found by its state and its tracking number."""
    _, shop = carrier_and_shop
    assert [(task.key.id, task.commands[0]) for task in shop.worklist("to_ship")] == [(SHIPMENT_ID, "HandOver")]
    for found in (
        shop.shipments.find(status=["MarketLabelled"]),
        shop.shipments.find(where={"tracking_number": "M-1"}),
    ):
        assert [row.key.id for row in found] == [SHIPMENT_ID]
    state: Any = shop.shipments.get(SHIPMENT_ID)
    assert type(state) is MarketLabelled
    assert state.slot == "9-11"


def test_e12_nobody_buys_another_label(carrier_and_shop: Wired) -> None:
    """The label that was asked for when it was packed is no longer wanted."""
    carrier, shop = carrier_and_shop
    shop.relay()
    assert carrier.sold == []
    assert [row.key.id for row in shop.shipments.find(status=["MarketLabelled"])] == [SHIPMENT_ID]


def test_e12_it_is_handed_over_and_arrives(carrier_and_shop: Wired) -> None:
    """It leaves with its label, and its order with it."""
    _, shop = carrier_and_shop
    shop.handle(SHIPMENT_ID, HandOver())
    left = shop.shipments.get(SHIPMENT_ID)
    assert isinstance(left, InTransit)
    assert left.carriage.label == LABEL
    assert type(shop.orders.get("A")) is Shipped
    shop.handle(SHIPMENT_ID, RecordDelivered("d"))
    assert type(shop.shipments.get(SHIPMENT_ID)) is Delivered


def test_e12_it_is_voided_and_its_label_too(carrier_and_shop: Wired) -> None:
    """Given up before it left: its units are allocated again, and the carrier is told to void the label."""
    carrier, shop = carrier_and_shop
    shop.handle(SHIPMENT_ID, VoidShipment())
    assert type(shop.shipments.get(SHIPMENT_ID)) is Voided
    assert type(shop.orders.get("A")) is Allocated
    shop.relay()
    assert carrier.voided == {"M-1"}


def test_e12_what_its_order_cancels_is_taken_out(carrier_and_shop: Wired) -> None:
    """It is not handed over with what its order has cancelled; with the last unit that is taken out goes the label."""
    carrier, shop = carrier_and_shop
    shop.handle("A", CancelUnits("not wanted", CancelledBy.CUSTOMER))
    shop.relay()
    assert [reason.code for reason in shop.explain(SHIPMENT_ID, HandOver())] == ["not_now"]
    shop.handle(SHIPMENT_ID, DropItems((Item("A", 1, "main", 1),)))
    shop.relay()
    assert type(shop.shipments.get(SHIPMENT_ID)) is Voided
    assert carrier.voided == {"M-1"}


def test_e12_its_label_is_given_back(carrier_and_shop: Wired) -> None:
    """Without its label it is packed, and the usual carrier sells it one."""
    carrier, shop = carrier_and_shop
    shop.relay()
    shop.handle(SHIPMENT_ID, VoidLabel())
    assert type(shop.shipments.get(SHIPMENT_ID)) is Packed
    shop.handle(SHIPMENT_ID, RequestLabel())
    shop.relay()
    assert type(shop.shipments.get(SHIPMENT_ID)) is Labelled
    assert carrier.voided == {"M-1"}
    assert len(carrier.sold) == 1
