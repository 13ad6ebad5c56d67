"""The entry point: an :class:`OrderFlow` is wired with adapters and runs flows, one call for each thing a shop does.

The subjects (orders, stock, invoices) are loaded when the first shop is made, so that importing the library is quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeVar

from orderflow.desk import ReturnsDesk
from orderflow.domain.engine.bounds import Between, Name
from orderflow.domain.engine.decide import Envelope, Flow, Loaded, Message
from orderflow.domain.engine.limits import MAX_GROUP
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.record import Command
from orderflow.domain.engine.schema import checked, faults_at
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.values import Location, Sku
from orderflow.effects import Effects, Limit
from orderflow.errors import ConcurrencyConflict, Fault, InputError, Key, OrderFlowError, Refusal, StorageError
from orderflow.flows.handle import Result, accepted, handle_many, internal_faults, on_fresh_rows
from orderflow.ports.storage import Ack, Cursor, Storage
from orderflow.rows import RowId
from orderflow.runtime import LEASE_SECONDS, Ports, Runtime, run

if TYPE_CHECKING:
    from orderflow.domain.orders.content import Hold, OrderContent
    from orderflow.domain.parties.party import Person
    from orderflow.domain.values import PartyRef
    from orderflow.domain.workflow.attention import Attention
    from orderflow.flows.advance import Advanced, ShopSettings
    from orderflow.flows.prepare import ShipmentPlan
    from orderflow.flows.receive import Received
    from orderflow.flows.relay import RelayReport
    from orderflow.flows.worklists import Task
    from orderflow.ports.carrier import Carrier
    from orderflow.ports.clock import Clock
    from orderflow.ports.ids import IdSource
    from orderflow.ports.notifier import Notifier
    from orderflow.ports.payments import PaymentProvider

__all__ = ["OrderFlow", "Request"]


R = TypeVar("R")

Version = Annotated[int, Between(1, 10**9)]

#: Orders looked at in one query.
PAGE: Final = 500

#: How far a given time may lie ahead of the shop's clock, and the first year that it may be in.
FUTURE_TOLERANCE: Final = timedelta(days=1)
EARLIEST_YEAR: Final = 1900


class Request(NamedTuple):
    """A command for :meth:`OrderFlow.handle_many`: the row's id, the command, and what its stamp needs.

    Without ``command_id`` a fresh one is minted; without ``at`` the command is recorded now. ``occurred_at`` is when it
    happened according to its source, and dates whatever it places, confirms or bills. ``by`` is who asks for it.
    """

    id: RowId
    command: Command
    command_id: Name = ""
    at: datetime | None = None
    by: Name = ""
    occurred_at: datetime | None = None


class OrderFlow(ReturnsDesk):
    """A shop's order processing.

    Every method raises :class:`InputError` for an argument that does not fit its annotation.

    Args:
        storage: where rows, journal and outbox live; its tenant's name has no slash.
        workflow: the rules; the standard workflow by default.
        carriers: known by the names that plans and shipments use; if there is only one, plans without a name mean it.
        providers: what moves money, each for the payments of the source that has its name.
        notifier: what tells the customer; without one, notices end as dead letters.
        clock, ids: where times and ids come from; the system by default.
        settings: how orders advance by themselves: locations and strategy, carrier, invoice series.
        actor: who asks for commands, if a call does not say.
        lease_seconds: how long the lease of an effect lasts; the worker renews it while it is sending.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        workflow: Workflow | None = None,
        carriers: Iterable[Carrier] = (),
        providers: Iterable[PaymentProvider] = (),
        notifier: Notifier | None = None,
        clock: Clock | None = None,
        ids: IdSource | None = None,
        settings: ShopSettings | None = None,
        actor: str = "system",
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        self.workflow = workflow or _standard_workflow()
        self.storage, self.actor = storage, actor
        self._ports = Ports(
            storage, carriers, providers, notifier, clock or _system_clock(), ids or _uuid7(), lease_seconds
        )
        self._settings = None if settings is None else _sound(settings).for_carriers(self._ports.carriers)

    @cached_property
    def settings(self) -> ShopSettings:
        """How orders advance by themselves."""
        from orderflow.flows.advance import ShopSettings

        return self._settings or ShopSettings().for_carriers(self._ports.carriers)

    # -- commands

    def handle(
        self,
        id: str,  # noqa: A002
        command: Command,
        *,
        by: str = "",
        command_id: str = "",
        at: datetime | None = None,
        occurred_at: datetime | None = None,
    ) -> Ack:
        """Carry out one command on the row ``id``; its kind follows from the command.

        The same ``command_id`` with the same content returns the first ``Ack`` again.

        Raises:
            InputError: the command is malformed; every fault is named.
            CommandRefused: the rules say no; every reason is given.
            CommandMismatch: the command id was used for something else.
            ConcurrencyConflict, StorageError: the storage could not store it.
        """
        request = Request(id, command, command_id, at, by, occurred_at)
        return accepted(self._group([self._envelope(request, "")], _minted([request]))[0])

    def handle_many(self, requests: Sequence[Request]) -> list[Result]:
        """Carry out a group of commands in one commit; each has its own result, whatever the others'.

        A group the storage rejects is halved, down to single commands.
        """
        if not isinstance(requests, list | tuple):
            raise InputError.at("requests", "wrong_type", "must be a list or tuple of Request")
        if len(requests) > MAX_GROUP:
            raise InputError.at("requests", "bad_length", f"a group has at most {MAX_GROUP} commands")
        envelopes = [self._envelope(request, f"requests[{at}]") for at, request in enumerate(requests)]
        return self._group(envelopes, _minted(requests))

    def receive(
        self,
        id: str,  # noqa: A002
        content: OrderContent,
        *,
        holds: Sequence[Hold] = (),
        by: str = "",
        command_id: str = "",
    ) -> Received:
        """Take an order in once, by its (channel, external id): ``Created``, ``Unchanged`` or ``Changed``."""
        from orderflow.flows.receive import receive

        if not isinstance(holds, list | tuple):
            raise InputError.at("holds", "wrong_type", "must be a list or tuple of Hold")
        key, stamp = self.key("order", id), self._stamp(command_id, None, by)
        return self._run(lambda: receive(self.workflow, key, content, stamp, minted=not command_id, holds=tuple(holds)))

    @checked
    def record_party(self, id: Name, person: Person, *, version: Version | None = None) -> PartyRef:  # noqa: A002
        """Keep a party in the vault, and give the reference orders point to it with.

        Without ``version`` the latest one is returned if its data is the same, else the next one is recorded.

        Raises:
            CommandMismatch: the version was recorded before with different data, or has been erased.
        """
        from orderflow.flows.parties import record_party

        key, stamp = self.key("party", id), self._stamp()
        return self._run(lambda: record_party(self.workflow, key, person, stamp, version))

    def allocate(self, *orders: str | Request) -> list[Result]:
        """Allocate the open units and fill the back-orders of each order, from the stock as it is under lock.

        Each order is given by its id, or by a ``Request`` for its own command id and time, whose command is ignored.
        """
        from orderflow.domain.orders.allocating import AllocateStock
        from orderflow.flows.allocate import allocate_many

        requests = [order if isinstance(order, Request) else Request(order, AllocateStock()) for order in orders]
        envelopes = [self._envelope(request, f"orders[{at}]") for at, request in enumerate(requests)]
        wishes = [envelope._replace(key=self.key("order", envelope.key.id)) for envelope in envelopes]
        return self._run(lambda: allocate_many(self.workflow, wishes, self.settings.allocation))

    @checked
    def plan_shipments(self, order: RowId) -> list[ShipmentPlan]:
        """The shipments that would take everything allocated for an order, one for each location."""
        from orderflow.flows.prepare import shipments_for

        return [*shipments_for(self.key("order", order), self.orders.get(order), self.settings.shipping)]

    @checked
    def advance(self, order: RowId, *, by: Name = "") -> Advanced:
        """Take every step of an order that needs no human action, as far as policy and holds allow, in one commit."""
        from orderflow.flows.advance import advance

        return self._run(lambda: advance(self.workflow, self.key("order", order), by or self.actor, self.settings))

    @checked
    def advance_all(self, limit: Limit = 100, *, by: Name = "") -> dict[str, Advanced | OrderFlowError]:
        """Advance up to ``limit`` orders, each in its own commit; by id, those that advanced or could not be tried."""
        moved: dict[str, Advanced | OrderFlowError] = {}
        for order in self._advanceable():
            outcome = self._advanced(order, by)
            if isinstance(outcome, OrderFlowError) or outcome.acks:
                moved[order] = outcome
            if len(moved) == limit:
                break
        return moved

    def _advanceable(self) -> Iterator[str]:
        """The orders that wait for something, oldest first: even a completed one may have units to bill."""
        cursor: int | None = 0
        while cursor is not None:
            rows = self.orders.find(where={"open": 1}, cursor=cursor, limit=PAGE)
            yield from [row.key.id for row in rows]
            cursor = rows[-1].cursor if len(rows) == PAGE else None

    def _advanced(self, order: str, by: str) -> Advanced | OrderFlowError:
        try:
            return self.advance(order, by=by)
        except (InputError, ConcurrencyConflict, StorageError) as error:
            if isinstance(error, StorageError) and error.retry:
                raise
            return error.with_traceback(None)

    @checked
    def relay(self, limit: Limit = 100, *, time_of: Callable[[Message], datetime] | None = None) -> RelayReport:
        """Carry out up to ``limit`` effects of committed batches: labels, notices, messages to other rows."""
        from orderflow.flows.relay import relay

        choose = self.settings.shipping.choose
        return self._run(lambda: relay(self.workflow, limit=limit, time_of=time_of, choose=choose))

    @property
    def effects(self) -> Effects:
        return Effects(self._run, self.actor)

    @checked
    def expire(self, limit: Limit = 100) -> list[Result]:
        """Give back the allocations whose time has run out."""
        from orderflow.flows.expire import expire

        now = self._ports.clock.now()
        return self._run(lambda: expire(self.workflow, now, limit=limit))

    @checked
    def rebalance(self, sku: Sku, location: Location = "main", limit: Limit = 50) -> list[Result]:
        """While a stock row has a shortfall, put units of the newest orders, ``limit`` at most, back in the queue."""
        from orderflow.domain.values import StockRef
        from orderflow.flows.rebalance import rebalance

        tenant, stock, now = self.storage.tenant, StockRef(sku, location), self._ports.clock.now()
        return self._run(lambda: rebalance(self.workflow, tenant, stock, now, limit=limit))

    @checked
    def run(self, flow: Callable[[], Flow[R]]) -> R:
        """Run a flow of your own: ``flow`` makes it, and again after a conflict, so it may do nothing but ask."""
        return self._run(flow)

    # -- questions

    def explain(self, id: str, command: Command) -> tuple[Refusal, ...]:  # noqa: A002
        """Every reason why ``command`` would be refused now, by its row or by one that it would tell.

        Changes nothing.

        Raises:
            InputError: the command is malformed, or only the library may send it.
        """
        from orderflow.flows.explain import explain

        envelope = self._envelope(Request(id, command, "explain"), "")
        return self._run(lambda: explain(self.workflow, envelope))

    @checked
    def worklist(self, name: Name, *, cursor: Cursor = 0, limit: Limit = 100) -> list[Task]:
        """What is waiting for someone, each row with the reasons that block its next step.

        Raises:
            InputError: there is no such list; those there are stand in its message.
        """
        from orderflow.flows.worklists import worklist

        stamp = self._stamp("explain")
        return self._run(lambda: worklist(self.workflow, name, stamp, self.settings, cursor=cursor, limit=limit))

    @checked
    def attention(self, kind: Name, id: RowId) -> tuple[Attention, ...]:  # noqa: A002
        """What a row waits for, its effects that were given up included; nothing for a row at rest."""
        from orderflow.flows.dead_letters import attention_row

        key, now = self.rows(kind).key(id), self._ports.clock.now()
        return self._run(lambda: attention_row(key, now))

    @checked
    def balance(self, customer: Name, currency: Name) -> int:
        """What a customer owes, in minor units: billed less credits, payments and write-offs; may be negative."""
        state = self._loaded(self.key("account", customer)).state
        return 0 if state is ABSENT else int(state.of(currency).balance)

    # -- inside

    def _envelope(self, request: Any, path: str) -> Envelope:
        faults = internal_faults(getattr(request, "command", None)) or faults_at("", Request, request)
        if faults:
            raise InputError([fault.under(path) if path else fault for fault in faults])
        kind = self.workflow.kind_of.get(type(request.command))
        if kind is None:
            message = f"no machine takes {type(request.command).__name__}"
            raise InputError([Fault("command", "unknown_command", message).under(path)])
        stamp = self._stamp(request.command_id, request.at, request.by, request.occurred_at)
        return Envelope(self.key(kind, request.id), request.command, stamp, fixed=request.at is not None)

    def _stamp(
        self, command_id: str = "", at: datetime | None = None, by: str = "", occurred_at: datetime | None = None
    ) -> Stamp:
        now = self._ports.clock.now()
        faults = [*_time_faults("at", at, now), *_time_faults("occurred_at", occurred_at, now)]
        if faults:
            raise InputError(faults)
        recorded = now if at is None else at.astimezone(UTC)
        occurred = None if occurred_at is None else occurred_at.astimezone(UTC)
        return Stamp(recorded, by or self.actor, command_id or self._ports.ids.new(), occurred)

    def _loaded(self, key: Key) -> Loaded:
        return self.read([key])[key]

    def _group(self, envelopes: Sequence[Envelope], minted: Sequence[bool]) -> list[Result]:
        fresh_ids = [e.stamp.command_id for e, new in zip(envelopes, minted, strict=True) if new]
        try:
            return self._run(lambda: handle_many(self.workflow, envelopes, fresh_ids=fresh_ids))
        except (ConcurrencyConflict, StorageError) as error:
            if len(envelopes) == 1 or (isinstance(error, StorageError) and error.retry):
                raise
            half = len(envelopes) // 2
            parts = (slice(half), slice(half, None))
            return [result for part in parts for result in self._group(envelopes[part], minted[part])]

    def _run(self, flow: Callable[[], Flow[R]]) -> R:
        with Runtime(self._ports) as answer:
            return run(on_fresh_rows(flow), answer)


def _minted(requests: Sequence[Request]) -> list[bool]:
    """Which requests get a freshly minted command id, which nobody can have used."""
    return [not request.command_id for request in requests]


def _time_faults(path: str, value: datetime | None, now: datetime) -> Iterator[Fault]:
    """Times are not too long ago, nor in the future beyond the tolerance: facts are not recorded before they happen."""
    if value is not None and (value.year < EARLIEST_YEAR or value > now + FUTURE_TOLERANCE):
        yield Fault(path, "out_of_range", f"must not be before {EARLIEST_YEAR} or in the future")


def _standard_workflow() -> Workflow:
    from orderflow.domain.workflow.table import standard_workflow

    return standard_workflow()


def _sound(settings: ShopSettings) -> ShopSettings:
    from orderflow.flows.advance import ShopSettings

    if faults := faults_at("settings", ShopSettings, settings):
        raise InputError(faults)
    return settings


def _system_clock() -> Clock:
    from orderflow.adapters.clock import SystemClock

    return SystemClock()


def _uuid7() -> IdSource:
    from orderflow.adapters.ids import Uuid7Ids

    return Uuid7Ids()
