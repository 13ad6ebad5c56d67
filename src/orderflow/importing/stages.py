"""What a run does with documents: flows that add to one batch, with command ids made from document numbers.

What was already done is recognised by its row or its command id, so a stage that is repeated adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Any, NamedTuple

from attrs import define, evolve, field

from orderflow.domain.billing.numbering import PLAIN, OpenSeries
from orderflow.domain.engine.decide import Envelope, Flow
from orderflow.domain.engine.machine import Absent
from orderflow.domain.engine.record import Command
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.intake import RejectDocument, intake_key
from orderflow.domain.inventory.documents import PostAdjustment, PostReceipt
from orderflow.domain.money.money import Money
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.billing import BillUnits, CompleteOrder
from orderflow.domain.orders.charging import billable_lines
from orderflow.domain.orders.content import LineKind, with_shared
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.orders.state import Accepted, Completed, Confirmed, Placed, Shipped
from orderflow.domain.parties.customer import RegisterCustomer
from orderflow.domain.parties.party import RecordParty
from orderflow.domain.payments.applying import ApplyPayment
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.payments.state import ApplicationTarget, payment_id
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.shipping.state import InTransit
from orderflow.domain.values import stock_key
from orderflow.errors import Key
from orderflow.flows.advance import ShopSettings
from orderflow.flows.allocate import allocate_in
from orderflow.flows.handle import Work
from orderflow.flows.prepare import shipments_for
from orderflow.importing.cancelling import CREDIT_NOTES, credit_note_of, return_of
from orderflow.importing.documents import (
    AdjustmentDocument,
    CancellationDocument,
    OrderDocument,
    PaymentDocument,
    ReceiptDocument,
    RejectedDocument,
)
from orderflow.importing.matching import Match
from orderflow.importing.receiving import StockForecast
from orderflow.ports.storage import Ack


class Until(Enum):
    """How far a run takes orders."""

    CONFIRMED = "confirmed"
    ALLOCATED = "allocated"
    PACKED = "packed"
    WISHED = "wished"
    """To the end, but parcels are not delivered before the day that the customer wished."""
    COMPLETED = "completed"
    """To the end, whatever the customer wished."""

    def reaches(self, step: Until) -> bool:
        """Whether it goes as far as a step."""
        steps = [*Until]
        return steps.index(self) >= steps.index(step)


class Turn(NamedTuple):
    """An order to go on with, and the time of its next steps.

    ``occasion`` is the number of the receipt that brought its goods, empty if the order's own document is the occasion.
    ``arrived``: the file says that its goods have been with the customer, whatever day was wished.
    """

    order: str
    at: datetime
    occasion: str = ""
    arrived: bool = False


class Step(NamedTuple):
    """A command of a document: its id, the row, and when it happened."""

    id: str
    key: Key
    command: Command
    at: datetime | None = None


@define
class Stage:
    """One commit of a run.

    Args:
        work: the batch.
        tenant, channel, actor: whose rows, where documents come from, who works them.
        now: when its steps are recorded.
        settings: how orders are allocated, sent and billed.
        receive: receive what an order or an adjustment needs beyond the available stock.
        until: how far orders are taken.

    ``refused`` are the steps that were not taken, with the reason; ``accepted`` counts the documents taken.
    """

    work: Work
    tenant: str
    channel: str
    actor: str
    now: datetime
    settings: ShopSettings
    receive: bool = False
    until: Until = Until.WISHED
    refused: list[tuple[str, str]] = field(factory=list)
    accepted: int = 0
    _asked: set[Key] = field(factory=set, init=False)

    # -- documents

    def open_series(self) -> Flow[None]:
        """Let documents be dated back in series that nobody has used: a file is not always in order of its dates."""
        names = {self.key("series", name): name for name in (self.settings.series, CREDIT_NOTES)}
        yield from self.work.load(names)
        yield from self.take(
            Step(f"{key}/open", key, OpenSeries("" if name == PLAIN else f"{name}-", backdating=True))
            for key, name in names.items()
            if isinstance(self.state(key), Absent)
        )

    def place(self, window: Sequence[OrderDocument]) -> Flow[None]:
        """Place and confirm orders, with their parties, their customers and the receipts they need."""
        keys = {document.number: self.key("order", document.number) for document in window}
        yield from self.work.load(
            [*keys.values(), *(key for document in window for key in self._people_keys(document))]
        )
        forecast = yield from self._forecast(line.sku for d in window for line in d.content.lines if _is_goods(line))
        steps = [step for document in window for step in self._placed(document, forecast)]
        yield from self.take(steps)
        self.accepted += sum(1 for d in window if self._is_kept(d))
        yield from self.take(
            Step(self.id(document.number, "confirm"), keys[document.number], ConfirmOrder(), document.at)
            for document in window
            if isinstance(self.state(keys[document.number]), Placed)
        )

    def cancel(self, document: CancellationDocument, matches: list[list[Match]], timezone: str) -> Flow[None]:
        """Take goods back and credit their money."""
        yield from self.work.load(self._people_keys(document))
        number, returned = document.number, return_of(document, matches)
        steps = [*self._people(document)]
        if returned is not None:
            steps.append(Step(self.id(number, "return"), self.key("return", number), returned, document.at))
        note = credit_note_of(document, matches, timezone)
        credit = Step(self.id(number, "credit"), self.key("credit_note", number), note, document.at)
        self.accepted += credit.id in (yield from self.take([*steps, credit]))

    def adjust(self, document: AdjustmentDocument) -> Flow[None]:
        """Post differences, with the receipts they need."""
        key = self.key("stock_document", document.number)
        yield from self.work.load([key])
        forecast = yield from self._forecast(change.sku for change in document.changes)
        steps: list[Step] = []
        if forecast and isinstance(self.state(key), Absent):
            steps += self._received(document, forecast.receipt_for_adjustment(document))
        adjust = PostAdjustment(document.changes, document.number, memo=document.memo)
        step = Step(self.id(document.number, "adjust"), key, adjust, document.at)
        self.accepted += step.id in (yield from self.take([*steps, step]))

    def post(self, document: ReceiptDocument) -> Flow[None]:
        """Post received goods."""
        receipt = PostReceipt(document.items, document.number)
        key = self.key("stock_document", document.number)
        step = Step(self.id(document.number, "receive"), key, receipt, document.at)
        self.accepted += step.id in (yield from self.take([step]))

    def pay(self, document: PaymentDocument) -> Flow[None]:
        """Record money, and keep it for its order as far as that takes it; one that waited for it is confirmed."""
        origin = document.origin
        row = self.key("payment", payment_id(origin.source, origin.external_id))
        order = self.key("order", origin.order)
        yield from self.work.load([row, order] if origin.order else [row])
        received = Step(self.id(document.number, "pay"), row, RecordPayment(origin, document.amount), document.at)
        self.accepted += received.id in (yield from self.take([received]))
        amount = _taken(self.state(order), document.amount) if origin.order else None
        if amount and amount.minor:
            apply = ApplyPayment(ApplicationTarget.ORDER, origin.order, amount)
            yield from self.take([Step(self.id(document.number, "apply"), row, apply, document.at)])
        if origin.order and isinstance(self.state(order), Placed):
            yield from self.take([Step(self.id(document.number, "confirm"), order, ConfirmOrder(), document.at)])

    def reject(self, document: RejectedDocument) -> Flow[None]:
        """Record that a document was rejected, and why."""
        codes = tuple(dict.fromkeys(row.code for row in document.rows))
        key = intake_key(self.tenant, self.channel, document.number)
        yield from self.take([Step(self.id(document.number, "reject"), key, RejectDocument(document.line, codes))])

    # -- orders

    def prepare(self, turns: Sequence[Turn], *, in_turn: bool = False) -> Flow[None]:
        """Allocate what the orders want and pack it, as far as the stock allows; ``in_turn``: they are the queue."""
        yield from self._load_orders(turns)
        if not self.until.reaches(Until.ALLOCATED):
            return
        wishes = [
            Envelope(
                self.key("order", turn.order), AllocateStock(), self._stamp(self._turn_id(turn, "allocate"), turn.at)
            )
            for turn in turns
            if _wants_stock(self.order(turn))
        ]
        settings = self.settings.allocation
        yield from allocate_in(self.work, wishes, evolve(settings, skip_queue=True) if in_turn else settings)
        if self.until.reaches(Until.PACKED):
            yield from self.take([step for turn in turns for step in self._packed(turn)])

    def complete(self, turns: Sequence[Turn]) -> Flow[None]:
        """Hand over and deliver what is ready to go, then bill every order, then complete every order.

        A bill and the completion it allows are in one commit, so that the bill's effects are relayed after both, even
        if the run is interrupted.
        """
        yield from self._load_orders(turns)
        if not self.until.reaches(Until.WISHED):
            return
        shipments = {key: turn for turn in turns for key in self._shipments(turn) if not self._is_early(turn)}
        yield from self.work.load(shipments)
        yield from self.take([step for key, turn in shipments.items() for step in self._delivered(key, turn)])
        yield from self.take([step for turn in turns for step in self._billed(turn)])
        yield from self.take(
            Step(self._turn_id(turn, "complete"), self.key("order", turn.order), CompleteOrder(), turn.at)
            for turn in turns
            if _may_be_complete(self.order(turn))
        )

    # -- the steps of one document or order

    def _placed(self, document: OrderDocument, forecast: StockForecast | None) -> Iterator[Step]:
        key = self.key("order", document.number)
        known, place = self.state(key), self.id(document.number, "place")
        if not isinstance(known, Absent):
            if known.content != with_shared(document.content):
                self.refused.append((place, "the order was received before with other content"))
            return
        yield from self._people(document)
        if forecast:
            yield from self._received(document, forecast.receipt_for_order(document))
        yield Step(place, key, PlaceOrder(document.content), document.at)

    def _is_kept(self, document: OrderDocument) -> bool:
        state = self.state(self.key("order", document.number))
        return not isinstance(state, Absent) and state.content == with_shared(document.content)

    def _people_keys(self, document: OrderDocument | CancellationDocument) -> Iterator[Key]:
        yield self.key("party", str(document.party.ref))
        if document.customer:
            yield self.key("customer", document.customer)

    def _people(self, document: OrderDocument | CancellationDocument) -> Iterator[Step]:
        """Steps that record the party version and the customer, unless they are known."""
        ref, person = document.party
        for key in self._people_keys(document):
            if key not in self._asked and isinstance(self.state(key), Absent):
                self._asked.add(key)
                command = RecordParty(person) if key.kind == "party" else RegisterCustomer(ref)
                yield Step(f"{key.kind}/{key.id}", key, command)

    def _received(self, document: OrderDocument | AdjustmentDocument, receipt: PostReceipt | None) -> Iterator[Step]:
        if receipt is not None:
            key = self.key("stock_document", f"{document.number}/receipt")
            yield Step(self.id(document.number, "receive"), key, receipt, document.at)

    def _packed(self, turn: Turn) -> Iterator[Step]:
        for key, plan, pack in shipments_for(self.key("order", turn.order), self.order(turn), self.settings.shipping):
            yield Step(self.id(turn.order, f"plan/{key.id}"), key, plan, turn.at)
            yield Step(self.id(turn.order, f"pack/{key.id}"), key, pack, turn.at)

    def _shipments(self, turn: Turn) -> Iterator[Key]:
        order, key = self.order(turn), self.key("order", turn.order)
        if isinstance(order, Accepted):
            yield from (key.beside("shipment", shipment) for shipment in order.progress.shipments)

    def _is_early(self, turn: Turn) -> bool:
        """Whether the customer wished for a later day, and that is to be kept."""
        day = wished_day(self.order(turn))
        return self.until is Until.WISHED and not turn.arrived and day is not None and day > turn.at.date()

    def _moment(self, turn: Turn) -> datetime:
        """When parcels are delivered: on the day that was wished, if the file was at an earlier one before."""
        order, day = self.order(turn), wished_day(self.order(turn))
        if self.until is Until.WISHED and day is not None and order.placed_at.date() < day < turn.at.date():
            return datetime.combine(day, time(), UTC)
        return turn.at

    def _delivered(self, key: Key, turn: Turn) -> Iterator[Step]:
        state = self.state(key)
        ready = self.work.workflow.machines[key.kind].rule_for(type(state), HandOver) is not None
        if ready:
            yield Step(self.id(turn.order, f"handover/{key.id}"), key, HandOver(), self._moment(turn))
        if ready or isinstance(state, InTransit):
            yield Step(self.id(turn.order, f"deliver/{key.id}"), key, RecordDelivered("delivered"), self._moment(turn))

    def _billed(self, turn: Turn) -> Iterator[Step]:
        order = self.order(turn)
        if isinstance(order, Accepted) and billable_lines(order):
            invoice = f"{turn.order}/{1 + len(order.progress.bills)}"
            bill = BillUnits(invoice, self.settings.series)
            yield Step(self.id(turn.order, f"bill/{invoice}"), self.key("order", turn.order), bill, turn.at)

    # -- rows and commands

    def take(self, steps: Iterable[Step]) -> Flow[set[str]]:
        """Decide steps and return the ids of those taken, now or before. The others go to ``refused``."""
        listed = [*steps]
        envelopes = [Envelope(step.key, step.command, self._stamp(step.id, step.at)) for step in listed]
        results = yield from self.work.take(envelopes)
        taken = {step.id for step, result in zip(listed, results, strict=True) if isinstance(result, Ack)}
        self.refused += [
            (step.id, str(result)) for step, result in zip(listed, results, strict=True) if step.id not in taken
        ]
        return taken

    def key(self, kind: str, id: str) -> Key:  # noqa: A002 - the row's id
        """The key of a row."""
        return Key(self.tenant, kind, id)

    def state(self, key: Key) -> Any:
        """A row as it stands in this batch."""
        return self.work.rows.now[key].state

    def order(self, turn: Turn) -> Any:
        """An order as it stands in this batch."""
        return self.state(self.key("order", turn.order))

    def id(self, number: str, step: str) -> str:
        """The id of a document's command."""
        return f"{self.channel}/{number}/{step}"

    def _turn_id(self, turn: Turn, step: str) -> str:
        return self.id(turn.order, f"{step}/{turn.occasion}" if turn.occasion else step)

    def _stamp(self, command_id: str, at: datetime | None) -> Stamp:
        return Stamp(self.now, self.actor, command_id, at and at.astimezone(UTC))

    def _load_orders(self, turns: Sequence[Turn]) -> Flow[None]:
        yield from self.work.load([self.key("order", turn.order) for turn in turns])

    def _forecast(self, skus: Iterable[str]) -> Flow[StockForecast | None]:
        if not self.receive:
            return None
        home = self.settings.allocation.locations[0]
        keys = {sku: stock_key(self.tenant, sku, home) for sku in skus}
        rows = yield from self.work.load(keys.values())
        return StockForecast(home, {sku: rows[key].state for sku, key in keys.items()})


def wished_day(order: Any) -> date | None:
    """The day on which the customer wished an order to be delivered."""
    requested = order.content.requested if isinstance(order, Accepted) else None
    return requested.date if requested else None


def _is_goods(line: Any) -> bool:
    return line.kind is LineKind.GOODS


def _may_be_complete(order: Any) -> bool:
    """Everything has left, or there are no goods; what waits for its money has not."""
    return isinstance(order, Shipped) or (isinstance(order, Confirmed) and not order.progress.tally.live)


def _taken(order: Any, amount: Money) -> Money:
    """What an order takes of so much money; a completed one what is open on its invoices."""
    if not isinstance(order, Completed):
        return amount
    return Money(min(amount.minor, order.progress.open_minor), amount.currency)


def _wants_stock(order: Any) -> bool:
    return isinstance(order, Accepted) and order.progress.wants_stock
