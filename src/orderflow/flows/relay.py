"""The relay: effects out of the outbox, their answers back as commands, in one commit with "done"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from attrs import define, field, frozen

from orderflow.domain.book import Book
from orderflow.domain.invoice.messages import MarkSent
from orderflow.domain.invoice.states import Void
from orderflow.domain.keys import Key, party_id
from orderflow.domain.order.messages import RecordPrepayment, RecordSettlement, RecordUnbilling
from orderflow.domain.order.values import Units
from orderflow.domain.party import PartyVersion
from orderflow.domain.shape import check_shape
from orderflow.domain.shipment.messages import DropCancelledItems, Item, RecordLabel, ShippingLabel
from orderflow.domain.shipment.states import Packed
from orderflow.domain.stamp import Stamp
from orderflow.errors import InputError, PortError
from orderflow.flows.asks import Bury, BuyLabel, CancelLabel, Claim, Flow, Now, Read, Retry, SendNotice, ask
from orderflow.flows.handle import handle_many
from orderflow.flows.notices import addressee, compose
from orderflow.flows.settle import Order
from orderflow.ports.carrier import Label, LabelRequest, Parcel
from orderflow.ports.storage import Held, Message, Parcelled

__all__ = ["TOPICS", "RelayReport", "relay"]

#: Attempts before a message is buried, and the delay before each retry in seconds, doubling from the first.
ATTEMPTS: Final = 8
FIRST_DELAY_SECONDS: Final = 10

Commands: TypeAlias = Sequence[tuple[Key, Any]]


@frozen
class RelayReport:
    """What became of the messages claimed: carried out, to be tried again, given up."""

    done: int
    retried: int
    buried: int

    @property
    def claimed(self) -> int:
        """Messages this call has taken; 0 means that none is due."""
        return self.done + self.retried + self.buried


@define
class _Round:
    """One claim: the rows it reads, the commands its answers become and whose answers they are, what failed."""

    rows: dict[Key, Held] = field(factory=dict)
    orders: list[Order] = field(factory=list)
    answers: dict[str, Parcelled] = field(factory=dict)
    done: list[Parcelled] = field(factory=list)
    retried: int = 0
    buried: int = 0
    fixed: bool = False


def relay(
    book: Book,
    *,
    limit: int = 100,
    actor: str = "relay",
    topics: Sequence[str] | None = None,
    time_of: Callable[[Message], datetime] | None = None,
) -> Flow[RelayReport]:
    """Carry out up to ``limit`` due messages, at least once each; the commands they lead to share one commit.

    Args:
        book: the rules the answers are settled by.
        limit: messages claimed at most.
        actor: who the answers are by.
        topics: only these; by default all that this library knows (a host relays its own).
        time_of: when an answer counts as given, for replays of past data; by default now.
    """
    parcels = yield from ask(Claim(limit, tuple(topics or TOPICS)))
    if not parcels:
        return RelayReport(0, 0, 0)
    now = yield from ask(Now())
    round_ = _Round(fixed=time_of is not None)
    round_.rows.update((yield from ask(Read({parcel.message.lane for parcel in parcels}))))
    round_.rows.update((yield from _people(round_, parcels)))
    for parcel in parcels:
        at = time_of(parcel.message) if time_of else now
        yield from _carry_out(round_, parcel, Stamp(at, actor, f"relay/{parcel.message.id}"))
    yield from _answered(book, round_)
    return RelayReport(len(parcels) - round_.retried - round_.buried, round_.retried, round_.buried)


def _answered(book: Book, round_: _Round) -> Flow[None]:
    """Commit the answers; a message whose answer is refused comes again, and is buried in the end."""
    answers = round_.answers
    outcomes = yield from handle_many(
        book, round_.orders, trusted=True, cause="relay", answered=round_.done, answers=answers
    )
    for order, outcome in zip(round_.orders, outcomes, strict=True):
        parcel = answers.pop(order.stamp.command_id, None)
        if parcel is not None and isinstance(outcome, Exception):
            yield from _failed(round_, parcel, PortError("answer", str(outcome)))


def _people(round_: _Round, parcels: Sequence[Parcelled]) -> Flow[dict[Key, Held]]:
    wanted: dict[Key, None] = {}
    for parcel in parcels:
        if parcel.message.topic == "notify":
            ref = addressee(round_.rows[parcel.message.lane].state)
            if ref is not None:
                wanted[parcel.message.lane.beside("party", party_id(*ref))] = None
    return dict((yield from ask(Read([*wanted])))) if wanted else {}


def _carry_out(round_: _Round, parcel: Parcelled, stamp: Stamp) -> Flow[None]:
    message = parcel.message
    try:
        commands = yield from _EFFECTS[message.topic](round_, parcel, stamp.at)
    except PortError as error:
        yield from _failed(round_, parcel, error)
        return
    settles = message.topic in _SETTLING
    if not (commands and settles):
        round_.done.append(parcel)
    for number, (key, command) in enumerate(commands):
        command_id = stamp.command_id if number == 0 else f"{stamp.command_id}/{number}"
        order = Order(key, command, Stamp(stamp.at, stamp.actor, command_id), round_.fixed)
        round_.orders.append(order)
        if settles:
            round_.answers[command_id] = parcel


def _failed(round_: _Round, parcel: Parcelled, error: PortError) -> Flow[None]:
    if error.retry and parcel.attempts < ATTEMPTS:
        round_.retried += 1
        delay = FIRST_DELAY_SECONDS * 2 ** (parcel.attempts - 1)
        yield from ask(Retry(parcel, delay, str(error)))
    else:
        round_.buried += 1
        yield from ask(Bury(parcel, str(error)))


def _buy_label(round_: _Round, parcel: Parcelled, at: datetime) -> Flow[Commands]:
    """Buy the label of a packed shipment.

    When the shipment has moved on, an earlier attempt may have bought one all the same: the same key gives that
    label again, and it is given back, so that every bought label is used or voided (I30).
    """
    key, shipment = parcel.message.lane, round_.rows[parcel.message.lane].state
    plan, packing = shipment.plan, getattr(shipment, "packing", None)
    if packing is None or (parcel.attempts == 1 and not isinstance(shipment, Packed)):
        return ()
    request = LabelRequest(
        shipment=key.id,
        reference=plan.reference,
        zone=plan.zone,
        country=plan.country,
        parcels=(Parcel(packing.weight_grams, packing.pieces),),
        service=plan.service or None,
        idempotency_key=parcel.message.id,
    )
    label = yield from ask(BuyLabel(plan.carrier, request))
    record = _checked(plan.carrier, RecordLabel(_shipping_label(label)))
    if isinstance(shipment, Packed):
        return ((key, record),)
    if label.tracking_number != getattr(getattr(shipment, "label", None), "tracking_number", ""):
        yield from ask(CancelLabel(plan.carrier, label.tracking_number, parcel.message.id))
    return ()


def _shipping_label(label: Label) -> ShippingLabel:
    price = label.price
    return ShippingLabel(
        label.carrier,
        label.service,
        label.tracking_number,
        price.minor if price is not None else None,
        price.currency if price is not None else "",
        label.data,
        label.media_type,
    )


def _checked(carrier: str, record: RecordLabel) -> RecordLabel:
    """A label as it must be; answers of the world outside are not trusted."""
    try:
        check_shape(record)
    except InputError as error:
        raise PortError(carrier, f"sold a malformed label: {error}") from error
    return record


def _void_label(round_: _Round, parcel: Parcelled, at: datetime) -> Flow[Commands]:
    message = parcel.message
    data = dict(message.data)
    yield from ask(CancelLabel(data["carrier"], data["tracking_number"], message.id))
    return ()


def _drop_items(round_: _Round, parcel: Parcelled, at: datetime) -> Flow[Commands]:
    message = parcel.message
    data = dict(message.data)
    item = Item(data["order"], int(data["line"]), data["location"], int(data["quantity"]))
    yield from ()
    return ((message.lane, DropCancelledItems((item,))),)


def _record_settlement(round_: _Round, parcel: Parcelled, at: datetime) -> Flow[Commands]:
    message = parcel.message
    order = dict(message.data)["order"]
    yield from ()
    return ((message.lane.beside("order", order), RecordSettlement(message.lane.id)),)


def _record_prepayment(round_: _Round, parcel: Parcelled, at: datetime) -> Flow[Commands]:
    message = parcel.message
    data = dict(message.data)
    yield from ()
    prepayment = RecordPrepayment(message.lane.id, int(data["amount_minor"]), data["currency"])
    return ((message.lane.beside("order", data["order"]), prepayment),)


def _unbill(round_: _Round, parcel: Parcelled, at: datetime) -> Flow[Commands]:
    """A voided invoice frees its units to be billed again."""
    message = parcel.message
    invoice: Void = round_.rows[message.lane].state
    yield from ()
    units: dict[str, list[Units]] = {}
    for line in invoice.content.lines:
        units.setdefault(line.order, []).append(Units(line.line, line.quantity))
    return [
        (message.lane.beside("order", order), RecordUnbilling(message.lane.id, tuple(items)))
        for order, items in units.items()
    ]


def _notify(round_: _Round, parcel: Parcelled, at: datetime) -> Flow[Commands]:
    message = parcel.message
    state = round_.rows[message.lane].state
    template = dict(message.data)["template"]
    ref = addressee(state)
    party = round_.rows.get(message.lane.beside("party", party_id(*ref))) if ref else None
    person = party.state.person if party and isinstance(party.state, PartyVersion) else None
    yield from ask(SendNotice(compose(message.id, template, message.lane, state, person, at)))
    return ((message.lane, MarkSent()),) if template == "invoice_issued" else ()


_EFFECTS: Final[dict[str, Callable[[_Round, Parcelled, datetime], Flow[Commands]]]] = {
    "buy_label": _buy_label,
    "void_label": _void_label,
    "drop_items": _drop_items,
    "record_settlement": _record_settlement,
    "record_prepayment": _record_prepayment,
    "unbill": _unbill,
    "notify": _notify,
}

#: Topics that are done only when their answer is accepted; a notice is sent, whatever its invoice became since.
_SETTLING: Final = frozenset(_EFFECTS) - {"notify"}

#: The topics this relay carries out.
TOPICS: Final = tuple(_EFFECTS)
