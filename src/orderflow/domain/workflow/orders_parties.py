"""What orders require of parties: whoever is billed or sent goods is on record."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping
from typing import Any

from orderflow.domain.engine.decide import Loaded, Read
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import EventContext, Require
from orderflow.domain.orders.content import OrderContent
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.domain.orders.state import Draft
from orderflow.domain.parties.party import PartyVersion
from orderflow.domain.values import party_id
from orderflow.errors import Key, Refusal


def parties_of(key: Key, content: OrderContent) -> list[Key]:
    """The party versions that an order names."""
    refs = dict.fromkeys((content.bill_to, content.ship_to))
    return [key.beside("party", party_id(ref.id, ref.version)) for ref in refs if ref is not None]


def named_parties(key: Key, command: PlaceOrder) -> Generator[Read, Mapping[Key, Loaded], Collection[Key]]:
    """The parties of what is placed, which may have been a draft's."""
    content = command.content
    if content is None:
        draft = (yield Read([key]))[key].state
        content = draft.content if isinstance(draft, Draft) else None
    return parties_of(key, content) if content else ()


def recorded(context: EventContext) -> Iterator[Require]:
    """The parties that an order names are kept, and not erased."""
    for party in parties_of(context.key, context.event.content):
        yield Require(party, _on_record(party.id))


def _on_record(party: str) -> Any:
    def guard(state: Any, stamp: Stamp) -> Refusal | None:
        if isinstance(state, PartyVersion):
            return None
        return refuse("no_such_party", "party {party} is not on record, or was erased", party=party)

    return guard
