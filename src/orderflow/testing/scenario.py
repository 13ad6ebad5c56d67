"""Given, when, then: one row's life, told in commands and events.

::

    life = given(ORDER, PlaceOrder(content), ConfirmOrder(), stamp=STAMP)
    life.when(CompleteOrder()).refused("goods_left")
    life.when(CancelUnits("too late", CancelledBy.CUSTOMER)).then(Cancelled)
"""

from __future__ import annotations

from typing import Any, TypeVar

from attrs import frozen

from orderflow.domain.engine.machine import ABSENT, Machine
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import CommandRefused

__all__ = ["Ended", "Life", "given"]

S = TypeVar("S")


@frozen
class Ended:
    """How a command ended: an event and the state it led to, or the codes of the refusal."""

    event: Any
    state: Any
    codes: tuple[str, ...]

    def then(self, state: type[S], *events: type[Any]) -> S:
        """Assert that the command led to ``state``, by one of ``events`` if any are named; returns the state."""
        assert not self.codes, f"refused: {', '.join(self.codes)}"
        assert type(self.state) is state, f"led to {type(self.state).__name__}, not {state.__name__}"
        assert not events or type(self.event) in events, f"by {type(self.event).__name__}"
        reached: S = self.state
        return reached

    def refused(self, *codes: str) -> None:
        """Assert that the command was refused with exactly these codes."""
        assert self.codes == codes, f"refused with {self.codes}" if self.codes else "accepted, not refused"


@frozen
class Life:
    """One life so far. It is immutable: ``when`` tries a command from here, ``and_then`` returns the life after it."""

    machine: Machine
    state: Any
    stamp: Stamp

    def when(self, command: Any, stamp: Stamp | None = None) -> Ended:
        """Try a command."""
        try:
            event, state = self.machine.step(self.state, command, stamp or self.stamp)
        except CommandRefused as refusal:
            return Ended(None, self.state, refusal.codes)
        return Ended(event, state, ())

    def and_then(self, *commands: Any, stamp: Stamp | None = None) -> Life:
        """The life after these commands, all of which must be accepted."""
        state = self.state
        for command in commands:
            _, state = self.machine.step(state, command, stamp or self.stamp)
        return Life(self.machine, state, stamp or self.stamp)


def given(machine: Machine, *commands: Any, stamp: Stamp) -> Life:
    """The life that these commands lead to."""
    return Life(machine, ABSENT, stamp).and_then(*commands)
