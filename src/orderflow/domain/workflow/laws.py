"""All laws across rows: what a row says as it stands, and an event when it happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from orderflow.domain.engine.workflow import EventContext
from orderflow.domain.workflow.goods_laws import GOODS, GOODS_LAWS
from orderflow.domain.workflow.limbo import LIMBO, LIMBO_LAWS
from orderflow.domain.workflow.money_laws import MONEY, MONEY_LAWS
from orderflow.domain.workflow.sums import Breach, Said, Sums
from orderflow.errors import Key

__all__ = ["KINDS", "LAWS", "Breach", "Said", "Sums", "said_by_event", "said_by_row"]

_EACH: Final = (GOODS, LIMBO, MONEY)

#: Id to law.
LAWS: Final[Mapping[str, str]] = {**GOODS_LAWS, **MONEY_LAWS, **LIMBO_LAWS}

#: The kinds of rows that the laws speak of.
KINDS: Final = frozenset().union(*[laws.kinds for laws in _EACH])


def said_by_row(key: Key, state: Any) -> Iterator[Said]:
    """What a row says, which its state alone decides."""
    return (said for laws in _EACH if key.kind in laws.kinds for said in laws.row(key, state))


def said_by_event(context: EventContext) -> Iterator[Said]:
    """What an event says; the shares of all events of a commit make up for each other."""
    return (said for laws in _EACH if context.key.kind in laws.kinds for said in laws.event(context))
