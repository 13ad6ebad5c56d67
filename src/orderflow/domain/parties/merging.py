"""Duplicates: two rows for one customer, of which one is kept and the other leads to it."""

from __future__ import annotations

from orderflow.domain.engine.bounds import Id
from orderflow.domain.engine.record import Command, Event, Fields, Internal

__all__ = ["CustomersMerged", "MergeCustomers", "MergeRecorded", "RecordMerge"]


class _Merge(Fields):
    merged: Id


class MergeCustomers(_Merge, Command):
    """The customer ``merged`` is a duplicate of this one, which is kept. It cannot be undone.

    Documents and money stay where they are; they are read through the one that is kept.
    """


class CustomersMerged(_Merge, Event):
    """A duplicate was found; it is ``merged`` into this customer."""


class RecordMerge(_Merge, Internal):
    """This customer, ``merged``, is a duplicate of ``into``, which is ``blocked`` or not."""

    into: Id
    blocked: bool


class MergeRecorded(Event):
    """This customer is a duplicate of ``into``."""

    into: Id
