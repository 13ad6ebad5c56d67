"""The customer: who buys, as a pointer to a party version. It holds no personal data; its sums are on the account."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias, TypeVar

from attrs import evolve, frozen

from orderflow.domain.engine.bounds import Length, Name
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, rules
from orderflow.domain.engine.record import Command, Event, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.values import MAX_TAGS, PartyRef
from orderflow.errors import InvariantBroken, Refusal

Tags: TypeAlias = Annotated[tuple[Name, ...], Length(0, MAX_TAGS)]


@frozen(eq=False, repr=False)
class Active(Record):
    """May order."""

    party: PartyRef
    tags: tuple[str, ...]


@frozen(eq=False, repr=False)
class Blocked(Record):
    """May not order, for ``reason``."""

    party: PartyRef
    tags: tuple[str, ...]
    reason: str


@frozen(eq=False, repr=False)
class Closed(Record):
    """The relation has ended; the party version is kept, so that old documents can be read."""

    party: PartyRef


Living: TypeAlias = Active | Blocked
CustomerState: TypeAlias = Living | Closed
L = TypeVar("L", bound=Living)


@frozen(eq=False, repr=False)
class _Registration:
    party: PartyRef
    tags: Tags = ()


class RegisterCustomer(_Registration, Command):
    """Add a customer. ``tags`` name groups, such as ``wholesale``."""

    __slots__ = ()


class CustomerRegistered(_Registration, Event):
    """A customer was added."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class _Party:
    party: PartyRef


class ChangeParty(_Party, Command):
    """Point to another party version: names or addresses have changed."""

    __slots__ = ()


class PartyChanged(_Party, Event):
    """The customer points to another party version."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class _Tags:
    add: Tags = ()
    remove: Tags = ()


class TagCustomer(_Tags, Command):
    """Add the customer to groups, or take it out of them."""

    __slots__ = ()


class CustomerTagged(_Tags, Event):
    """The customer's groups changed."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class _Block:
    reason: Name = ""


class BlockCustomer(_Block, Command):
    """Accept no orders; ``reason`` is a short word the shop chooses, never personal data."""

    __slots__ = ()


class CustomerBlocked(_Block, Event):
    """The customer is blocked."""

    __slots__ = ()


@frozen(eq=False, repr=False)
class UnblockCustomer(Command):
    """Accept orders again."""


@frozen(eq=False, repr=False)
class CustomerUnblocked(Event):
    """The block was lifted."""


@frozen(eq=False, repr=False)
class CloseCustomer(Command):
    """The relation has ended."""


@frozen(eq=False, repr=False)
class CustomerClosed(Event):
    """The relation has ended."""


def has_room_for_tags(state: Living, command: TagCustomer, stamp: Stamp) -> Refusal | None:
    """The number of a customer's tags is bounded."""
    count = len(_tags(state.tags, command.add, command.remove))
    if count <= MAX_TAGS:
        return None
    return refuse("too_many_tags", "{count} tags are too many, at most {most} are allowed", count=count, most=MAX_TAGS)


def _register(state: Absent, command: RegisterCustomer, stamp: Stamp) -> CustomerRegistered:
    return CustomerRegistered(command.party, tuple(dict.fromkeys(command.tags)))


def _registered(state: Absent, event: CustomerRegistered) -> Active:
    return Active(event.party, event.tags)


def _changed(state: L, event: PartyChanged) -> L:
    return evolve(state, party=event.party)


def _tagged(state: L, event: CustomerTagged) -> L:
    return evolve(state, tags=_tags(state.tags, event.add, event.remove))


def _tags(tags: tuple[str, ...], add: tuple[str, ...], remove: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([tag for tag in dict.fromkeys((*tags, *add)) if tag not in remove])


def _blocked(state: Active, event: CustomerBlocked) -> Blocked:
    return Blocked(state.party, state.tags, event.reason)


def _unblocked(state: Blocked, event: CustomerUnblocked) -> Active:
    return Active(state.party, state.tags)


def _closed(state: Living, event: CustomerClosed) -> Closed:
    return Closed(state.party)


def _check(state: CustomerState) -> None:
    if not isinstance(state, Closed) and len(set(state.tags)) != len(state.tags):
        raise InvariantBroken("customer tags", "a tag appears twice")


LIVING: tuple[type[Living], ...] = (Active, Blocked)

CUSTOMER: Final = Machine(
    "customer",
    rules=(
        rule(Absent, RegisterCustomer, CustomerRegistered, Active, _registered, decide=_register),
        rules(LIVING, ChangeParty, PartyChanged, None, _changed),
        rules(LIVING, TagCustomer, CustomerTagged, None, _tagged, guards=(has_room_for_tags,)),
        rules(LIVING, CloseCustomer, CustomerClosed, Closed, _closed),
        rule(Active, BlockCustomer, CustomerBlocked, Blocked, _blocked),
        rule(Blocked, UnblockCustomer, CustomerUnblocked, Active, _unblocked),
    ),
    final=(Closed,),
    check=_check,
)
