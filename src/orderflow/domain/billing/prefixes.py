"""A prefix of printed numbers is held by one series at a time: a row of its own makes that true."""

from __future__ import annotations

import unicodedata
from typing import Final, TypeAlias

from orderflow.domain.billing.numbering import PLAIN, Prefix
from orderflow.domain.engine.bounds import Id
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule
from orderflow.domain.engine.record import Event, Fields, Internal, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import Refusal

__all__ = [
    "PREFIX",
    "ClaimPrefix",
    "FreePrefix",
    "HeldPrefix",
    "PrefixClaimed",
    "PrefixReleased",
    "ReleasePrefix",
    "prefix_id",
]


def prefix_id(prefix: str) -> str:
    """The id of a prefix's row; texts that Unicode holds to be the same have one row."""
    return f"{unicodedata.normalize('NFC', prefix)}#"


class HeldPrefix(Record):
    """The numbers of ``series`` begin with it."""

    series: str


class FreePrefix(Record):
    """The series that held it was opened again with another before its first number."""


class _Claim(Fields):
    series: Id
    prefix: Prefix


class ClaimPrefix(_Claim, Internal):
    """Take a prefix for a series that is opened."""


class PrefixClaimed(_Claim, Event):
    """A prefix belongs to a series."""


class ReleasePrefix(Internal):
    """Give it back."""


class PrefixReleased(Event):
    """It was given back."""


Unheld: TypeAlias = Absent | FreePrefix


def plain_if_invoices(state: Unheld, command: ClaimPrefix, stamp: Stamp) -> Refusal | None:
    """Only the plain series prints numbers without a prefix, because it does so even if nobody opens it."""
    if command.prefix or command.series == PLAIN:
        return None
    return refuse("prefix_missing", "only the series {plain} may be without a prefix", plain=PLAIN)


def held_by_nobody_else(state: HeldPrefix, command: ClaimPrefix, stamp: Stamp) -> Refusal | None:
    """No two series have the same prefix."""
    if state.series == command.series:
        return None
    facts = {"prefix": command.prefix, "series": state.series}
    return refuse("prefix_taken", "the prefix {prefix} belongs to the series {series}", **facts)


def _held(state: Record, event: PrefixClaimed) -> HeldPrefix:
    return HeldPrefix(event.series)


def _freed(state: HeldPrefix, event: PrefixReleased) -> FreePrefix:
    return FreePrefix()


PREFIX: Final = Machine(
    "number_prefix",
    rules=(
        rule(Absent, ClaimPrefix, PrefixClaimed, HeldPrefix, _held, guards=(plain_if_invoices,)),
        rule(FreePrefix, ClaimPrefix, PrefixClaimed, HeldPrefix, _held, guards=(plain_if_invoices,)),
        rule(HeldPrefix, ClaimPrefix, PrefixClaimed, HeldPrefix, _held, guards=(held_by_nobody_else,)),
        rule(HeldPrefix, ReleasePrefix, PrefixReleased, FreePrefix, _freed),
    ),
    final=(HeldPrefix, FreePrefix),
)
