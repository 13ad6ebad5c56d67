"""The pipeline: documents in windows, each window stage by stage, each stage one commit.

Windows follow from the file alone. What a stage does follows from the rows as they are, under command ids that follow
from the documents: a run that was interrupted passes over the windows marked as finished, goes through the next one
again, where what is done already is answered and not done twice, and ends with the same rows as a run in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from attrs import define, field

from orderflow.adapters.clock import FixedClock
from orderflow.adapters.storage.conditions import MAX_LIMIT
from orderflow.domain.engine.machine import Absent
from orderflow.domain.intake import RejectDocument
from orderflow.domain.inventory.documents import PostAdjustment, PostReceipt
from orderflow.domain.orders.billing import BillUnits, CompleteOrder, billable_lines
from orderflow.domain.orders.content import LineKind
from orderflow.domain.orders.placing import ConfirmOrder, PlaceOrder
from orderflow.domain.orders.state import Accepted, Confirmed, Placed, Shipped
from orderflow.domain.parties.customer import RegisterCustomer
from orderflow.domain.parties.party import Person, RecordParty
from orderflow.domain.shipping.carriage import HandOver, RecordDelivered
from orderflow.domain.shipping.state import InTransit, Labelled, Packed
from orderflow.domain.values import party_id, stock_key
from orderflow.errors import Key
from orderflow.flows.prepare import shipments_for
from orderflow.importing.cancelling import credit_note_of, return_of
from orderflow.importing.documents import (
    AdjustmentDocument,
    CancellationDocument,
    Document,
    OrderDocument,
    Party,
    ReceiptDocument,
    RejectedDocument,
    Source,
)
from orderflow.importing.matching import Matcher
from orderflow.importing.progress import RecordProgress, Run
from orderflow.importing.receiving import StockForecast
from orderflow.ports.storage import Ack, Query, Row
from orderflow.shop import OrderFlow, Request

__all__ = ["WINDOW", "Pipeline"]


#: Orders worked together at most.
WINDOW: Final = 50


#: The states of accepted orders that go on.
_UNFINISHED: Final = ("Confirmed", "AwaitingStock", "Allocated", "Preparing", "PartlyShipped", "Shipped")


@define
class Pipeline:
    """Takes a source's documents through the six steps.

    Args:
        shop: where they go; its clock must be ``clock``.
        source: where they come from.
        clock: set to the time of the newest document of each window, which is when the window's steps are recorded;
            each document's own time is when they occurred.
        name: what progress is marked under.
        receive: before each order and each negative adjustment, receive what exceeds the available stock.
        advanced: called with the number of documents finished, after each window.

    ``refused`` lists command ids with the reason, ``worked`` counts the orders of this call; ``seen`` counts the
    documents of the file, ``rejected`` are those of them with faults, ``places`` is where its receipts put
    goods, the first first.
    """

    shop: OrderFlow
    source: Source
    clock: FixedClock
    name: str
    receive: bool = False
    advanced: Callable[[int], None] = lambda _: None
    _matcher: Matcher = field(factory=Matcher, init=False)
    _recorded: set[str] = field(factory=set, init=False)
    _finished: int = field(default=0, init=False)
    refused: list[tuple[str, str]] = field(factory=list, init=False)
    worked: int = field(default=0, init=False)
    seen: int = field(default=0, init=False)
    rejected: list[RejectedDocument] = field(factory=list, init=False)
    places: dict[str, None] = field(factory=dict, init=False)

    def run(self) -> None:
        """Work every document that is not finished yet."""
        self._catch_up()
        mark = self._states([self.shop.key("run", self.name)])[0]
        self._finished = mark.documents if isinstance(mark, Run) else 0
        window: list[OrderDocument] = []
        for document in self.source.documents():
            if not isinstance(document, OrderDocument):
                self._orders(window)
                window = []
                self._other(document)
                continue
            self._matcher.bought(document)
            window.append(document)
            if len(window) == WINDOW:
                self._orders(window)
                window = []
        self._orders(window)
        self._relay()

    def _catch_up(self) -> None:
        """Begin no earlier than any run into this database has come, so that no row's times go back."""
        for row in self.shop.find(Query("run", limit=MAX_LIMIT)):
            *_, last = self.shop.history("run", row.key.id)
            self.clock.set(max(last.at, self.clock.now()))

    # -- windows

    def _begin(self, count: int, at: Any) -> bool:
        """Whether a window of ``count`` documents has still to be worked."""
        self.seen += count
        if at is not None:
            self.clock.set(max(at, self.clock.now()))
        return self.seen > self._finished

    def _end(self, *commands: Request) -> None:
        """Mark the window as finished, in one commit with its last commands."""
        mark = Request(self.name, RecordProgress(self.seen), f"run/{self.name}/{self.seen}")
        self._stage([*commands, mark])
        self.advanced(self.seen)

    def _orders(self, window: Sequence[OrderDocument]) -> None:
        if not window:
            return
        if not self._begin(len(window), max(document.at for document in window)):
            for document in window:
                self._record_party(document.party, document.content.customer)
            return
        self._stage(self._place(window))
        self._stage(self._confirm(window))
        self._end(*self._work_on(window, ""))
        self.worked += len(window)

    def _other(self, document: Document) -> None:
        if isinstance(document, RejectedDocument):
            self.rejected.append(document)
        elif isinstance(document, ReceiptDocument):
            self.places.update(dict.fromkeys(item.location for item in document.items))
        matches = self._matcher.given_back(document) if isinstance(document, CancellationDocument) else []
        recorded = (
            self._record_party(document.party, document.customer) if isinstance(document, CancellationDocument) else []
        )
        if not self._begin(1, document.at):
            return
        if isinstance(document, CancellationDocument):
            self._cancel(document, matches, recorded)
        elif isinstance(document, AdjustmentDocument):
            self._end(*self._adjust(document))
        elif isinstance(document, ReceiptDocument):
            self._receipt(document)
        elif isinstance(document, RejectedDocument):
            codes = tuple(dict.fromkeys(row.code for row in document.rows))
            reject = RejectDocument(document.line, codes)
            self._end(Request(f"{self.source.channel}/{document.number}", reject, self._id(document, "reject")))

    def _work_on(self, window: Sequence[OrderDocument], suffix: str) -> list[Request]:
        """From allocation to completion, as far as the stock allows; gives the commands of the last stage.

        Billing and completing are one commit: what a bill sets off is relayed after both, wherever a run is cut off.
        """
        goods = [d for d in window if any(line.kind is LineKind.GOODS for line in d.content.lines)]
        self._allocate(goods, suffix)
        self._stage(self._prepare(goods))
        self._relay()
        self._stage(self._ship(goods))
        return [*self._bill_and_complete(window, suffix)]

    def _stage(self, commands: Iterable[Request]) -> None:
        """One commit. What is refused, malformed or known with other content is remembered for the summary."""
        listed = [*commands]
        results = self.shop.handle_many(listed) if listed else []
        for do, result in zip(listed, results, strict=True):
            if not isinstance(result, Ack):
                self.refused.append((do.command_id, str(result)))

    def _relay(self) -> None:
        """Carry out every effect so far. Called at points that follow from the file, so answers have fixed times."""
        while self.shop.relay(200).done and self.shop.storage.pending():
            pass

    # -- stages

    def _place(self, window: Sequence[OrderDocument]) -> Iterator[Request]:
        forecast = self._forecast({line.sku for d in window for line in d.content.lines if line.kind is LineKind.GOODS})
        for document, state in self._now(window):
            recorded = self._record_party(document.party, document.content.customer)
            if not isinstance(state, Absent):
                self._compare(document, state)
                continue
            yield from recorded
            if self.receive:
                yield from self._receive(document, forecast.receipt_for_order(document))
            place = PlaceOrder(document.content)
            yield Request(document.number, place, self._id(document, "place"), occurred_at=document.at)

    def _compare(self, document: OrderDocument, state: Any) -> None:
        """An order that is known keeps what it holds; that a document says otherwise is told."""
        if state.content != document.content:
            self.refused.append((self._id(document, "place"), "the order is known with other content"))

    def _record_party(self, party: Party, customer: str) -> list[Request]:
        """Party versions and customers, each when first met; asked for every document, so that a resumed run knows."""
        ref = party_id(*party.ref)
        found = []
        if ref not in self._recorded:
            self._recorded.add(ref)
            kept = self._states([self.shop.key("party", ref)])[0]
            if isinstance(kept, Absent):
                found.append(Request(ref, RecordParty(party.person), f"party/{ref}"))
            elif getattr(kept, "person", None) != party.person:
                self.refused.append((f"party/{ref}", "the party version is known with other data"))
        if customer and customer not in self._recorded:
            self._recorded.add(customer)
            if isinstance(self._states([self.shop.key("customer", customer)])[0], Absent):
                found.append(Request(customer, RegisterCustomer(party.ref), f"customer/{customer}"))
        return found

    def _receive(self, document: OrderDocument | AdjustmentDocument, receipt: PostReceipt | None) -> Iterator[Request]:
        if receipt is not None:
            number = f"{document.number}/receipt"
            yield Request(number, receipt, self._id(document, "receive"), occurred_at=document.at)

    def _confirm(self, window: Sequence[OrderDocument]) -> Iterator[Request]:
        for document, state in self._now(window):
            if isinstance(state, Placed):
                yield Request(document.number, ConfirmOrder(), self._id(document, "confirm"), occurred_at=document.at)

    def _allocate(self, window: Sequence[OrderDocument], suffix: str) -> None:
        wishes = [
            Request(document.number, None, self._id(document, f"allocate{suffix}"), occurred_at=document.at)
            for document, state in self._now(window)
            if isinstance(state, Accepted) and any(vector.wants_stock for vector in state.progress.lines)
        ]
        if wishes:
            self.shop.allocate(*wishes)

    def _prepare(self, window: Sequence[OrderDocument]) -> Iterator[Request]:
        for document, state in self._now(window):
            for key, plan, pack in shipments_for(
                self.shop.key("order", document.number), state, self.shop.settings.shipping
            ):
                yield Request(key.id, plan, self._id(document, f"plan/{key.id}"), occurred_at=document.at)
                yield Request(key.id, pack, self._id(document, f"pack/{key.id}"), occurred_at=document.at)

    def _ship(self, window: Sequence[OrderDocument]) -> Iterator[Request]:
        """Hand over every shipment of the window that is ready, and record its delivery."""
        owners = {
            self.shop.key("shipment", f"{document.number}/{number}"): document
            for document, state in self._now(window)
            if isinstance(state, Accepted)
            for number in range(1, state.progress.shipments + 1)
        }
        for (key, document), state in zip(owners.items(), self._states([*owners]), strict=True):
            if isinstance(state, Packed | Labelled):
                yield Request(key.id, HandOver(), self._id(document, f"handover/{key.id}"), occurred_at=document.at)
            if isinstance(state, Packed | Labelled | InTransit):
                delivered = RecordDelivered("delivered")
                yield Request(key.id, delivered, self._id(document, f"deliver/{key.id}"), occurred_at=document.at)

    def _bill_and_complete(self, window: Sequence[OrderDocument], suffix: str) -> Iterator[Request]:
        """Every bill of the window, then every completion."""
        orders = [*self._now(window)]
        for document, state in orders:
            if isinstance(state, Accepted) and billable_lines(state):
                invoice = f"{document.number}/{1 + len(state.progress.invoices)}"
                bill = BillUnits(invoice, self.shop.settings.series)
                yield Request(document.number, bill, self._id(document, f"bill/{invoice}"), occurred_at=document.at)
        for document, state in orders:
            if isinstance(state, Confirmed | Shipped):
                complete = self._id(document, f"complete{suffix}")
                yield Request(document.number, CompleteOrder(), complete, occurred_at=document.at)

    # -- other documents

    def _cancel(self, document: CancellationDocument, matches: list[Any], recorded: list[Request]) -> None:
        commands = [*recorded]
        returned = return_of(document, matches)
        if returned is not None:
            commands.append(Request(document.number, returned, self._id(document, "return"), occurred_at=document.at))
        note = credit_note_of(document, matches, self.source.zone)
        commands.append(Request(document.number, note, self._id(document, "credit"), occurred_at=document.at))
        self._end(*commands)

    def _adjust(self, document: AdjustmentDocument) -> Iterator[Request]:
        if not isinstance(self._states([self.shop.key("stock_document", document.number)])[0], Absent):
            return
        if self.receive:
            forecast = self._forecast({change.sku for change in document.changes})
            yield from self._receive(document, forecast.receipt_for_adjustment(document))
        adjust = PostAdjustment(document.changes, document.number, memo=document.memo)
        yield Request(document.number, adjust, self._id(document, "adjust"), occurred_at=document.at)

    def _receipt(self, document: ReceiptDocument) -> None:
        """Goods came in: book them, then go on with the orders that wait, first come, first served."""
        receipt = PostReceipt(document.items, document.number)
        self._stage([Request(document.number, receipt, self._id(document, "receive"), occurred_at=document.at)])
        last: Iterable[Request] = ()
        for window in self._unfinished(document):
            self._stage(last)
            last = self._work_on(window, f"/{document.number}")
        self._end(*last)

    def _unfinished(self, document: ReceiptDocument) -> Iterator[list[OrderDocument]]:
        """Accepted orders that are not finished, in the order they came.

        Those that wait are among them; so are those that an interrupted run has already given their goods.
        """
        cursor = 0
        while rows := self.shop.find(Query("order", _UNFINISHED, cursor=cursor, limit=WINDOW)):
            cursor = rows[-1].cursor
            yield [_order_of(row, document) for row in rows]

    # -- rows

    def _id(self, document: Document, step: str) -> str:
        return f"{self.source.channel}/{document.number}/{step}"

    def _now(self, window: Sequence[OrderDocument]) -> Iterator[tuple[OrderDocument, Any]]:
        return zip(window, self._states([self.shop.key("order", d.number) for d in window]), strict=True)

    def _states(self, keys: Sequence[Key]) -> list[Any]:
        if not keys:
            return []
        rows = self.shop.read(keys)
        return [rows[key].state for key in keys]

    def _forecast(self, skus: Iterable[str]) -> StockForecast:
        home = self.shop.settings.allocation.locations[0]
        listed = [*skus] if self.receive else []
        keys = [stock_key(self.shop.storage.tenant, sku, home) for sku in listed]
        return StockForecast(home, dict(zip(listed, self._states(keys), strict=True)))


def _order_of(row: Row, occasion: ReceiptDocument) -> OrderDocument:
    """A stored order as a document again, at the time of what lets it go on."""
    content = row.state.content
    return OrderDocument(row.key.id, occasion.at, occasion.line, content, Party(content.bill_to, Person()))
