"""What shipments tell orders, and orders tell shipments after the commit; labels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from typing import Any

from orderflow.domain.engine.decide import Loaded, Read
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Effect, EventContext, Require, Send
from orderflow.domain.orders import exceeding, parcels, shipping
from orderflow.domain.orders.returning import RecordRejection
from orderflow.domain.orders.shipping import travelling_with
from orderflow.domain.shipping import carriage, leaving, planning, returning
from orderflow.domain.shipping.state import Item, ReturnReason, Scan, ShippingLabel, Voided
from orderflow.domain.values import LineQuantity, Pick, summed
from orderflow.errors import Key, Refusal

Loads = tuple[Pick, ...]


def _by_order(shipment: Key, items: Iterable[Item]) -> Iterator[tuple[Key, Loads]]:
    found: dict[str, list[Pick]] = {}
    for order, line, location, quantity in items:
        found.setdefault(order, []).append(Pick(line, location, quantity))
    for order, picks in found.items():
        yield shipment.beside("order", order), tuple(picks)


def _to_orders(context: EventContext, items: Iterable[Item], command: Callable[..., Any]) -> Iterator[Send]:
    """One command for each order in the shipment, which says where that goes."""
    plan = context.after.plan
    for key, loads in _by_order(context.key, items):
        yield Send(key, command(context.key.id, loads, plan.ship_to, plan.country))


def prepare(context: EventContext) -> Iterator[Send]:
    return _to_orders(context, context.event.items, shipping.PrepareShipment)


def exceed(context: EventContext) -> Iterator[Send]:
    for key, loads in _by_order(context.key, context.event.items):
        yield Send(key, exceeding.AddExcess(context.key.id, loads))


def add_items(context: EventContext) -> Iterator[Send]:
    """The shipment hears as which lines its order took in what was picked beyond it."""
    items = tuple([Item(context.key.id, *added) for added in context.event.units])
    yield Send(context.key.beside("shipment", context.event.shipment), planning.AddItems(items))


def take_out_short(context: EventContext) -> Iterator[Send]:
    return _taken_out(context, shipping.TakeOutShort)


def cancel_preparation(context: EventContext) -> Iterator[Send]:
    return _taken_out(context, shipping.CancelPreparation)


def _taken_out(context: EventContext, command: Callable[[str, tuple[shipping.Kept, ...]], Any]) -> Iterator[Send]:
    """Each order hears what is still in the shipment: what it has cancelled meanwhile it does not count there."""
    kept = {item[:3]: item.quantity for item in getattr(context.after, "items", ())}
    for key, picks in _by_order(context.key, context.event.items):
        left = [shipping.Kept(line, at, kept.get((key.id, line, at), 0)) for line, at, _ in picks]
        yield Send(key, command(context.key.id, tuple(left)))


def dispatch(context: EventContext) -> Iterator[Send]:
    return _to_orders(context, context.after.items, shipping.DispatchShipment)


def travels_with(key: Key, command: leaving.HandOver) -> Generator[Read, Mapping[Key, Loaded], Collection[Key]]:
    """The other shipments that must be ready, as their orders travel together."""
    items: tuple[Item, ...] = getattr((yield Read([key]))[key].state, "items", ())
    orders = dict(_by_order(key, items))
    rows = (yield Read([*orders])) if orders else {}
    others = [travelling_with(rows[order].state, {line for line, _, _ in loads}) for order, loads in orders.items()]
    return [key.beside("shipment", other) for other in sorted(set().union(*others) - {key.id})]


def others_ready(context: EventContext) -> Iterator[Require]:
    """What must travel together leaves together."""
    event = context.event
    for other in sorted(travelling_with(context.before, {load.line for load in event.loads}) - {event.shipment}):
        yield Require(context.key.beside("shipment", other), _is_ready(other))


def _is_ready(shipment: str) -> Callable[[Any, Stamp], Refusal | None]:
    """It has its label, or needs none; and what is in it waits for no other order, which might keep it here."""

    def guard(state: Any, stamp: Stamp) -> Refusal | None:
        packed = hasattr(state, "label") or (hasattr(state, "packing") and not state.plan.needs_label)
        if packed and len({item.order for item in state.items}) == 1:
            return None
        why = "is shared with other orders" if packed else "is not packed, or has no label"
        return refuse(
            "others_not_ready", "must travel with shipment {shipment}, which {why}", shipment=shipment, why=why
        )

    return guard


def depart(context: EventContext) -> Iterator[Send]:
    """The shipment has left though nobody handed it over: each order says whether it owed its units."""
    return _to_orders(context, context.after.items, parcels.RecordDeparture)


def answer_departure(context: EventContext) -> Iterator[Send]:
    event = context.event
    answer = leaving.RecordAnswer(context.key.id, event.surplus, event.against)
    yield Send(context.key.beside("shipment", event.shipment), answer)


def question_dates(context: EventContext) -> Iterator[Send]:
    """The shipment left before this order was placed, as the dates say."""
    placed_at = context.before.placed_at
    if context.stamp.moment < placed_at:
        shipment = context.key.beside("shipment", context.event.shipment)
        yield Send(shipment, leaving.RecordOrderDate(context.key.id, placed_at))


def look_again(context: EventContext) -> Iterator[Send]:
    """What was told of the shipment before it left is true now, once all its orders have answered."""
    tracking = context.after.tracking
    if tracking.asked:
        return
    for scan in sorted(tracking.parked, key=lambda scan: scan.at):
        yield Send(context.key, _told(scan))
    for report in context.before.tracking.reports:
        told = returning.ReceiveReturned(*report) if report.returned else returning.ReceiveBack(*report[:-1])
        yield Send(context.key, told)


def _told(scan: Scan) -> Any:
    if scan.status == "delivered":
        return carriage.RecordDelivered(scan.event_id)
    if scan.status == "lost":
        return carriage.RecordLost(scan.event_id)
    if scan.status in {why.value for why in ReturnReason}:
        return carriage.RecordReturning(scan.event_id, ReturnReason(scan.status))
    return carriage.RecordTracking(scan.event_id, carriage.TrackingStatus(scan.status), scan.detail)


#: The bucket of an order's line for each fate of its units; those on the way are shipped.
_STAGES = {stage.value: stage for stage in parcels.Stage}


def _told_of(
    context: EventContext, target: str, location: str = ""
) -> Iterator[tuple[Key, tuple[parcels.Reported, ...]]]:
    """The moves to a fate, as each order counts them; the way is where an order has shipped its units to.

    Of units from one location only, if one is named.
    """
    found: dict[str, dict[tuple[int, parcels.Stage], int]] = {}
    for place, source, to, quantity in context.event.moves:
        item = context.before.items[place]
        if to == target and location in ("", item.location):
            units = found.setdefault(item.order, {})
            name = item.line, _STAGES.get(source, parcels.Stage.SHIPPED)
            units[name] = units.get(name, 0) + quantity
    for order, units in found.items():
        reported = tuple([parcels.Reported(*name, quantity) for name, quantity in units.items()])
        yield context.key.beside("order", order), reported


def deliver(context: EventContext) -> Iterator[Send]:
    for key, units in _told_of(context, "delivered"):
        yield Send(key, parcels.RecordDelivery(context.key.id, units))


def take_back(context: EventContext) -> Iterator[Send]:
    event, claimed = context.event, dict[Key, list[LineQuantity]]()
    for (_, order, line), _, quantity in event.claimed:
        claimed.setdefault(context.key.beside("order", order), []).append(LineQuantity(line, quantity))
    in_return = bool(event.returned) and not event.usable
    told = dict(_here_again(context, dict(_beyond(context))))
    for key in dict.fromkeys((*told, *claimed)):
        back, mine = told.get(key, ((), (), ())), tuple(claimed.get(key, ()))
        yield Send(key, parcels.RecordBack(context.key.id, event.location, event.usable, *back, mine, in_return))


_Told = tuple[tuple[parcels.Reported, ...], tuple[LineQuantity, ...], tuple[int, ...]]


def _here_again(context: EventContext, beyond: dict[Key, Loads], location: str = "") -> Iterator[tuple[Key, _Told]]:
    """By order: the units that are back, those that belong to no order, and the lines to count."""
    back = dict(_told_of(context, "returned", location))
    recovered = dict(_told_of(context, "recovered", location))
    for key in dict.fromkeys((*back, *recovered, *beyond)):
        recount = tuple([line for line, _, _ in beyond.get(key, ())])
        yield key, (back.get(key, ()), _units(recovered.get(key, ())), recount)


def recount(context: EventContext) -> Iterator[Send]:
    """Units are said to be back that never left."""
    for key, picks in _beyond(context):
        lines = tuple([line for line, _, _ in picks])
        yield Send(key, parcels.RecordBack(context.key.id, context.event.location, recount=lines))


def _beyond(context: EventContext) -> Iterator[tuple[Key, Loads]]:
    items = [Item(order, line, "", quantity) for order, line, quantity in context.event.beyond]
    return _by_order(context.key, items)


def write_off(context: EventContext) -> Iterator[Send]:
    for key, units in _told_of(context, "lost"):
        yield Send(key, parcels.RecordLoss(context.key.id, _units(units)))


def _units(reported: Iterable[parcels.Reported]) -> tuple[LineQuantity, ...]:
    sums = summed([(line, quantity) for line, _, quantity in reported])
    return tuple([LineQuantity(line, quantity) for line, quantity in sums.items()])


def reject(context: EventContext) -> Iterator[Send]:
    """Units that came back are the customer's again: they count as delivered, or are a gift."""
    event = context.event
    sent, gifts = dict(_told_of(context, "delivered")), dict(_told_of(context, "gift"))
    for key in dict.fromkeys((*sent, *gifts)):
        units, given = _units(sent.get(key, ())), _units(gifts.get(key, ()))
        yield Send(key, RecordRejection(event.document, event.location, units, given))


