"""What a number series tells the prefixes of numbers."""

from __future__ import annotations

from collections.abc import Iterator

from orderflow.domain.billing.numbering import Series
from orderflow.domain.billing.prefixes import ClaimPrefix, ReleasePrefix, prefix_id
from orderflow.domain.engine.workflow import EventContext, Send


def hold(context: EventContext) -> Iterator[Send]:
    """The prefix is claimed; one that an earlier opening has claimed is given back."""
    before, wanted = context.before, context.event.prefix
    old = before.prefix if isinstance(before, Series) else None
    if old is not None and prefix_id(old) != prefix_id(wanted):
        yield Send(context.key.beside("number_prefix", prefix_id(old)), ReleasePrefix())
    yield Send(context.key.beside("number_prefix", prefix_id(wanted)), ClaimPrefix(context.key.id, wanted))
