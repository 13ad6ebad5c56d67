"""Tags and internal notes of an order."""

from __future__ import annotations

from typing import Annotated

from attrs import evolve, frozen

from orderflow.domain.engine.limits import MAX_TAGS
from orderflow.domain.engine.schema import FreeText, Length, Name
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders.state import HasProgress, Same

__all__ = ["AnnotateOrder", "OrderAnnotated", "annotate", "annotated"]


@frozen
class AnnotateOrder:
    """Add and remove tags, and leave an internal note (no personal data: it stays in the journal)."""

    note: FreeText = ""
    add: Annotated[tuple[Name, ...], Length(0, MAX_TAGS)] = ()
    remove: Annotated[tuple[Name, ...], Length(0, MAX_TAGS)] = ()


@frozen
class OrderAnnotated:
    """Tags or notes changed."""

    note: str
    add: tuple[str, ...]
    remove: tuple[str, ...]


def annotate(state: HasProgress, command: AnnotateOrder, stamp: Stamp) -> OrderAnnotated:
    """What ``AnnotateOrder`` becomes."""
    return OrderAnnotated(command.note, command.add, command.remove)


def annotated(state: Same, event: OrderAnnotated) -> Same:
    """The order after ``OrderAnnotated``."""
    p = state.progress
    tags = tuple(tag for tag in dict.fromkeys((*p.tags, *event.add)) if tag not in event.remove)
    notes = (*p.notes, event.note) if event.note else p.notes
    return state.with_progress(evolve(p, tags=tags, notes=notes))
