"""Who: immutable party versions, the only rows that hold personal data (the vault).

Orders, labels and invoices point to a version by :class:`~orderflow.domain.values.PartyRef`; the journal holds none of
its data.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from orderflow.domain.engine.bounds import FreeText, Name
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule
from orderflow.domain.engine.record import Command, Event, Fields, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import Refusal

__all__ = [
    "PARTY",
    "ErasePartyVersion",
    "Erased",
    "PartyErased",
    "PartyRecorded",
    "PartyVersion",
    "Person",
    "RecordParty",
    "Restricted",
]


class Person(Record):
    """Personal data of one party version. Its repr shows none of it. ``kana`` is how the name is read (フリガナ)."""

    name: Name = ""
    company: Name = ""
    lines: tuple[Name, ...] = ()
    city: Name = ""
    region: Name = ""
    postal_code: Name = ""
    country: Name = ""
    phone: Name = ""
    email: Name = ""
    registration_number: Name = ""
    delivery_note: FreeText = ""
    gift_message: FreeText = ""
    special_request: FreeText = ""
    kana: Name = ""

    def __repr__(self) -> str:
        return "Person(<redacted>)"


class _Party(Fields):
    person: Person
    purpose: Name = "order"
    retain_until: date | None = None


class RecordParty(_Party, Command):
    """Keep a version of a party. A version never changes; changed data is the next version."""


class PartyRecorded(_Party, Event):
    """A version was kept."""


class PartyVersion(_Party, Record):
    """A version in use."""


class ErasePartyVersion(Command):
    """Erase the personal data, or restrict it for as long as the law requires it to be kept."""


class PartyErased(Event):
    """The personal data of a version was erased, or is out of use until ``restricted_until``."""

    restricted_until: date | None = None


class Restricted(Record):
    """Out of use, kept until ``until`` only because the law requires it."""

    person: Person
    until: date


class Erased(Record):
    """Nothing personal is left."""


def retention_is_over(state: Restricted, command: ErasePartyVersion, stamp: Stamp) -> Refusal | None:
    """Data that the law requires us to keep stays until its retention ends."""
    if stamp.at.date() <= state.until:
        return refuse("retained", "the data must be kept until {until}", until=state.until.isoformat())
    return None


def _recorded(state: Absent, event: PartyRecorded) -> PartyVersion:
    return PartyVersion(event.person, event.purpose, event.retain_until)


def _erase(state: PartyVersion, command: ErasePartyVersion, stamp: Stamp) -> PartyErased:
    kept = state.retain_until
    return PartyErased(kept if kept is not None and stamp.at.date() <= kept else None)


def _erased(state: PartyVersion, event: PartyErased) -> Restricted | Erased:
    return Erased() if event.restricted_until is None else Restricted(state.person, event.restricted_until)


def _purge(state: Restricted, command: ErasePartyVersion, stamp: Stamp) -> PartyErased:
    return PartyErased()


def _purged(state: Restricted, event: PartyErased) -> Erased:
    return Erased()


GONE: tuple[type[Restricted | Erased], ...] = (Restricted, Erased)

PARTY: Final = Machine(
    "party",
    rules=(
        rule(Absent, RecordParty, PartyRecorded, PartyVersion, _recorded),
        rule(PartyVersion, ErasePartyVersion, PartyErased, GONE, _erased, decide=_erase),
        rule(Restricted, ErasePartyVersion, PartyErased, Erased, _purged, guards=(retention_is_over,), decide=_purge),
    ),
    final=(PartyVersion, Erased, Restricted),
)
