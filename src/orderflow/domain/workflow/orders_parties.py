"""What orders require of parties: whoever is billed or sent goods is on record."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from typing import Any

from orderflow.domain.engine.decide import Loaded, Read
from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import EventContext, Require
from orderflow.domain.orders.amending import ConfirmAmendment
from orderflow.domain.orders.content import OrderContent
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.domain.orders.readdressing import ChangeAddress
from orderflow.domain.orders.state import Draft, HasProgress
from orderflow.domain.parties.party import PartyVersion
from orderflow.domain.values import PartyRef
from orderflow.errors import Key, Refusal


def parties_of(key: Key, content: OrderContent) -> list[Key]:
    """The party versions that an order names."""
    return _parties(key, [content.bill_to, content.ship_to, *[line.ship_to for line in content.lines]])


def _parties(key: Key, refs: Iterable[PartyRef | None]) -> list[Key]:
    return [key.beside("party", str(ref)) for ref in dict.fromkeys(refs) if ref is not None]


def named_parties(key: Key, command: PlaceOrder) -> Generator[Read, Mapping[Key, Loaded], Collection[Key]]:
    """The parties of what is placed, which may have been a draft's."""
    content = command.content
    if content is None:
        draft = (yield Read([key]))[key].state
        content = draft.content if isinstance(draft, Draft) else None
    return parties_of(key, content) if content else ()


def amended_parties(key: Key, command: ConfirmAmendment) -> Generator[Read, Mapping[Key, Loaded], Collection[Key]]:
    """The parties that an amendment names with the lines that it adds."""
    order = (yield Read([key]))[key].state
    proposal = order.progress.proposed if isinstance(order, HasProgress) else None
    return _parties(key, [line.ship_to for line in proposal.changes.lines]) if proposal else ()


def named_address(key: Key, command: ChangeAddress) -> Generator[Read, Mapping[Key, Loaded], Collection[Key]]:
    """Where goods are to be sent."""
    yield from ()
    return _parties(key, [command.ship_to])


def address_recorded(context: EventContext) -> Iterator[Require]:
    """The party that goods are sent to is kept, and not erased."""
    for party in _parties(context.key, [context.event.ship_to]):
        yield Require(party, _on_record(party.id))


def recorded(context: EventContext) -> Iterator[Require]:
    """The parties that an order names are kept, and not erased; an amendment asks that of those that it names."""
    event, before = context.event, context.before
    known = parties_of(context.key, before.content_now) if isinstance(before, HasProgress) else ()
    for party in [key for key in parties_of(context.key, event.content) if key not in known]:
        yield Require(party, _on_record(party.id))


def _on_record(party: str) -> Any:
    def guard(state: Any, stamp: Stamp) -> Refusal | None:
        if isinstance(state, PartyVersion):
            return None
        return refuse("no_such_party", "party {party} is not on record, or was erased", party=party)

    return guard
