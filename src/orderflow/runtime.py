"""The two loops that answer a flow's asks: one for blocking code, one for async code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar

from orderflow.domain.engine.decide import Ask, Flow, Load
from orderflow.errors import DefinitionError, OrderFlowError, PortError
from orderflow.flows.asks import (
    Begin,
    BuyLabel,
    CancelLabel,
    Commit,
    DeadLetter,
    DueTopics,
    Find,
    KnownCommands,
    NewId,
    Now,
    Pause,
    Read,
    Retry,
    RollBack,
    SendNotice,
    TakeMessages,
)

if TYPE_CHECKING:
    from orderflow.ports.carrier import Carrier, Label
    from orderflow.ports.clock import Clock
    from orderflow.ports.ids import IdSource
    from orderflow.ports.notifier import Notifier
    from orderflow.ports.storage import Lease, Storage, UnitOfWork

__all__ = ["LEASE_SECONDS", "Ports", "Runtime", "run", "run_async"]


R = TypeVar("R")


def run(flow: Flow[R], answer: Callable[[Ask[Any]], Any]) -> R:
    """Run a flow to its end. An exception of ``answer`` is raised inside the flow, which may handle it."""
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


#: How long a message that is being sent belongs to its worker; it is renewed while the adapter works.
LEASE_SECONDS: Final = 60


class Ports:
    """The adapters a shop is wired with, and which topics rest after a timeout."""

    __slots__ = ("carriers", "clock", "ids", "lease_seconds", "notifier", "resting", "storage")

    def __init__(
        self,
        storage: Storage,
        carriers: Iterable[Carrier],
        notifier: Notifier | None,
        clock: Clock,
        ids: IdSource,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        self.storage, self.notifier, self.clock, self.ids = storage, notifier, clock, ids
        self.lease_seconds = lease_seconds
        self.resting: dict[str, datetime] = {}
        self.carriers: dict[str, Carrier] = {}
        for carrier in carriers:
            if self.carriers.setdefault(carrier.name, carrier) is not carrier:
                raise DefinitionError(f"two carriers are named {carrier.name!r}")

    def until(self, now: datetime) -> datetime:
        """When a lease ends that begins now."""
        return now + timedelta(seconds=self.lease_seconds)


class _Renewer:
    """A thread that keeps up the lease of what an adapter is sending, every third of its length, until it is ended."""

    def __init__(self, ports: Ports) -> None:
        self.lease: Lease | None = None
        self.ended = Event()
        self._ports = ports
        Thread(target=self._work, name="orderflow-leases", daemon=True).start()

    def _work(self) -> None:
        # A lease of no length, as where nobody else works the file, cannot be kept up.
        while self._ports.lease_seconds and not self.ended.wait(self._ports.lease_seconds / 3):
            lease = self.lease
            if lease is not None:
                # Where a renewal fails the next may not; a lost lease means that somebody else sends it as well.
                with suppress(OrderFlowError):
                    self._ports.storage.renew(lease, self._ports.until(self._ports.clock.now()))


class Runtime:
    """Answers the asks of one flow; used as a context manager, so that an unfinished unit is rolled back.

    A unit begins with the first ``Begin``, ``KnownCommands`` or ``Load`` and ends with ``Commit``, done or failed; no
    port but the storage is called inside it.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._stack = ExitStack()
        self._unit: UnitOfWork | None = None
        self._renewer: _Renewer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unit = None
        if self._renewer:
            self._renewer.ended.set()
        self._stack.__exit__(kind, error, trace)

    def __call__(self, request: Ask[Any]) -> Any:
        """Answer one ask. One that fails ends the unit that it is part of."""
        try:
            return self._ANSWERS[type(request)](self, request)
        except BaseException:
            self._unit = None
            self._stack.close()
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
            self._unit = self._stack.enter_context(self._ports.storage.unit())
        return self._unit

    def _commit(self, request: Commit) -> None:
        unit, self._unit = self._begun(), None
        with self._stack.pop_all():
            unit.commit(request.batch)

    def _roll_back(self, request: RollBack) -> None:
        self._unit = None
        self._stack.close()

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

    def _dead_letter(self, request: DeadLetter) -> None:
        self._ports.storage.dead_letter(request.lease, self._ports.clock.now(), request.error)

    def _retry(self, request: Retry) -> None:
        due = self._ports.clock.now() + timedelta(seconds=request.delay_seconds)
        self._ports.storage.retry(request.lease, due, request.error)

    def _pause(self, request: Pause) -> None:
        self._ports.resting[request.topic] = self._ports.clock.now() + timedelta(seconds=request.seconds)

    # -- adapters

    def _buy_label(self, request: BuyLabel) -> Label:
        carrier = self._carrier(request.carrier)
        with self._calling("carrier", request.lease):
            return carrier.buy_label(request.request)

    def _cancel_label(self, request: CancelLabel) -> None:
        carrier = self._carrier(request.carrier)
        with self._calling("carrier", request.lease):
            carrier.void_label(request.tracking_number, request.lease.message.id)

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
        """Call an adapter while its lease is kept up; whatever it raises, our own errors too, is a PortError."""
        if self._unit is not None:
            raise AssertionError("a port was called between the first load and the commit")
        self._renewer = self._renewer or _Renewer(self._ports)
        self._renewer.lease = lease
        try:
            yield
        except PortError:
            raise
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            raise PortError(port, message, timed_out=isinstance(error, TimeoutError)) from error
        finally:
            self._renewer.lease = None

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
        DeadLetter: _dead_letter,
        Pause: _pause,
        BuyLabel: _buy_label,
        CancelLabel: _cancel_label,
        SendNotice: _send_notice,
    }
    """What answers an ask. Functions, not bound methods: a table of those in each object would be a cycle."""
