"""What shipments tell orders, and orders tell shipments after the commit; labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from orderflow.domain.engine.workflow import Effect, EventContext, Send
from orderflow.domain.orders import parcels, shipping
from orderflow.domain.orders.returning import RecordRejection
from orderflow.domain.shipping import carriage, leaving, returning
from orderflow.domain.shipping.state import Item, ReturnReason, Scan, ShippingLabel, Voided
from orderflow.domain.values import LineQuantity, Pick, summed
from orderflow.errors import Key

Loads = tuple[Pick, ...]


def _by_order(shipment: Key, items: Iterable[Item]) -> Iterator[tuple[Key, Loads]]:
    found: dict[str, list[Pick]] = {}
    for order, line, location, quantity in items:
        found.setdefault(order, []).append(Pick(line, location, quantity))
    for order, picks in found.items():
        yield shipment.beside("order", order), tuple(picks)


def _to_orders(context: EventContext, items: Iterable[Item], command: Callable[[str, Loads], Any]) -> Iterator[Send]:
    """One command for each order in the shipment."""
    for key, loads in _by_order(context.key, items):
        yield Send(key, command(context.key.id, loads))


def prepare(context: EventContext) -> Iterator[Send]:
    return _to_orders(context, context.event.items, shipping.PrepareShipment)


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


def buy_label(context: EventContext) -> Iterator[Effect]:
    plan, wanted = context.after.plan, context.event.wanted
    if wanted:
        data = (("wanted", wanted), ("carrier", plan.carrier), ("service", plan.service))
        yield Effect("buy_label", context.key, data)


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
