"""The effects that a shop could not carry out: dead letters, to be sent again or closed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

from orderflow.domain.engine.bounds import Between, Name, Text
from orderflow.domain.engine.limits import MAX_TEXT
from orderflow.domain.engine.schema import checked
from orderflow.ports.storage import MAX_FOUND, Cursor, DeadLetter

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderflow.domain.engine.decide import Flow

__all__ = ["Effects"]

R = TypeVar("R")

MessageId = Annotated[str, Text(MAX_TEXT, least=1)]
Limit = Annotated[int, Between(1, MAX_FOUND)]
Moment = datetime | None


class _Runs(Protocol):
    def __call__(self, flow: Callable[[], Flow[R]]) -> R: ...


class Effects:
    """Dead letters: effects that were given up, each with its last error.

    Every method raises :class:`InputError` for an argument that does not fit its annotation.
    """

    def __init__(self, run: _Runs, actor: str) -> None:
        self._run, self._actor = run, actor

    @checked
    def dead_letters(
        self, *, topic: Name = "", since: Moment = None, cursor: Cursor = 0, limit: Limit = 100
    ) -> list[DeadLetter]:
        """Dead letters, of one topic, or given up since a time, in the order of their commits."""
        from orderflow.flows.dead_letters import found

        return self._run(lambda: found(topic=topic, since=since, cursor=cursor, limit=limit))

    @checked
    def requeue(self, message_id: MessageId) -> None:
        """Have one dead letter sent again, at the end of its lane and with all its attempts to come.

        Raises:
            NotFound: there is no dead letter with that id.
        """
        from orderflow.flows.dead_letters import requeue

        self._run(lambda: requeue(message_id))

    @checked
    def requeue_all(self, *, topic: Name = "", since: Moment = None) -> list[str]:
        """Have dead letters sent again, and return their ids.

        Args:
            topic: only those of this topic; by default of every topic that ``relay`` carries out, none of a host's own.
            since: only those given up since this time.
        """
        from orderflow.flows.dead_letters import requeue_all

        return self._run(lambda: requeue_all(topic=topic, since=since))

    @checked
    def discard(self, message_id: MessageId, *, by: Name = "") -> None:
        """Close a dead letter for good; its record says who closed it.

        Raises:
            NotFound: there is no dead letter with that id.
            CommandRefused: it buys a label or moves money, and that may have been done (``may_have_been_made``).
        """
        from orderflow.flows.dead_letters import discard

        self._run(lambda: discard(message_id, by or self._actor))
