"""The relay: effects out of the outbox, their answers back as commands, in one commit with "done"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from attrs import define, field, frozen

from orderflow.domain.billing.invoice import MarkSent
from orderflow.domain.billing.invoice_state import Void
from orderflow.domain.engine.decide import Envelope, Flow, Loaded, Message, ask
from orderflow.domain.engine.schema import check_shape
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.orders.billing import RecordPrepayment, RecordSettlement, RecordUnbilling
from orderflow.domain.parties.party import PartyVersion
from orderflow.domain.shipping.labelling import RecordLabel
from orderflow.domain.shipping.planning import DropCancelledItems
from orderflow.domain.shipping.state import Item, Packed, ShippingLabel
from orderflow.domain.values import LineQuantity, party_id
from orderflow.errors import InputError, Key, PortError
from orderflow.flows.asks import BuyLabel, CancelLabel, Claim, DeadLetter, Now, Read, Retry, SendNotice
from orderflow.flows.handle import handle_many
from orderflow.flows.notices import addressee, compose
from orderflow.ports.carrier import Label, LabelRequest, Parcel
from orderflow.ports.storage import Lease

__all__ = ["TOPICS", "RelayReport", "relay"]

#: Attempts before a message is a dead letter, and the delay before each retry in seconds, doubling from the first.
ATTEMPTS: Final = 8
FIRST_DELAY_SECONDS: Final = 10

Commands: TypeAlias = Sequence[tuple[Key, Any]]


@frozen
class RelayReport:
    """What became of the messages claimed: carried out, to be tried again, given up."""

    done: int
    retried: int
    dead: int

    @property
    def claimed(self) -> int:
        """Messages this call has taken; 0 means that none is due."""
        return self.done + self.retried + self.dead


@define
class _Round:
    """One claim: the rows it reads, the commands its answers become and whose answers they are, what failed."""

    rows: dict[Key, Loaded] = field(factory=dict)
    orders: list[Envelope] = field(factory=list)
    answers: dict[str, Lease] = field(factory=dict)
    done: list[Lease] = field(factory=list)
    retried: int = 0
    dead: int = 0
    fixed: bool = False


def relay(
    workflow: Workflow,
    *,
    limit: int = 100,
    actor: str = "relay",
    topics: Sequence[str] | None = None,
    time_of: Callable[[Message], datetime] | None = None,
) -> Flow[RelayReport]:
    """Carry out up to ``limit`` due messages, at least once each; the commands they lead to share one commit.

    Args:
        workflow: the rules the answers are decided by.
        limit: messages claimed at most.
        actor: who the answers are by.
        topics: only these; by default all that this library knows (a host relays its own).
        time_of: when an answer counts as given, for replays of past data; by default now.
    """
    leases = yield from ask(Claim(limit, tuple(topics or TOPICS)))
    if not leases:
        return RelayReport(0, 0, 0)
    now = yield from ask(Now())
    round_ = _Round(fixed=time_of is not None)
    round_.rows.update((yield from ask(Read({lease.message.lane for lease in leases}))))
    round_.rows.update((yield from _people(round_, leases)))
    for lease in leases:
        at = time_of(lease.message) if time_of else now
        yield from _carry_out(round_, lease, Stamp(at, actor, f"relay/{lease.message.id}"))
    yield from _answered(workflow, round_)
    return RelayReport(len(leases) - round_.retried - round_.dead, round_.retried, round_.dead)


def _answered(workflow: Workflow, round_: _Round) -> Flow[None]:
    """Commit the answers; a message whose answer is refused comes again, and is a dead letter in the end."""
    answers = round_.answers
    results = yield from handle_many(
        workflow, round_.orders, trusted=True, cause="relay", answered=round_.done, answers=answers
    )
    for order, result in zip(round_.orders, results, strict=True):
        lease = answers.pop(order.stamp.command_id, None)
        if lease is not None and isinstance(result, Exception):
            yield from _failed(round_, lease, PortError("answer", str(result)))


def _people(round_: _Round, leases: Sequence[Lease]) -> Flow[dict[Key, Loaded]]:
    wanted: dict[Key, None] = {}
    for lease in leases:
        if lease.message.topic == "notify":
            ref = addressee(round_.rows[lease.message.lane].state)
            if ref is not None:
                wanted[lease.message.lane.beside("party", party_id(*ref))] = None
    return dict((yield from ask(Read([*wanted])))) if wanted else {}


def _carry_out(round_: _Round, lease: Lease, stamp: Stamp) -> Flow[None]:
    message = lease.message
    try:
        commands = yield from _EFFECTS[message.topic](round_, lease, stamp.at)
    except PortError as error:
        yield from _failed(round_, lease, error)
        return
    settles = message.topic in _SETTLING
    if not (commands and settles):
        round_.done.append(lease)
    for number, (key, command) in enumerate(commands):
        command_id = stamp.command_id if number == 0 else f"{stamp.command_id}/{number}"
        order = Envelope(key, command, Stamp(stamp.at, stamp.actor, command_id), round_.fixed)
        round_.orders.append(order)
        if settles:
            round_.answers[command_id] = lease


def _failed(round_: _Round, lease: Lease, error: PortError) -> Flow[None]:
    if error.retry and lease.attempts < ATTEMPTS:
        round_.retried += 1
        delay = FIRST_DELAY_SECONDS * 2 ** (lease.attempts - 1)
        yield from ask(Retry(lease, delay, str(error)))
    else:
        round_.dead += 1
        yield from ask(DeadLetter(lease, str(error)))


def _buy_label(round_: _Round, lease: Lease, at: datetime) -> Flow[Commands]:
    """Buy the label of a packed shipment.

    When the shipment has moved on, an earlier attempt may have bought one all the same: the same key gives that
    label again, and it is given back, so that every bought label is used or voided (I30).
    """
    key, shipment = lease.message.lane, round_.rows[lease.message.lane].state
    plan, packing = shipment.plan, getattr(shipment, "packing", None)
    if packing is None or (lease.attempts == 1 and not isinstance(shipment, Packed)):
        return ()
    request = LabelRequest(
        shipment=key.id,
        reference=plan.reference,
        tariff_zone=plan.tariff_zone,
        country=plan.country,
        parcels=(Parcel(packing.weight_grams, packing.pieces),),
        service=plan.service or None,
        idempotency_key=lease.message.id,
    )
    label = yield from ask(BuyLabel(plan.carrier, request))
    record = _checked(plan.carrier, RecordLabel(_shipping_label(label)))
    if isinstance(shipment, Packed):
        return ((key, record),)
    if label.tracking_number != getattr(getattr(shipment, "label", None), "tracking_number", ""):
        yield from ask(CancelLabel(plan.carrier, label.tracking_number, lease.message.id))
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


def _void_label(round_: _Round, lease: Lease, at: datetime) -> Flow[Commands]:
    message = lease.message
    data = dict(message.data)
    yield from ask(CancelLabel(data["carrier"], data["tracking_number"], message.id))
    return ()


def _drop_items(round_: _Round, lease: Lease, at: datetime) -> Flow[Commands]:
    message = lease.message
    data = dict(message.data)
    item = Item(data["order"], int(data["line"]), data["location"], int(data["quantity"]))
    yield from ()
    return ((message.lane, DropCancelledItems((item,))),)


def _record_settlement(round_: _Round, lease: Lease, at: datetime) -> Flow[Commands]:
    message = lease.message
    order = dict(message.data)["order"]
    yield from ()
    return ((message.lane.beside("order", order), RecordSettlement(message.lane.id)),)


def _record_prepayment(round_: _Round, lease: Lease, at: datetime) -> Flow[Commands]:
    message = lease.message
    data = dict(message.data)
    yield from ()
    prepayment = RecordPrepayment(message.lane.id, int(data["amount_minor"]), data["currency"])
    return ((message.lane.beside("order", data["order"]), prepayment),)


def _unbill(round_: _Round, lease: Lease, at: datetime) -> Flow[Commands]:
    """A voided invoice frees its units to be billed again."""
    message = lease.message
    invoice: Void = round_.rows[message.lane].state
    yield from ()
    units: dict[str, list[LineQuantity]] = {}
    for line in invoice.content.lines:
        units.setdefault(line.order, []).append(LineQuantity(line.line, line.quantity))
    return [
        (message.lane.beside("order", order), RecordUnbilling(message.lane.id, tuple(items)))
        for order, items in units.items()
    ]


def _notify(round_: _Round, lease: Lease, at: datetime) -> Flow[Commands]:
    message = lease.message
    state = round_.rows[message.lane].state
    template = dict(message.data)["template"]
    ref = addressee(state)
    party = round_.rows.get(message.lane.beside("party", party_id(*ref))) if ref else None
    person = party.state.person if party and isinstance(party.state, PartyVersion) else None
    yield from ask(SendNotice(compose(message.id, template, message.lane, state, person, at)))
    return ((message.lane, MarkSent()),) if template == "invoice_issued" else ()


_EFFECTS: Final[dict[str, Callable[[_Round, Lease, datetime], Flow[Commands]]]] = {
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
