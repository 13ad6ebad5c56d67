"""The bounded walks: order x stock x shipment x invoice on the shipped code, every law held in every world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve

from orderflow.domain.allocation import Pick
from orderflow.domain.book import Book, Effect, Told
from orderflow.domain.invoice import messages as inv
from orderflow.domain.invoice.states import Void
from orderflow.domain.keys import Key, PartyRef, stock_key
from orderflow.domain.machine import ABSENT, Machine, Rule
from orderflow.domain.order import messages as om
from orderflow.domain.order.machine import ORDER
from orderflow.domain.order.states import Accepted, Completed, Draft
from orderflow.domain.order.values import AllocateAt, Basket, By, Gate, Hold, HoldReason, OrderLine, Policy, Units
from orderflow.domain.price import Price
from orderflow.domain.shipment import messages as sm
from orderflow.domain.shipment.states import Labelled, Packed, Planned
from orderflow.domain.stamp import Stamp
from orderflow.domain.standard import standard_book
from orderflow.domain.stock import messages as st
from orderflow.domain.stock.states import Stocked
from orderflow.domain.tax import TaxCategory, TaxPolicy
from orderflow.flows import relay
from orderflow.ports.storage import Held, Message, Parcelled
from orderflow.testing.explore import Counterexample, Exploration, World, explore

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
STAMP = Stamp(NOON, "walker", "c")
ORDER_KEY = Key("main", "order", "O")
TEA, CUP = stock_key("main", "TEA", "main"), stock_key("main", "CUP", "main")
S1, S2 = Key("main", "shipment", "S1"), Key("main", "shipment", "S2")
I1, I2 = Key("main", "invoice", "I1"), Key("main", "invoice", "I2")
SERIES_KEY = Key("main", "series", "inv")
FREE = TaxCategory.of("Z", 0)
LABEL = sm.RecordLabel(sm.ShippingLabel("post", "parcel", "T-1"))
BOOK = standard_book().only("credit_note", "shipment", "order", "invoice", "series", "stock")

# -- the small shop


def basket(*quantities: int, policy: Policy = Policy()) -> Basket:
    """An order of TEA and CUP, without a customer's account."""
    lines = [
        OrderLine.of(number, sku, quantity, Price.of("1.00", "EUR"), FREE)
        for number, (sku, quantity) in enumerate(zip(("TEA", "CUP"), quantities, strict=False), start=1)
    ]
    return Basket("EUR", tuple(lines), TaxPolicy(), bill_to=PartyRef("ann", 1), policy=policy)


def told(key: Key, *commands: Any) -> list[Told]:
    """Commands for one row."""
    return [Told(key, command) for command in commands]


def pick(line: int, quantity: int = 1) -> tuple[Pick, ...]:
    """Units of a line at the only location."""
    return (Pick(line, "main", quantity),)


def order_commands(lines: int, *places: om.PlaceOrder) -> list[Told]:
    """What the small shop tells its order, one unit at a time."""
    each = [
        command
        for line in range(1, lines + 1)
        for command in (
            om.AllocateStock(pick(line)),
            om.AllocateStock(backorder=pick(line)),
            om.FillBackorder(pick(line)),
            om.ReleaseStock(pick(line)),
            om.CancelUnits("not wanted", By.CUSTOMER, (Units(line, 1),)),
            om.ResolveLoss((Units(line, 1),)),
            om.ResolveLoss((Units(line, 1),), resupply=True),
        )
    ]
    whole = (om.ConfirmOrder(), om.UnconfirmOrder(), om.CancelUnits("not wanted", By.CUSTOMER), om.CompleteOrder())
    return told(ORDER_KEY, *places, *whole, *each)


def hold_commands(gate: Gate) -> list[Told]:
    """One hold, placed and released."""
    return told(ORDER_KEY, om.PlaceHold(Hold(HoldReason.MANUAL, gate)), om.ReleaseHold(HoldReason.MANUAL, gate))


def bill_commands() -> list[Told]:
    """Two invoices, billed, sent, paid in full and taken back."""
    bills = [Told(ORDER_KEY, om.BillUnits(key.id, "inv")) for key in (I1, I2)]
    return bills


def shipment_commands(key: Key, label: bool, *items: tuple[int, int]) -> list[Told]:
    """One shipment's life, with each of ``items`` (line, quantity) as what may be planned."""
    plan = sm.Plan(carrier="post", needs_label=label)
    plans = [sm.PlanShipment((sm.Item("O", line, "main", quantity),), plan) for line, quantity in items]
    one = sm.Item("O", items[0][0], "main", 1)
    parcel = (sm.PackShipment(0, 1), sm.PackShipment(0, 1, (one,)), sm.HandOver(), sm.VoidShipment())
    route = (sm.RecordDelivered("d"), sm.RecordReturning("r", sm.ReturnReason.REFUSED), sm.ReceiveBack("main"))
    labels = (LABEL, sm.VoidLabel()) if label else ()
    return told(key, *plans, *parcel, *labels, *route, sm.DeclareLost(), sm.DropItems((one,)))


