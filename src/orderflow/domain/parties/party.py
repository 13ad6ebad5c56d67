"""Who: immutable party versions, the only rows that hold personal data (the vault).

Orders, labels and invoices point to a version by :class:`~orderflow.domain.keys.PartyRef`; the journal keeps no
values of it.
"""

from __future__ import annotations

from datetime import date
from typing import TypeAlias

from attrs import frozen

from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, to, to_one_of
from orderflow.domain.engine.schema import FreeText, Name
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import Refusal

__all__ = [
    "PARTY",
    "ErasePartyVersion",
    "Erased",
    "PartyErased",
    "PartyEvent",
    "PartyRecorded",
    "PartyVersion",
    "Person",
    "RecordParty",
    "Restricted",
]


@frozen(repr=False)
class Person:
    """Personal data of one party version. Its repr shows none of it."""

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

    def __repr__(self) -> str:
        return "Person(<redacted>)"


@frozen
class RecordParty:
    """Keep a version of a party. A version never changes; a change is the next version."""

    person: Person
    purpose: Name = "order"
    retain_until: date | None = None


@frozen
class ErasePartyVersion:
    """Erase the personal data, or restrict it until the law lets it go."""


@frozen
class PartyRecorded:
    """A version was kept."""

    person: Person
    purpose: str
    retain_until: date | None


@frozen
class PartyErased:
    """The personal data of a version is gone, or out of use until ``restricted_until``."""

    restricted_until: date | None = None


@frozen
class PartyVersion:
    """A version in use."""

    person: Person
    purpose: str
    retain_until: date | None


@frozen
class Restricted:
    """Out of use, kept only because the law makes us until ``until``."""

    person: Person
    until: date


@frozen
class Erased:
    """Nothing personal is left."""


PartyCommand: TypeAlias = RecordParty | ErasePartyVersion


PartyEvent: TypeAlias = PartyRecorded | PartyErased


Gone: TypeAlias = Restricted | Erased


def _retention_over(state: Restricted, command: ErasePartyVersion, stamp: Stamp) -> Refusal | None:
    """What the law makes us keep stays until the retention ends."""
    if stamp.at.date() <= state.until:
        return refuse("retained", "must be kept until {until}", until=state.until.isoformat())
    return None


def _record(state: Absent, command: RecordParty, stamp: Stamp) -> PartyRecorded:
    return PartyRecorded(command.person, command.purpose, command.retain_until)


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


def _check(state: object) -> None:
    """A party version has no invariant beyond its shape."""


PARTY = Machine(
    "party",
    commands=PartyCommand,
    events=PartyEvent,
    final=(PartyVersion, Erased, Restricted),
    check=_check,
    rules=(
        rule(Absent, RecordParty, _record, to(PartyRecorded, PartyVersion, _recorded)),
        rule(PartyVersion, ErasePartyVersion, _erase, to_one_of(PartyErased, _erased, Restricted, Erased)),
        rule(Restricted, ErasePartyVersion, _purge, to(PartyErased, Erased, _purged), guards=(_retention_over,)),
    ),
)
