"""The pipeline: documents in windows, each window in two commits; the effects of the first are carried out in between.

Windows depend on the file alone. What a stage does depends on the stored rows, and its command ids are made from the
documents. So an interrupted run, when it is started again, skips the windows marked as finished and repeats the next
one, where a step that was already taken is not taken twice. It ends with the same rows as an uninterrupted run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date
from typing import Any, Final

from attrs import define, field

from orderflow.adapters.clock import FixedClock
from orderflow.domain.engine.decide import Flow
from orderflow.domain.orders.state import Accepted
from orderflow.domain.returns.inspecting import SettleReturn
from orderflow.domain.values import PartyRef
from orderflow.errors import Key
from orderflow.flows.handle import Work
from orderflow.importing.documents import (
    AdjustmentDocument,
    CancellationDocument,
    Document,
    OrderDocument,
    PaymentDocument,
    ReceiptDocument,
    RejectedDocument,
    Source,
)
from orderflow.importing.matching import Match, Matcher
from orderflow.importing.progress import RecordProgress, Run
from orderflow.importing.stages import Stage, Step, Turn, Until, wished_day
from orderflow.importing.vetting import YEARS, Years, vetted
from orderflow.ports.storage import MAX_FOUND, Row
from orderflow.shop import OrderFlow

#: The most orders in a window.
WINDOW: Final = 50

#: The states of accepted orders that are not finished.
_UNFINISHED: Final = ("Confirmed", "AwaitingStock", "Allocated", "Preparing", "PartlyShipped", "Shipped")

StageFlow = Callable[[Stage], Flow[Any]]


@define
class Pipeline:
    """Takes a source's documents through the six steps.

    Args:
        shop: where the documents go; its clock must be ``clock``.
        source: where the documents come from.
        clock: set to the time of the newest document of each window, which is when the window's steps are recorded;
            each document's own time is when they occurred.
        name: the name under which progress is recorded.
        receive: before each order and each negative adjustment, receive what it needs beyond the available stock.
        advanced: called with the number of documents finished, after each window.
        years: documents dated in any other year are rejected.
        until: how far orders are taken.

    ``refused`` lists the ids of refused commands with the reason; ``worked`` counts the orders worked by this call.
    ``seen`` counts the documents of the file, ``accepted`` those taken by this run or an earlier one; ``rejected``
    lists those rejected by this run. ``places`` holds the locations of the file's receipts, in order of appearance.
    """

    shop: OrderFlow
    source: Source
    clock: FixedClock
    name: str
    receive: bool = False
    advanced: Callable[[int], None] = lambda _: None
    years: Years = YEARS
    until: Until = Until.WISHED
    _matcher: Matcher = field(init=False)
    _finished: int = field(default=0, init=False)
    refused: list[tuple[str, str]] = field(factory=list, init=False)
    worked: int = field(default=0, init=False)
    seen: int = field(default=0, init=False)
    accepted: int = field(default=0, init=False)
    rejected: list[RejectedDocument] = field(factory=list, init=False)
    places: dict[str, None] = field(factory=dict, init=False)

    def run(self) -> None:
        """Work every document that is not finished yet."""
        self._catch_up()
        with closing(Matcher()) as self._matcher:
            self._work_all()
        self._look_again(everything=0 < self.seen <= self._finished)
        self._relay()
        self._settle()

    def _work_all(self) -> None:
        opened = False
        for window in _windows(vetted(self.source, self.years, self._party)):
            matches = self._noted(window)
            self.seen += len(window)
            if self.seen > self._finished:
                self.clock.set(max([self.clock.now(), *(d.at for d in window if not isinstance(d, RejectedDocument))]))
                if not opened:
                    self._commit(lambda stage: stage.open_series())
                    opened = True
                self._work(window, matches)
                self.advanced(self.seen)

    def _catch_up(self) -> None:
        """Begin where the last run of this file ended, with the clock no earlier than any run into this database."""
        runs = self.shop.rows("run")
        for row in runs.find(limit=MAX_FOUND):
            *_, last = runs.history(row.key.id)
            self.clock.set(max(last.at, self.clock.now()))
        mark = self._state("run", self.name)
        if isinstance(mark, Run):
            self._finished, self.accepted = mark.documents, mark.accepted

    def _party(self, ref: PartyRef) -> Any:
        return self._state("party", str(ref))

    def _state(self, kind: str, id: str) -> Any:  # noqa: A002 - the row's id
        key = self.shop.key(kind, id)
        return self.shop.read([key])[key].state

    @property
    def _mark(self) -> Key:
        return self.shop.key("run", self.name)

    def _noted(self, window: Sequence[Document]) -> list[list[Match]]:
        """Remember what later documents may refer to; return what a cancellation matches."""
        matches: list[list[Match]] = []
        for document in window:
            if isinstance(document, OrderDocument):
                self._matcher.bought(document)
            elif isinstance(document, CancellationDocument):
                matches = self._matcher.given_back(document)
            elif isinstance(document, ReceiptDocument):
                self.places.update(dict.fromkeys(item.location for item in document.items))
            elif isinstance(document, RejectedDocument):
                self.rejected.append(document)
        return matches

    def _work(self, window: Sequence[Document], matches: list[list[Match]]) -> None:
        document = window[0]
        if isinstance(document, OrderDocument):
            self._orders([document for document in window if isinstance(document, OrderDocument)])
        elif isinstance(document, ReceiptDocument):
            self._receipt(document)
        elif isinstance(document, PaymentDocument):
            self._payment(document)
        elif isinstance(document, CancellationDocument):
            self._arrive(document, matches)
            self._end(lambda stage: stage.cancel(document, matches, self.source.timezone))
        elif isinstance(document, AdjustmentDocument):
            self._end(lambda stage: stage.adjust(document))
        else:
            self._end(lambda stage: stage.reject(document))

    def _orders(self, window: Sequence[OrderDocument]) -> None:
        turns = [Turn(document.number, document.at) for document in window]
        self._commit(lambda stage: stage.place(window), lambda stage: stage.prepare(turns))
        self._relay()
        self._end(lambda stage: stage.complete(turns))
        self.worked += len(window)

    def _receipt(self, document: ReceiptDocument) -> None:
        """Post a receipt, then go on with the waiting orders, first come, first served."""
        self._commit(lambda stage: stage.post(document))
        for rows in self._unfinished():
            self._go_on([Turn(row.key.id, document.at, document.number) for row in rows], in_turn=True)
        self._end()

    def _payment(self, document: PaymentDocument) -> None:
        """Record money, then go on with the order that it is for."""
        self._commit(lambda stage: stage.pay(document))
        order = document.origin.order
        if order and isinstance(self._state("order", order), Accepted):
            self._go_on([Turn(order, document.at, document.number)])
        self._end()

    def _arrive(self, document: CancellationDocument, matches: list[list[Match]]) -> None:
        """Deliver what comes back, whatever day was wished for it: it must have been there."""
        orders = sorted({match.order for found in matches for match in found if match.order})
        states = {order: self._state("order", order) for order in orders}
        waiting = [o for o in orders if type(states[o]).__name__ in _UNFINISHED and wished_day(states[o])]
        if waiting:
            self._go_on([Turn(order, document.at, document.number, arrived=True) for order in waiting])

    def _go_on(self, turns: Sequence[Turn], *, in_turn: bool = False) -> None:
        self._commit(lambda stage: stage.prepare(turns, in_turn=in_turn))
        self._relay()
        self._commit(lambda stage: stage.complete(turns))

    def _look_again(self, *, everything: bool) -> None:
        """Go on with what was to be delivered on a day that the file has come to since.

        If the file was finished before this run, go on with ``everything`` that waits: the run may take orders further
        than the last one, or from more locations. An order that has changed is looked at again; its version tells one
        occasion from another.
        """
        now = self.clock.now()
        for rows in self._unfinished():
            due = [row for row in rows if everything or (wished_day(row.state) or date.max) <= now.date()]
            if due:
                self._go_on([Turn(row.key.id, now, f"again/{row.version}") for row in due], in_turn=True)

    def _settle(self) -> None:
        """Settle the returns for which nothing is to be credited any more."""
        settle, cursor = SettleReturn(), 0
        steps: list[Step] = []
        while rows := self.shop.returns.find(status=("Inspected",), cursor=cursor, limit=WINDOW):
            cursor = rows[-1].cursor
            ready = [row.key for row in rows if row.state.goods.lots and not self.shop.explain(row.key.id, settle)]
            steps += [Step(f"settle/{key.id}", key, settle) for key in ready]
        if steps:
            self._commit(lambda stage: stage.take(steps))
            self._relay()

    def _unfinished(self) -> Iterator[Sequence[Row[Any]]]:
        """Accepted orders that are not finished, in the order they came.

        These are the waiting orders, and those to which an interrupted run has already given their goods.
        """
        cursor = 0
        while rows := self.shop.orders.find(status=_UNFINISHED, cursor=cursor, limit=WINDOW):
            cursor = rows[-1].cursor
            yield rows

    # -- commits

    def _commit(self, *flows: StageFlow) -> Stage:
        """Commit everything that ``flows`` decide, at once."""
        stage = self.shop.run(lambda: self._staged(flows))
        self.refused += stage.refused
        self.accepted += stage.accepted
        return stage

    def _staged(self, flows: Iterable[StageFlow]) -> Flow[Stage]:
        shop = self.shop
        stage = Stage(
            Work(shop.workflow), shop.storage.tenant, self.source.channel, shop.actor, self.clock.now(), shop.settings,
            receive=self.receive, until=self.until,
        )  # fmt: skip
        for flow in flows:
            yield from flow(stage)
        yield from stage.work.commit()
        return stage

    def _end(self, *flows: StageFlow) -> None:
        """Mark the window as finished, in one commit with its last steps."""

        def mark(stage: Stage) -> Flow[None]:
            progress = RecordProgress(self.seen, self.accepted + stage.accepted)
            yield from stage.take([Step(f"run/{self.name}/{self.seen}", self._mark, progress)])

        self._commit(*flows, mark)

    def _relay(self) -> None:
        """Carry out every effect so far, at points that depend on the file alone, so that answers have fixed times."""
        while self.shop.relay(200).done and self.shop.storage.pending():
            pass


def _windows(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Consecutive orders, up to ``WINDOW`` of them; every other document alone."""
    window: list[Document] = []
    for document in documents:
        if not isinstance(document, OrderDocument):
            if window:
                yield window
            yield [document]
            window = []
            continue
        window.append(document)
        if len(window) == WINDOW:
            yield window
            window = []
    if window:
        yield window
