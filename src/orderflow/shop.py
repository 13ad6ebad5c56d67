"""The way in: an :class:`OrderFlow` is wired with adapters and runs flows, one call for each thing a shop does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar

from orderflow.domain.engine.decide import Envelope, Flow, Loaded, Message
from orderflow.domain.engine.limits import MAX_GROUP
from orderflow.domain.engine.machine import ABSENT, Absent
from orderflow.domain.engine.schema import check_shape
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.orders.content import Hold, OrderContent
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.domain.parties.party import PartyVersion, Person, RecordParty
from orderflow.domain.values import PartyRef, party_id, stock_key
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import (
    CommandMismatch,
    ConcurrencyConflict,
    Fault,
    InputError,
    Key,
    NotFound,
    Refusal,
    StorageError,
)
from orderflow.flows.advance import Advanced, ShopSettings, advance
from orderflow.flows.allocate import allocate_many
from orderflow.flows.expire import expire
from orderflow.flows.handle import Result, accepted, faults_in, handle_many
from orderflow.flows.prepare import ShipmentPlan, shipments_for
from orderflow.flows.rebalance import rebalance
from orderflow.flows.receive import Received, receive
from orderflow.flows.relay import RelayReport, relay
from orderflow.flows.worklists import WORKLISTS, Task
from orderflow.ports.carrier import Carrier
from orderflow.ports.clock import Clock
from orderflow.ports.ids import IdSource
from orderflow.ports.notifier import Notifier
from orderflow.ports.storage import Ack, Query, Recorded, Row, Storage
from orderflow.runtime import LEASE_SECONDS, Ports, Runtime, run

__all__ = ["OrderFlow", "Request"]


R = TypeVar("R")


#: Times a flow is run on fresh rows before a conflict is given back to the caller.
ATTEMPTS: Final = 8


#: How far a given time may lie ahead of the shop's clock, and the first year that may be told.
FUTURE_TOLERANCE: Final = timedelta(days=1)


EARLIEST_YEAR: Final = 1900


class Request(NamedTuple):
    """A command for :meth:`OrderFlow.handle_many`: the row's id, the command, and what its stamp needs.

    Without ``command_id`` a fresh one is minted; without ``at`` it is recorded now; ``occurred_at`` is what the source
    of a fact says, and the date of what is placed, confirmed or billed by it.
    """

    id: str
    command: Any
    command_id: str = ""
    at: datetime | None = None
    by: str = ""
    occurred_at: datetime | None = None


class OrderFlow:
    """A shop's order processing.

    Args:
        storage: where rows, journal and outbox live.
        workflow: the rules; the standard workflow by default.
        carriers: by the name that plans and shipments ask for; where there is but one, plans without a name mean it.
        notifier: who tells the customer; without one, notices end as dead letters.
        clock, ids: time and ids; the system's by default.
        plans: how orders advance by themselves: locations and strategy, carrier, invoice series.
        actor: who commands are by, where a call does not say.
        lease_seconds: how long a claimed effect belongs to the worker that claimed it.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        workflow: Workflow | None = None,
        carriers: Iterable[Carrier] = (),
        notifier: Notifier | None = None,
        clock: Clock | None = None,
        ids: IdSource | None = None,
        settings: ShopSettings | None = None,
        actor: str = "system",
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        self.workflow = workflow or standard_workflow()
        self.storage, self.actor = storage, actor
        self._ports = Ports(storage, carriers, notifier, clock or _system_clock(), ids or _uuid7(), lease_seconds)
        self.settings = (settings or ShopSettings()).for_carriers(self._ports.carriers)

    # -- commands

    def handle(
        self,
        id: str,  # noqa: A002 - the row's id
        command: Any,
        *,
        by: str = "",
        command_id: str = "",
        at: datetime | None = None,
        occurred_at: datetime | None = None,
    ) -> Ack:
        """Carry out one command on the row ``id``; its kind follows from the command.

        The same ``command_id`` with the same content gives the first ``Ack`` again.

        Raises:
            InputError: the command is malformed; every fault is named.
            CommandRefused: the rules say no; every reason is given.
            CommandMismatch: the command id was used for something else.
            ConcurrencyConflict, StorageError: the storage could not.
        """
        return accepted(self.handle_many([Request(id, command, command_id, at, by, occurred_at)])[0])

    def handle_many(self, commands: Sequence[Request]) -> list[Result]:
        """Carry out a group of commands in one commit; each has its own outcome, a refused one hurts no other.

        A group the storage rejects is halved, down to single commands.
        """
        if len(commands) > MAX_GROUP:
            raise InputError.at("commands", "too_many", f"a group has at most {MAX_GROUP} commands")
        strange = [
            Fault(f"commands[{n}]", "wrong_type", "must be a Do")
            for n, do in enumerate(commands)
            if type(do) is not Request
        ]
        if strange:
            raise InputError(strange)
        orders = [self._order(command) for command in commands]
        minted = [order.stamp.command_id for order, do in zip(orders, commands, strict=True) if not do.command_id]
        return self._group(orders, frozenset(minted))

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
        check_shape(PlaceOrder(content, tuple(holds)))
        stamp = self._stamp(command_id, None, by)
        return self._run(lambda: receive(self.workflow, self.key("order", id), content, stamp, tuple(holds)))

    def record_party(self, id: str, person: Person, *, version: int | None = None) -> PartyRef:  # noqa: A002
        """Keep a party in the vault, and give the reference orders point to it with.

        Without ``version`` the latest one is given where it says the same, else the next one is recorded.

        Raises:
            CommandMismatch: the version was recorded before with other data, or is erased.
        """
        number = self._version_for(id, person) if version is None else version
        check_shape(PartyRef(id, number))
        row = party_id(id, number)
        ack = self.handle(row, RecordParty(person), command_id=f"party/{row}")
        kept = self.get("party", row)
        if not isinstance(kept, PartyVersion) or kept.person != person:
            raise CommandMismatch(ack.command_id)
        return PartyRef(id, number)

    def _version_for(self, id: str, person: Person) -> int:  # noqa: A002
        """The latest version if it says the same, else the next."""
        number, latest = 1, self._held(self.key("party", party_id(id, 1))).state
        while latest is not ABSENT:
            following = self._held(self.key("party", party_id(id, number + 1))).state
            if following is ABSENT and isinstance(latest, PartyVersion) and latest.person == person:
                return number
            number, latest = number + 1, following
        return number

    def allocate(self, *wishes: str | Request) -> list[Result]:
        """Allocate what is open and fill what waits of each order, on the stock as it is under lock.

        A wish is an order id, or a ``Request`` whose command is not looked at, for a command id and time of its own.
        """
        asked = [wish if isinstance(wish, Request) else Request(wish, None) for wish in wishes]
        keys = [(self.key("order", do.id), self._stamp(do.command_id, do.at, do.by, do.occurred_at)) for do in asked]
        return self._run(lambda: allocate_many(self.workflow, keys, self.settings.allocation))

    def shipments(self, order: str) -> list[ShipmentPlan]:
        """The shipments that would take all that is allocated of an order, one for each location."""
        key = self.key("order", order)
        return [*shipments_for(key, self.get("order", order), self.settings.shipping)]

    def advance(self, order: str, *, by: str = "") -> Advanced:
        """Take every step of an order that needs nobody's hands, as far as policy and holds allow."""
        return self._run(lambda: advance(self.workflow, self.key("order", order), by or self.actor, self.settings))

    def relay(self, limit: int = 100, *, time_of: Callable[[Message], datetime] | None = None) -> RelayReport:
        """Carry out up to ``limit`` effects of committed batches: labels, notices, messages to other rows."""
        return self._run(lambda: relay(self.workflow, limit=limit, time_of=time_of))

    def expire(self, limit: int = 100) -> list[Result]:
        """Give allocations back whose time has run out."""
        now = self._ports.clock.now()
        return self._run(lambda: expire(self.workflow, now, limit=limit))

    def rebalance(self, sku: str, location: str = "main", limit: int = 50) -> list[Result]:
        """While a stock row has a shortfall, put units of the newest orders back in the queue, of ``limit`` at most."""
        stock, now = stock_key(self.storage.tenant, sku, location), self._ports.clock.now()
        return self._run(lambda: rebalance(self.workflow, stock, now, limit=limit))

    # -- questions

    def explain(self, id: str, command: Any) -> tuple[Refusal, ...]:  # noqa: A002
        """Every reason why the row ``id`` itself would refuse ``command`` now; the rows it would tell are not asked.

        Changes nothing.

        Raises:
            InputError: the command is malformed, or is the library's own.
        """
        order = self._order(Request(id, command, "explain"))
        faults = [*faults_in(self.workflow, order)]
        if faults:
            raise InputError(faults)
        return self.workflow.machines[order.key.kind].explain(self._held(order.key).state, command, order.stamp)

    def get(self, kind: str, id: str) -> Any:  # noqa: A002
        """The state of a row.

        Raises:
            NotFound: nothing is stored under it.
        """
        self._check_kind(kind)
        key = self.key(kind, id)
        held = self._held(key)
        if held.version == 0:
            raise NotFound(key)
        return held.state

    def read(self, keys: Sequence[Key]) -> Mapping[Key, Loaded]:
        """Rows as they stand: version 0 and ``ABSENT`` where nothing is stored."""
        return self.storage.read(keys)

    def order(self, id: str) -> Any:  # noqa: A002
        """The state of an order."""
        return self.get("order", id)

    def stock(self, sku: str, location: str = "main") -> Any:
        """The stock row of a SKU at a location; its ``available`` may be promised."""
        return self.get("stock", f"{sku}@{location}")

    def history(self, kind: str, id: str) -> Iterator[Recorded]:  # noqa: A002
        """Every event of a row, oldest first."""
        self._check_kind(kind)
        return self.storage.history(self.key(kind, id))

    def find(self, query: Query) -> Sequence[Row]:
        """Rows by state, column, period, tag or text; see :class:`~orderflow.ports.storage.Query`.

        Raises:
            InputError: the workflow has no such kind or state, or the kind no such column.
        """
        self._check_kind(query.kind)
        known = [state.__name__ for state in self.workflow.machines[query.kind].states if state is not Absent]
        unknown = [status for status in query.status if status not in known]
        if unknown:
            message = f"{', '.join(unknown)}: a state of {query.kind!r} is one of {', '.join(known)}"
            raise InputError.at("status", "unknown_state", message)
        return self.storage.find(query)

    def sums(
        self, kind: str, columns: Sequence[str], by: Sequence[str] = ()
    ) -> Mapping[tuple[str, ...], tuple[int, ...]]:
        """Exact sums of integer columns over all rows of a kind, grouped by other columns."""
        return self.storage.sums(kind, columns, by)

    def movements(self) -> Mapping[tuple[str, str, str], int]:
        """Every stock movement summed: (SKU, location, event type) to units."""
        return self.storage.movements()

    def worklist(self, name: str, *, cursor: int = 0, limit: int = 100) -> list[Task]:
        """What waits for somebody, each row with the reasons that hold its next step back.

        Lists: ``to_confirm``, ``unpaid``, ``awaiting_stock``, ``to_prepare``, ``to_ship``, ``invoices_due``.

        Raises:
            InputError: there is no such list.
        """
        worklist = WORKLISTS.get(name)
        if worklist is None:
            raise InputError.at("name", "unknown_worklist", f"must be one of {', '.join(WORKLISTS)}")
        stamp = self._stamp("explain")
        kept: list[Row] = []
        while len(kept) < limit:
            rows = self.storage.find(worklist.query(stamp.at, cursor, limit))
            kept += [row for row in rows if worklist.keeps(row.state)]
            if len(rows) < limit:
                break
            cursor = rows[-1].cursor
        return [worklist.task(self.workflow, row, stamp) for row in kept[:limit]]

    def balance(self, customer: str, currency: str) -> int:
        """What a customer owes, in minor units: billed less credits, payments and write-offs; may be negative."""
        state = self._held(self.key("account", customer)).state
        return 0 if state is ABSENT else state.of(currency).balance

    def key(self, kind: str, id: str) -> Key:  # noqa: A002
        """The key of a row of this shop."""
        return Key(self.storage.tenant, kind, id)

    # -- inside

    def _check_kind(self, kind: str) -> None:
        if kind not in self.workflow.machines:
            raise InputError.at("kind", "unknown_kind", f"must be one of {', '.join(self.workflow.machines)}")

    def _kind(self, command: Any) -> str:
        kind = self.workflow.kind_of.get(type(command))
        if kind is None:
            name = type(command).__name__
            raise InputError([Fault("command", "unknown_command", f"no machine takes {name}")])
        return kind

    def _order(self, do: Request) -> Envelope:
        key = self.key(self._kind(do.command), do.id)
        stamp = self._stamp(do.command_id, do.at, do.by, do.occurred_at)
        return Envelope(key, do.command, stamp, fixed=do.at is not None)

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

    def _held(self, key: Key) -> Loaded:
        return self.read([key])[key]

    def _group(self, orders: Sequence[Envelope], minted: frozenset[str]) -> list[Result]:
        try:
            return self._run(lambda: handle_many(self.workflow, orders, fresh_ids=minted))
        except (ConcurrencyConflict, StorageError) as error:
            if len(orders) == 1 or (isinstance(error, StorageError) and error.retry):
                raise
            half = len(orders) // 2
            return [*self._group(orders[:half], minted), *self._group(orders[half:], minted)]

    def _run(self, flow: Callable[[], Flow[R]]) -> R:
        """Run a flow; on a conflict run it again on fresh rows, for it is pure."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with Runtime(self._ports) as answer:
                    return run(flow(), answer)
            except ConcurrencyConflict:
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("the loop returns or raises")


def _time_faults(path: str, value: Any, now: datetime) -> Iterator[Fault]:
    """Times are aware, and not of a future beyond the tolerance (facts are not told before they happen)."""
    if value is None:
        return
    if not isinstance(value, datetime) or value.utcoffset() is None:
        yield Fault(path, "naive_time", "must be a datetime with its time zone")
    elif value.year < EARLIEST_YEAR or value > now + FUTURE_TOLERANCE:
        yield Fault(path, "out_of_range", f"must be after {EARLIEST_YEAR} and not in the future")


def _system_clock() -> Clock:
    from orderflow.adapters.clock import SystemClock

    return SystemClock()


def _uuid7() -> IdSource:
    from orderflow.adapters.ids import Uuid7Ids

    return Uuid7Ids()
