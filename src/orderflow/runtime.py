"""The two loops that answer a flow's asks: one for blocking code, one for async code."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Protocol, Self, TypeVar

from orderflow.domain.engine.bounds import Text
from orderflow.domain.engine.decide import Ask, Flow, Load, Read
from orderflow.domain.engine.limits import MAX_NAME
from orderflow.domain.engine.schema import faults_at
from orderflow.errors import DefinitionError, InputError, OrderFlowError, PortError
from orderflow.flows.asks import (
    AskQuotes,
    Begin,
    BuyLabel,
    CancelLabel,
    Commit,
    DeadLetters,
    Discard,
    DueTopics,
    Find,
    FindOperation,
    GiveUp,
    HasProvider,
    KnownCommands,
    NewId,
    Now,
    Operate,
    Pause,
    Requeue,
    Retry,
    RollBack,
    SendNotice,
    TakeMessages,
)
from orderflow.ports.carrier import quotes_of
from orderflow.ports.wired import wiring_faults

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from orderflow.ports.carrier import Carrier, Label
    from orderflow.ports.clock import Clock
    from orderflow.ports.ids import IdSource
    from orderflow.ports.notifier import Notifier
    from orderflow.ports.payments import Answer, PaymentProvider
    from orderflow.ports.storage import Lease, Storage, UnitOfWork

__all__ = ["LEASE_SECONDS", "Ports", "Runtime", "run", "run_async"]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)
R = TypeVar("R")


def run(flow: Flow[R], answer: Callable[[Ask[Any]], Any]) -> R:
    """Run a flow to its end. An exception from ``answer`` is raised inside the flow, which may handle it."""
    try:
        request = next(flow)
        while True:
            try:
                reply = answer(request)
            except BaseException as error:  # noqa: BLE001 - handed to the flow, which decides
                request = flow.throw(error)
            else:
                request = flow.send(reply)
    except StopIteration as stop:
        result: R = stop.value
        return result


async def run_async(flow: Flow[R], answer: Callable[[Ask[Any]], Awaitable[Any]]) -> R:
    """Run a flow to its end, awaiting each answer."""
    try:
        request = next(flow)
        while True:
            try:
                reply = await answer(request)
            except BaseException as error:  # noqa: BLE001 - handed to the flow, which decides
                request = flow.throw(error)
            else:
                request = flow.send(reply)
    except StopIteration as stop:
        result: R = stop.value
        return result


#: How long the lease of a message that is being sent lasts; it is renewed while the adapter works.
LEASE_SECONDS: Final = 60

#: Ids of effects begin with the tenant, which ends at the first of these.
Tenant = Annotated[str, Text(MAX_NAME, least=1, without="/")]


class Ports:
    """The adapters a shop is wired with, which topics are paused after a timeout, and what renews leases."""

    __slots__ = (
        "__weakref__",
        "carriers",
        "clock",
        "ids",
        "lease_seconds",
        "notifier",
        "providers",
        "renewer",
        "resting",
        "storage",
    )

    def __init__(
        self,
        storage: Storage,
        carriers: Iterable[Carrier],
        providers: Iterable[PaymentProvider],
        notifier: Notifier | None,
        clock: Clock,
        ids: IdSource,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        wrong = [*wiring_faults(storage, carriers, providers, notifier)]
        if faults := wrong or faults_at("tenant", Tenant, storage.tenant):
            raise InputError(faults)
        self.storage, self.notifier, self.clock, self.ids = storage, notifier, clock, ids
        self.lease_seconds = lease_seconds
        self.resting: dict[str, datetime] = {}
        self.carriers = _by_name("carriers", carriers)
        self.providers = _by_name("payment providers", providers)
        self.renewer = _Renewer(self)

    def until(self, now: datetime) -> datetime:
        """When a lease that begins now ends."""
        return now + timedelta(seconds=self.lease_seconds)


def _by_name(what: str, adapters: Iterable[N]) -> dict[str, N]:
    named: dict[str, N] = {}
    for adapter in adapters:
        if named.setdefault(adapter.name, adapter) is not adapter:
            raise DefinitionError(f"two {what} are named {adapter.name!r}")
    return named


class _Renewer:
    """Renews the leases of what a shop's adapters are sending, every third of a lease's length, in one thread.

    The thread begins with the first sending and ends with the shop. A lease of no length, as where nobody else works on
    the file, cannot be renewed.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports, self._seconds = weakref.ref(ports), ports.lease_seconds
        self._sending: set[Lease] = set()
        self._ended, self._starting = Event(), Lock()
        self._thread: Thread | None = None
        weakref.finalize(ports, self._ended.set)

    @contextmanager
    def keeping(self, lease: Lease) -> Generator[None]:
        """Renew a lease meanwhile."""
        self._sending.add(lease)
        if self._seconds and not self._works():
            self._start()
        try:
            yield
        finally:
            self._sending.discard(lease)

    def _works(self) -> bool:
        # A forked child has the object, but not the thread.
        return self._thread is not None and self._thread.is_alive()

    def _start(self) -> None:
        with self._starting:
            if not self._works():
                self._thread = Thread(target=self._work, name="orderflow-leases", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while not self._ended.wait(self._seconds / 3):
            ports = self._ports()
            if ports is None:
                return
            for lease in [*self._sending]:
                # If a renewal fails, the next may succeed; a lost lease means that another worker sends it too.
                with suppress(OrderFlowError):
                    ports.storage.renew(lease, ports.until(ports.clock.now()))
            # Nothing of the shop may be held while it waits.
            del ports


class Runtime:
    """Answers the asks of one flow; used as a context manager, so that an unfinished unit is rolled back.

    A unit begins with the first ``Begin``, ``KnownCommands`` or ``Load`` and ends with ``Commit``, whether it succeeds
    or fails; no port but the storage is called inside it.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._open: AbstractContextManager[UnitOfWork] | None = None
        self._unit: UnitOfWork | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(kind, error, trace)

    def __call__(self, request: Ask[Any]) -> Any:
        """Answer one ask; a failure ends the unit that the ask is part of."""
        try:
            return self._ANSWERS[type(request)](self, request)
        except BaseException as error:
            self._end(type(error), error, error.__traceback__)
            raise

    def _begin(self, request: Begin) -> datetime:
        self._begun()
        return self._ports.clock.now()

    def _known_commands(self, request: KnownCommands) -> Any:
        return self._begun().known_commands(request.command_ids)

    def _load(self, request: Load) -> Any:
        return self._begun().load(request.keys)

    def _begun(self) -> UnitOfWork:
        if self._unit is None:
            unit = self._ports.storage.unit()
            self._unit, self._open = unit.__enter__(), unit
        return self._unit

    def _end(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        """Leave the unit, where one is open: what was not committed is rolled back."""
        opened, self._open, self._unit = self._open, None, None
        if opened is not None:
            opened.__exit__(kind, error, trace)

    def _commit(self, request: Commit) -> None:
        self._begun().commit(request.batch)
        self._end()

    def _roll_back(self, request: RollBack) -> None:
        self._end()

    def _read(self, request: Read) -> Any:
        if self._unit is not None:
            return self._unit.load(request.keys)
        return self._ports.storage.read(request.keys)

    def _now(self, request: Now) -> datetime:
        return self._ports.clock.now()

    def _new_id(self, request: NewId) -> str:
        return self._ports.ids.new()

    def _find(self, request: Find) -> Any:
        return self._ports.storage.find(request.query)

    # -- messages

    def _due_topics(self, request: DueTopics) -> Any:
        now, resting = self._ports.clock.now(), self._ports.resting
        return [topic for topic in self._ports.storage.due(now) if topic not in resting or resting[topic] <= now]

    def _take_messages(self, request: TakeMessages) -> Any:
        now = self._ports.clock.now()
        return self._ports.storage.lease(request.topic, request.limit, now, self._ports.until(now), request.done)

    def _give_up(self, request: GiveUp) -> None:
        now = self._ports.clock.now()
        self._ports.storage.dead_letter(request.lease, now, request.error, maybe_sent=request.maybe_sent)

    def _dead_letters(self, request: DeadLetters) -> Any:
        r, find = request, self._ports.storage.dead_letters
        return find(r.limit, cursor=r.cursor, topic=r.topic, since=r.since, lane=r.lane, message_id=r.message_id)

    def _requeue(self, request: Requeue) -> None:
        self._ports.storage.requeue(request.message_id, self._ports.clock.now())

    def _discard(self, request: Discard) -> None:
        self._ports.storage.discard(request.message_id, self._ports.clock.now(), request.by)

    def _retry(self, request: Retry) -> None:
        due = self._ports.clock.now() + timedelta(seconds=request.delay_seconds)
        self._ports.storage.retry(request.lease, due, request.error, maybe_sent=request.maybe_sent)

    def _pause(self, request: Pause) -> None:
        self._ports.resting[request.topic] = self._ports.clock.now() + timedelta(seconds=request.seconds)

    # -- adapters

    def _buy_label(self, request: BuyLabel) -> Label:
        carrier = self._carrier(request.carrier)
        with self._calling("carrier", request.lease):
            return carrier.buy_label(request.request)

    def _ask_quotes(self, request: AskQuotes) -> Any:
        with self._calling("carrier", request.lease):
            return quotes_of(self._ports.carriers, request.request)

    def _cancel_label(self, request: CancelLabel) -> None:
        carrier = self._carrier(request.carrier)
        with self._calling("carrier", request.lease):
            carrier.void_label(request.tracking_number, request.lease.message.id)

    def _has_provider(self, request: HasProvider) -> bool:
        return request.provider in self._ports.providers

    def _operate(self, request: Operate) -> Answer:
        provider = self._provider(request.provider)
        with self._calling("payments", request.lease):
            return provider.operate(request.request)

    def _find_operation(self, request: FindOperation) -> Answer | None:
        provider = self._provider(request.provider)
        with self._calling("payments", request.lease):
            return provider.find(request.idempotency_key)

    def _provider(self, name: str) -> PaymentProvider:
        provider = self._ports.providers.get(name)
        if provider is None:
            raise PortError("payments", f"no payment provider {name!r} is wired", retry=False)
        return provider

    def _send_notice(self, request: SendNotice) -> None:
        if self._ports.notifier is None:
            raise PortError("notifier", "no notifier is wired", retry=False)
        with self._calling("notifier", request.lease):
            self._ports.notifier.send(request.notice)

    def _carrier(self, name: str) -> Carrier:
        carrier = self._ports.carriers.get(name)
        if carrier is None:
            raise PortError("carrier", f"no carrier {name!r} is wired", retry=False)
        return carrier

    @contextmanager
    def _calling(self, port: str, lease: Lease) -> Generator[None]:
        """Call an adapter and renew its lease meanwhile; whatever it raises, even our own, becomes a PortError."""
        if self._unit is not None:
            raise AssertionError("a port was called between the first load and the commit")
        try:
            with self._ports.renewer.keeping(lease):
                yield
        except PortError:
            raise
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            raise PortError(port, message, timed_out=isinstance(error, TimeoutError)) from error

    _ANSWERS: ClassVar[Mapping[type[Any], Callable[[Any, Any], Any]]] = {
        Begin: _begin,
        KnownCommands: _known_commands,
        Load: _load,
        Commit: _commit,
        RollBack: _roll_back,
        Read: _read,
        Now: _now,
        NewId: _new_id,
        Find: _find,
        DueTopics: _due_topics,
        TakeMessages: _take_messages,
        Retry: _retry,
        GiveUp: _give_up,
        DeadLetters: _dead_letters,
        Requeue: _requeue,
        Discard: _discard,
        Pause: _pause,
        BuyLabel: _buy_label,
        AskQuotes: _ask_quotes,
        CancelLabel: _cancel_label,
        HasProvider: _has_provider,
        Operate: _operate,
        FindOperation: _find_operation,
        SendNotice: _send_notice,
    }
    """What answers each ask. Functions: a table of bound methods in each object would be a reference cycle."""