def resupply(context: EventContext) -> Iterator[Send]:
    for key, units in _told_of(context, "replaced"):
        yield Send(key, parcels.OweAgain(context.key.id, units))


def leave_behind(context: EventContext) -> Iterator[Send]:
    """What had not left is owed again; what was settled otherwise is only here, and on sale as it never was away."""
    event, items = context.event, context.before.items
    stayed = [items[m.place]._replace(quantity=m.quantity) for m in event.moves if m.target == "left_behind"]
    here = dict(_by_order(context.key, stayed))
    for key, units in _told_of(context, "left_behind"):
        yield Send(key, parcels.OweAgain(context.key.id, units, here[key]))
    for location in dict.fromkeys(item.location for item in event.items):
        beyond = dict(_by_order(context.key, [item for item in event.beyond if item.location == location]))
        for key, told in _here_again(context, beyond, location):
            usable = True
            yield Send(key, parcels.RecordBack(context.key.id, location, usable, *told))


# -- after the commit


def drop_items(context: EventContext) -> Iterator[Effect]:
    """A shipment stands below its order in lock order, so it hears of a cancellation afterwards."""
    for piece in context.event.slices:
        if piece.bucket == "preparing":
            data = (("order", context.key.id), ("line", str(piece.line)), ("location", piece.location))
            yield Effect("drop_items", context.key.beside("shipment", piece.shipment), data)