def carried(world: World, effect: Effect) -> list[Told]:
    """What the shipped relay answers an effect with."""
    round_ = relay._Round(rows={effect.lane: Held(1, world[effect.lane])})
    flow = relay._EFFECTS[effect.topic](round_, Parcelled(Message("m", *effect), 1, 1), NOON)
    try:
        next(flow)
    except StopIteration as stop:
        return [Told(key, command) for key, command in stop.value]
    raise AssertionError("a message to another row asks the world nothing")


CARRY = dict.fromkeys(("drop_items", "record_settlement", "unbill"), carried)

# -- the laws across rows


def vectors(world: World) -> Iterator[tuple[str, str, Any]]:
    """(order id, SKU, vector) of every line of every order that was placed."""
    for key, order in world.of("order"):
        if not isinstance(order, Draft):
            for line, vector in zip(order.basket.lines, order.progress.lines, strict=True):
                yield key.id, line.sku, vector


def stock_is_what_orders_hold(world: World) -> str | None:
    """I03: allocated and waiting units of a stock row are those of the orders."""
    kept: Counter[Key] = Counter()
    waiting: Counter[Key] = Counter()
    for _, sku, v in vectors(world):
        for place in (*v.allocated, *v.preparing):
            kept[stock_key("main", sku, place.location)] += place.quantity
        for place in v.backordered:
            waiting[stock_key("main", sku, place.location)] += place.quantity
    for key, row in world.of("stock"):
        if (row.allocated, row.backordered) != (kept[key], waiting[key]):
            return f"{key} counts {row.allocated} and {row.backordered}, orders hold {kept[key]} and {waiting[key]}"
    return None


def unsent_shipments_are_what_orders_prepare(world: World) -> str | None:
    """What stands in shipments that have not left is preparing in its order, or on its way out of the shipment."""
    packed: Counter[tuple[str, str, int]] = Counter()
    for key, shipment in world.of("shipment"):
        if isinstance(shipment, Planned | Packed | Labelled):
            packed.update({(key.id, item.order, item.line): item.quantity for item in shipment.items})
    for effect in world.pending:
        if effect.topic == "drop_items":
            data = dict(effect.data)
            packed[effect.lane.id, data["order"], int(data["line"])] -= int(data["quantity"])
    preparing: Counter[tuple[str, str, int]] = Counter()
    for key, order in world.of("order"):
        if not isinstance(order, Draft):
            for line, vector in enumerate(order.progress.lines, start=1):
                for place in vector.preparing:
                    preparing[place.shipment, key.id, line] += place.quantity
    return None if +packed == +preparing else f"shipments hold {dict(packed)}, orders prepare {dict(preparing)}"


def billed_once(world: World) -> str | None:
    """Units of a line on invoices that stand are its billed units that are not credited, and never more than ordered."""
    billed: Counter[tuple[str, int]] = Counter()
    for key, invoice in world.of("invoice"):
        waits = any(effect.topic == "unbill" and effect.lane == key for effect in world.pending)
        if not isinstance(invoice, Void) or waits:
            billed.update({(line.order, line.line): line.quantity for line in invoice.content.lines})
    for key, order in world.of("order"):
        if isinstance(order, Draft):
            continue
        for line, v in zip(order.basket.lines, order.progress.lines, strict=True):
            if v.invoiced - v.credited != billed[key.id, line.line]:
                return f"line {line.line}: {v.invoiced} - {v.credited} billed, invoices say {billed[key.id, line.line]}"
            if v.invoiced - v.credited > line.quantity:
                return f"line {line.line}: more is billed than was ordered"
    return None


def numbers_are_gapless(world: World) -> str | None:
    """I18: invoices are numbered 1 to n, and the series gives n + 1 next."""
    numbers = sorted(int(invoice.number) for _, invoice in world.of("invoice"))
    series = world[SERIES_KEY]
    following = series.next if series is not ABSENT else 1
    return None if numbers == list(range(1, following)) else f"numbers {numbers}, next {following}"


def completed_owes_nothing(world: World) -> str | None:
    """A completed order has no unit left to send or on its way."""
    for key, order in world.of("order"):
        if isinstance(order, Completed):
            for v in order.progress.lines:
                if v.open or v.backordered or v.allocated or v.preparing or v.shipped:
                    return f"{key} is completed with {v}"
    return None


LAWS = (
    stock_is_what_orders_hold,
    unsent_shipments_are_what_orders_prepare,
    billed_once,
    numbers_are_gapless,
    completed_owes_nothing,
)


def alphabet(commands: list[Told], most_on_hand: int) -> Any:
    """The commands a world may try: ids in order, and goods received while few are there."""
    needs = {S2: S1, I2: I1}

    def tried(world: World) -> Iterable[Told]:
        for command in commands:
            before = needs.get(command.key)
            if before is None or world[before] is not ABSENT:
                yield command
        for key in (TEA, CUP):
            row = world[key]
            if isinstance(row, Stocked) and row.on_hand < most_on_hand:
                yield Told(key, st.ReceiveGoods(1))

    return tried


def walk(start: dict[Key, Any], commands: list[Told], most_on_hand: int = 0, **options: Any) -> Exploration:
    """A walk of the small shop."""
    found = explore(
        options.pop("book", BOOK), start, alphabet(commands, most_on_hand), LAWS, stamp=STAMP, carry=CARRY, **options
    )
    print(found)
    return found
