"""Answers: what turns a flow's asks into calls on the ports."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, ClassVar, Final, Self

from orderflow.errors import DefinitionError, OrderFlowError, PortError
from orderflow.flows import asks as a
from orderflow.ports.carrier import Carrier, Label
from orderflow.ports.clock import Clock
from orderflow.ports.ids import IdSource
from orderflow.ports.notifier import Notifier
from orderflow.ports.storage import Storage, Unit

__all__ = ["LEASE_SECONDS", "Answers", "Ports"]

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


class Answers:
    """Answers the asks of one flow; used as a context manager, so that an unfinished unit is rolled back.

    A unit begins with the first ``Recall`` or ``Load`` and ends with ``Commit``; no port but the storage is called
    inside it.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._stack = ExitStack()
        self._unit: Unit | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unit = None
        self._stack.__exit__(kind, error, trace)

    def __call__(self, request: a.Ask[Any]) -> Any:
        """Answer one ask."""
        return self._ANSWERS[type(request)](self, request)

    def _begin(self, request: a.Begin) -> datetime:
        self._begun()
        return self._ports.clock.now()

    def _recall(self, request: a.Recall) -> Any:
        return self._begun().recall(request.command_ids)

    def _load(self, request: a.Load) -> Any:
        return self._begun().load(request.keys)

    def _begun(self) -> Unit:
        if self._unit is None:
            self._unit = self._stack.enter_context(self._ports.storage.unit())
        return self._unit

    def _commit(self, request: a.Commit) -> None:
        unit = self._begun()
        unit.commit(request.batch)
        self._unit = None
        self._stack.close()

    def _read(self, request: a.Read) -> Any:
        if self._unit is not None:
            return self._unit.load(request.keys)
        return self._ports.storage.read(request.keys)

    def _now(self, request: a.Now) -> datetime:
        return self._ports.clock.now()

    def _new_id(self, request: a.NewId) -> str:
        return self._ports.ids.new()

    def _find(self, request: a.Find) -> Any:
        return self._ports.storage.find(request.query)

    def _claim(self, request: a.Claim) -> Any:
        ports = self._ports
        return ports.storage.claim(request.limit, ports.clock.now(), ports.lease_seconds, request.topics)

    def _done(self, request: a.Done) -> None:
        self._ports.storage.done(request.parcels, self._ports.clock.now())

    def _bury(self, request: a.Bury) -> None:
        self._ports.storage.bury(request.parcel, self._ports.clock.now(), request.error)

    def _retry(self, request: a.Retry) -> None:
        due = self._ports.clock.now() + timedelta(seconds=request.delay_seconds)
        self._ports.storage.retry(request.parcel, due, request.error)

    def _outside(self) -> None:
        if self._unit is not None:
            raise AssertionError("a port was called between the first load and the commit")

    def _carrier(self, name: str) -> Carrier:
        self._outside()
        carrier = self._ports.carriers.get(name)
        if carrier is None:
            raise PortError("carrier", f"no carrier {name!r} is wired", retry=False)
        return carrier

    def _buy_label(self, request: a.BuyLabel) -> Label:
        carrier = self._carrier(request.carrier)
        with _edge("carrier"):
            return carrier.buy_label(request.request)

    def _cancel_label(self, request: a.CancelLabel) -> None:
        carrier = self._carrier(request.carrier)
        with _edge("carrier"):
            carrier.void_label(request.tracking_number, request.idempotency_key)

    def _send(self, request: a.SendNotice) -> None:
        self._outside()
        if self._ports.notifier is None:
            raise PortError("notifier", "no notifier is wired", retry=False)
        with _edge("notifier"):
            self._ports.notifier.send(request.notice)

    _ANSWERS: ClassVar[Mapping[type[Any], Callable[[Any, Any], Any]]] = {
        a.Begin: _begin,
        a.Recall: _recall,
        a.Load: _load,
        a.Commit: _commit,
        a.Read: _read,
        a.Now: _now,
        a.NewId: _new_id,
        a.Find: _find,
        a.Claim: _claim,
        a.Done: _done,
        a.Retry: _retry,
        a.Bury: _bury,
        a.BuyLabel: _buy_label,
        a.CancelLabel: _cancel_label,
        a.SendNotice: _send,
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