def readdress(context: EventContext) -> Iterator[Effect]:
    """Shipments that wait with goods of the order go where these now go."""
    inside = [shipment for v in context.after.progress.lines for shipment, _, _ in v.preparing]
    for shipment in dict.fromkeys(inside):
        yield Effect("readdress", context.key.beside("shipment", shipment))


def readdress_rest(context: EventContext) -> Iterator[Effect]:
    """All units of a line were taken out; what is left may now go elsewhere."""
    left = {item[:2] for item in getattr(context.after, "items", ())}
    if left and any(item[:2] not in left for item in context.event.items):
        yield Effect("readdress", context.key)


def buy_label(context: EventContext) -> Iterator[Effect]:
    """The purchase names what it is for: the same key asks for the same, whatever becomes of the plan."""
    plan, wanted = context.after.plan, context.event.wanted
    if wanted:
        data = {"wanted": wanted, "carrier": plan.carrier, "service": plan.service, "tariff_zone": plan.tariff_zone}
        where = {"country": plan.country, "ship_to": str(plan.ship_to or "")}
        yield Effect("buy_label", context.key, tuple({**data, **where}.items()))


def void_label(context: EventContext) -> Iterator[Effect]:
    if context.event.tracking_number:
        yield _voiding(context.key, context.before.label)


def void_unused(context: EventContext) -> Iterator[Effect]:
    """Nothing of the shipment has left after all."""
    label = context.before.carriage.label
    if label and isinstance(context.after, Voided):
        yield _voiding(context.key, label)


def void_spare(context: EventContext) -> Iterator[Effect]:
    if context.event.tracking_number:
        yield _voiding(context.key, context.event.label)


def _voiding(key: Key, label: ShippingLabel) -> Effect:
    return Effect("void_label", key, (("tracking_number", label.tracking_number), ("carrier", label.carrier)))
