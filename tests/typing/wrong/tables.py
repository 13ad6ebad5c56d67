"""Rules whose parts do not fit: a checker must report each line that says so, and no other."""

from __future__ import annotations

from datetime import datetime

from orderflow.domain.engine.machine import Absent, Guard, choice, rule, rules, to
from orderflow.domain.engine.record import Command, Event, Record, replacing
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import Refusal


class Open(Record):
    screws: int = 4


class Shut(Record):
    screws: int = 4


class Close(Command):
    softly: bool = False


class Paint(Command):
    colour: str


class Closed(Event):
    softly: bool
    at: datetime


class Slammed(Event):
    at: datetime


def shut(state: Open, event: Closed) -> Shut:
    return Shut(state.screws)


def opened(state: Shut, event: Closed) -> Open:
    return Open(state.screws)


def slammed(state: Open, event: Slammed) -> Shut:
    return Shut(state.screws)


def close(state: Open, command: Close, stamp: Stamp) -> Closed | Slammed:
    return Closed(softly=True, at=stamp.at) if command.softly else Slammed(stamp.at)


def closing(state: Open, command: Close, stamp: Stamp) -> Closed:
    return Closed(command.softly, stamp.moment)


def reopening(state: Shut, command: Close, stamp: Stamp) -> Closed:
    return Closed(command.softly, stamp.moment)


def is_whole(state: Open, command: Close, stamp: Stamp) -> Refusal | None:
    return None


def is_dry(state: Open, command: Paint, stamp: Stamp) -> Refusal | None:
    return None


def kept(state: Open | Shut, event: Closed) -> Open | Shut:
    return state


BOTH: tuple[type[Open | Shut], ...] = (Open, Shut)
GUARD: Guard[Open, Close] = is_whole

# What fits.
rule(Open, Close, Closed, Shut, shut)
rule(Open, Close, Closed, Shut, shut, guards=(GUARD,), decide=closing)
rule(Open, Close, Closed, (Shut, Open), kept)
rules(BOTH, Close, Closed, None, kept)
choice(Open, Close, close, to(Closed, Shut, shut), to(Slammed, Shut, slammed), guards=(is_whole,))
with_screws = replacing(Shut, lambda state: state.screws)
with_screws(Shut(), 3)

# What does not.
rule(Open, Close, Closed, Shut, shut, guards=(is_dry,))  # wrong: a guard of another command
rule(Absent, Close, Closed, Shut, shut)  # wrong: an evolve of another state
rule(Open, Close, Closed, Open, shut)  # wrong for mypy: a target that evolve does not return
rule(Open, Close, Slammed, Shut, shut)  # wrong: an evolve of another event
rule(Open, Close, Closed, Shut, shut, decide=reopening)  # wrong: a decide of another state
rule(Open, Paint, Closed, Shut, shut, decide=closing)  # wrong: a decide of another command
rules((Open,), Close, Closed, None, shut)  # wrong: the state does not stay what it is
choice(Open, Close, close, to(Closed, Shut, shut), to(Closed, Shut, shut))  # wrong: an event has no way
with_screws(Shut(), "three")  # wrong: a value of another type
with_screws(Open(), 3)  # wrong: another record
replacing(Shut, lambda state: state.nails)  # wrong: no such field
