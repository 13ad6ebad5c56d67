"""An in-memory notifier that can fail in every way a real one does."""

from __future__ import annotations

import enum
import threading
from collections import deque
from collections.abc import Iterable

from orderflow.errors import PortError
from orderflow.ports.notifier import Notice

__all__ = ["MemoryNotifier", "NotifierFailure"]


class NotifierFailure(enum.Enum):
    """One way for a call to go wrong."""

    REFUSED = "refused"
    """A permanent refusal."""
    TIMEOUT_BEFORE = "timeout_before"
    """No answer; nothing was delivered."""
    TIMEOUT_AFTER = "timeout_after"
    """No answer, but the notice was delivered."""


class MemoryNotifier:
    """Keeps each notice once, by its id.

    Each call takes the next entry of ``script``: a failure, or None for success; when the script is used up,
    everything succeeds.
    """

    def __init__(self, script: Iterable[NotifierFailure | None] = ()) -> None:
        self._script = deque(script)
        self._delivered: dict[str, Notice] = {}
        self._lock = threading.Lock()

    @property
    def delivered(self) -> tuple[Notice, ...]:
        """The notices delivered, in order of delivery."""
        return tuple(self._delivered.values())

    def send(self, notice: Notice) -> None:
        """Delivers the notice, unless it was delivered before."""
        with self._lock:
            failure = self._script.popleft() if self._script else None
            if failure is NotifierFailure.REFUSED:
                raise PortError("notifier", f"{notice.to!r} refused", retry=False)
            if failure is not NotifierFailure.TIMEOUT_BEFORE:
                self._delivered.setdefault(notice.id, notice)
            if failure is not None:
                raise PortError("notifier", "no answer in time")
