"""The two loops that answer a flow's asks: one for blocking code, one for async code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, ClassVar, Final, Self, TypeVar

from orderflow.domain.engine.decide import Ask, Flow, Load
from orderflow.errors import DefinitionError, OrderFlowError, PortError
from orderflow.flows.asks import (
    Begin,
    BuyLabel,
    CancelLabel,
    Claim,
    Commit,
    DeadLetter,
    Done,
    Find,
    KnownCommands,
    NewId,
    Now,
    Read,
    Retry,
    SendNotice,
)
from orderflow.ports.carrier import Carrier, Label
from orderflow.ports.clock import Clock
from orderflow.ports.ids import IdSource
from orderflow.ports.notifier import Notifier
from orderflow.ports.storage import Storage, UnitOfWork

__all__ = ["LEASE_SECONDS", "Ports", "Runtime", "run", "run_async"]


R = TypeVar("R")


def run(flow: Flow[R], answer: Callable[[Ask[Any]], Any]) -> R:
    """Run a flow to its end. An exception of ``answer`` is raised inside the flow, which may handle it."""
    try:
        request = next(flow)
        while True:
            try:
                reply = answer(request)
            except Exception as error:  # noqa: BLE001 - handed to the flow, which decides
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
            except Exception as error:  # noqa: BLE001 - handed to the flow, which decides
                request = flow.throw(error)
            else:
                request = flow.send(reply)
    except StopIteration as stop:
        result: R = stop.value
        return result


#: How long a claimed message belongs to its worker.
LEASE_SECONDS: Final = 60


class Ports:
    """The adapters a shop is wired with."""

    __slots__ = ("carriers", "clock", "ids", "lease_seconds", "notifier", "storage")

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
        self.carriers: dict[str, Carrier] = {}
        for carrier in carriers:
            if self.carriers.setdefault(carrier.name, carrier) is not carrier:
                raise DefinitionError(f"two carriers are named {carrier.name!r}")


class Runtime:
    """Answers the asks of one flow; used as a context manager, so that an unfinished unit is rolled back.

    A unit begins with the first ``Recall`` or ``Load`` and ends with ``Commit``; no port but the storage is called
    inside it.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._stack = ExitStack()
        self._unit: UnitOfWork | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unit = None
        self._stack.__exit__(kind, error, trace)

    def __call__(self, request: Ask[Any]) -> Any:
        """Answer one ask."""
        return self._ANSWERS[type(request)](self, request)

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
        unit = self._begun()
        unit.commit(request.batch)
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

    def _claim(self, request: Claim) -> Any:
        ports = self._ports
        return ports.storage.claim(request.limit, ports.clock.now(), ports.lease_seconds, request.topics)

    def _done(self, request: Done) -> None:
        self._ports.storage.done(request.leases, self._ports.clock.now())

    def _bury(self, request: DeadLetter) -> None:
        self._ports.storage.dead_letter(request.lease, self._ports.clock.now(), request.error)

    def _retry(self, request: Retry) -> None:
        due = self._ports.clock.now() + timedelta(seconds=request.delay_seconds)
        self._ports.storage.retry(request.lease, due, request.error)

    def _outside(self) -> None:
        if self._unit is not None:
            raise AssertionError("a port was called between the first load and the commit")

    def _carrier(self, name: str) -> Carrier:
        self._outside()
        carrier = self._ports.carriers.get(name)
        if carrier is None:
            raise PortError("carrier", f"no carrier {name!r} is wired", retry=False)
        return carrier

    def _buy_label(self, request: BuyLabel) -> Label:
        carrier = self._carrier(request.carrier)
        with _edge("carrier"):
            return carrier.buy_label(request.request)

    def _cancel_label(self, request: CancelLabel) -> None:
        carrier = self._carrier(request.carrier)
        with _edge("carrier"):
            carrier.void_label(request.tracking_number, request.idempotency_key)

    def _send(self, request: SendNotice) -> None:
        self._outside()
        if self._ports.notifier is None:
            raise PortError("notifier", "no notifier is wired", retry=False)
        with _edge("notifier"):
            self._ports.notifier.send(request.notice)

    _ANSWERS: ClassVar[Mapping[type[Any], Callable[[Any, Any], Any]]] = {
        Begin: _begin,
        KnownCommands: _known_commands,
        Load: _load,
        Commit: _commit,
        Read: _read,
        Now: _now,
        NewId: _new_id,
        Find: _find,
        Claim: _claim,
        Done: _done,
        Retry: _retry,
        DeadLetter: _bury,
        BuyLabel: _buy_label,
        CancelLabel: _cancel_label,
        SendNotice: _send,
    }
    """What answers an ask. Functions, not bound methods: a table of those in each object would be a cycle."""


@contextmanager
def _edge(port: str) -> Generator[None]:
    """A foreign error of an adapter becomes ours here, so that one bad adapter never stops the others' effects."""
    try:
        yield
    except OrderFlowError:
        raise
    except Exception as error:
        raise PortError(port, f"{type(error).__name__}: {error}") from error
