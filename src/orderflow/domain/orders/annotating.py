"""What staff add to an order: tags and internal notes."""

from __future__ import annotations

from typing import Annotated, TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import FreeText, Length, Name
from orderflow.domain.engine.record import Command, Event, Fields
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.values import MAX_TAGS

K = TypeVar("K", bound=HasProgress)
Tags: TypeAlias = Annotated[tuple[Name, ...], Length(0, MAX_TAGS)]


class _Annotation(Fields):
    note: FreeText = ""
    add: Tags = ()
    remove: Tags = ()


class AnnotateOrder(_Annotation, Command):
    """Add and remove tags, and leave an internal note (no personal data: it stays in the journal)."""


class OrderAnnotated(_Annotation, Event):
    """Tags or notes changed."""


def annotated(state: K, event: OrderAnnotated) -> K:
    p = state.progress
    tags = tuple([tag for tag in dict.fromkeys((*p.tags, *event.add)) if tag not in event.remove])
    notes = (*p.notes, event.note) if event.note else p.notes
    return state.with_progress(evolve(p, tags=tags, notes=notes))
