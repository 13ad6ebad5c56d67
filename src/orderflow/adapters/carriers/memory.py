"""An in-memory carrier that can fail in every way a real one does."""

from __future__ import annotations

import enum
import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable

from orderflow.domain.money.money import Money
from orderflow.errors import PortError
from orderflow.ports.carrier import Label, LabelRequest, Quote

__all__ = ["CarrierFailure", "MemoryCarrier"]

_STANDARD = (Quote("standard", Money.of("5.00", "EUR"), days=2),)


class CarrierFailure(enum.Enum):
    """One way for a call to go wrong."""

    REFUSED = "refused"
    """A permanent refusal."""
    TIMEOUT_BEFORE = "timeout_before"
    """No answer; nothing happened."""
    TIMEOUT_AFTER = "timeout_after"
    """No answer, but it did happen: the label was bought, or voided."""
    DUPLICATE = "duplicate"
    """The idempotency key is ignored: a second label is sold under a new number."""
    GARBAGE = "garbage"
    """An error page where the label should be."""


class MemoryCarrier:
    """Sells labels from memory and remembers every idempotency key.

    Each call takes the next entry of ``script``: a failure, or None for success; when the script is used up,
    everything succeeds. ``wait`` runs at the start of every call, for tests that need a slow carrier.
    ``sold`` lists all labels in order of sale, ``voided`` the tracking numbers of voided labels.
    """

    def __init__(
        self,
        name: str = "memory",
        *,
        quotes: tuple[Quote, ...] = _STANDARD,
        script: Iterable[CarrierFailure | None] = (),
        wait: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.sold: list[Label] = []
        self.voided: set[str] = set()
        self._quotes, self._script, self._wait = quotes, deque(script), wait
        self._by_key: dict[str, tuple[LabelRequest, Label]] = {}
        self._lock = threading.Lock()

    def quote(self, request: LabelRequest) -> tuple[Quote, ...]:
        """The quotes it was created with, or only those for the requested service."""
        self._wait()
        with self._lock:
            failure = self._next_failure()
            self._fail_if(failure, CarrierFailure.TIMEOUT_AFTER)
            return self._offers(request)

    def buy_label(self, request: LabelRequest) -> Label:
        """Sells a label for the service of the first matching quote."""
        self._wait()
        with self._lock:
            failure = self._next_failure()
            label = self._sell(request, again=failure is CarrierFailure.DUPLICATE)
            self._fail_if(failure, CarrierFailure.TIMEOUT_AFTER)
            return self._garbage() if failure is CarrierFailure.GARBAGE else label

    def void_label(self, tracking_number: str, idempotency_key: str) -> None:
        """Voids a label."""
        self._wait()
        with self._lock:
            failure = self._next_failure()
            if all(label.tracking_number != tracking_number for label in self.sold):
                raise self._refusal(f"{tracking_number!r} was never sold")
            self.voided.add(tracking_number)
            self._fail_if(failure, CarrierFailure.TIMEOUT_AFTER)

    def _next_failure(self) -> CarrierFailure | None:
        """The script's next entry; failures that precede any effect are raised here."""
        failure = self._script.popleft() if self._script else None
        self._fail_if(failure, CarrierFailure.TIMEOUT_BEFORE)
        if failure is CarrierFailure.REFUSED:
            raise self._refusal("refused")
        return failure

    def _fail_if(self, failure: CarrierFailure | None, kind: CarrierFailure) -> None:
        if failure is kind:
            raise PortError("carrier", f"{self.name}: no answer in time")

    def _sell(self, request: LabelRequest, *, again: bool) -> Label:
        earlier = self._by_key.get(request.idempotency_key)
        if earlier and earlier[0] != request:
            raise self._refusal("the idempotency key was used for another request")
        if earlier and not again:
            return earlier[1]
        offer = self._offers(request)[0]
        number = self._number(request.idempotency_key, twin=earlier is not None)
        label = Label(self.name, offer.service, number, offer.price, f"label {number}", "text/plain")
        self._by_key[request.idempotency_key] = request, label
        self.sold.append(label)
        return label

    def _number(self, key: str, *, twin: bool) -> str:
        """A distinct number for each key, the same in every process."""
        digits = hashlib.sha256(key.encode()).hexdigest()[:10]
        return f"{self.name}-{digits}" + (f"-{len(self.sold)}" if twin else "")

    def _offers(self, request: LabelRequest) -> tuple[Quote, ...]:
        if not request.parcels:
            raise self._refusal("there is no parcel to carry")
        offers = tuple(quote for quote in self._quotes if request.service in (None, quote.service))
        if not offers:
            raise self._refusal(f"there is no service {request.service!r}")
        return offers

    def _garbage(self) -> Label:
        return Label(self.name, "", "", None, "<html>502 Bad Gateway</html>", "text/html")

    def _refusal(self, reason: str) -> PortError:
        return PortError("carrier", f"{self.name}: {reason}", retry=False)
