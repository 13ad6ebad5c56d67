"""The returns desk of a shop: what customers ask to send back, and what comes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Between, Name
from orderflow.domain.engine.decide import Flow, ask
from orderflow.domain.engine.schema import checked
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import InputError, Refusal
from orderflow.flows.asks import NewId, Now
from orderflow.flows.handle import accepted, handle_many
from orderflow.ports.storage import Ack
from orderflow.rows import RowId, Subjects

if TYPE_CHECKING:
    from orderflow.domain.returns.receiving import ReceiveReturn
    from orderflow.domain.returns.requesting import RequestReturn
    from orderflow.flows.advance import ShopSettings

__all__ = ["ReturnsDesk"]

R = TypeVar("R")

Limit = Annotated[int, Between(1, 1000)]


class ReturnsDesk(Subjects):
    """What a shop does with returns beyond single commands, by its ``settings.returns``."""

    actor: str

    @cached_property
    def settings(self) -> ShopSettings:
        """How the shop works."""
        raise NotImplementedError

    def run(self, flow: Callable[[], Flow[R]]) -> R:
        """Run a flow."""
        raise NotImplementedError

    @checked
    def request_return(self, id: RowId, command: RequestReturn, *, by: Name = "", command_id: Name = "") -> Ack:  # noqa: A002
        """Ask for a return, if the shop's rules allow it.

        Raises:
            CommandRefused: they do not; every reason is given.
            InputError: the command is malformed, or none that asks for a return.
        """
        from orderflow.domain.returns.requesting import RequestReturn
        from orderflow.flows.returns import request_return

        key, settings = self.key("return", id), self.settings.returns
        wish = _of(RequestReturn, command)

        def flow() -> Flow[Any]:
            stamp = yield from self._stamped(by, command_id)
            return (yield from request_return(self.workflow, key, wish, stamp, settings, minted=not command_id))

        return accepted(self.run(flow))

    @checked
    def explain_return(self, id: RowId, command: RequestReturn) -> tuple[Refusal, ...]:  # noqa: A002
        """Every reason why the shop's rules would not take these units back now. Changes nothing."""
        from orderflow.domain.returns.requesting import RequestReturn
        from orderflow.flows.returns import ineligible

        key, settings = self.key("return", id), self.settings.returns
        wish = _of(RequestReturn, command)

        def flow() -> Flow[tuple[Refusal, ...]]:
            stamp = yield from self._stamped("", "explain")
            return (yield from ineligible(key, wish, stamp, settings))

        return self.run(flow)

    @checked
    def receive_return(self, id: RowId, command: ReceiveReturn, *, by: Name = "", command_id: Name = "") -> Ack:  # noqa: A002
        """Take goods in as ``handle`` does; they go straight back on sale if the shop inspects nothing."""
        from orderflow.domain.engine.decide import Envelope
        from orderflow.domain.returns.receiving import ReceiveReturn

        key, goods = self.key("return", id), _of(ReceiveReturn, command)
        arrival = goods if self.settings.returns.inspect else evolve(goods, usable=True)

        def flow() -> Flow[Any]:
            envelope = Envelope(key, arrival, (yield from self._stamped(by, command_id)))
            fresh = () if command_id else (envelope.stamp.command_id,)
            return (yield from handle_many(self.workflow, [envelope], fresh_ids=fresh))[0]

        return accepted(self.run(flow))

    @checked
    def advance_returns(self, limit: Limit = 100) -> list[Ack]:
        """Cancel returns that were not sent in time, and settle those with nothing to be credited."""
        from orderflow.flows.returns import advance_returns

        def flow() -> Flow[list[Ack]]:
            now = yield from ask(Now())
            return (yield from advance_returns(self.workflow, now, limit=limit))

        return self.run(flow)

    def _stamped(self, by: str, command_id: str) -> Flow[Stamp]:
        now = yield from ask(Now())
        return Stamp(now, by or self.actor, command_id or (yield from ask(NewId())))


def _of(kind: type[R], command: object) -> R:
    if isinstance(command, kind):
        return command
    raise InputError.at("command", "wrong_type", f"must be a {kind.__name__}")
