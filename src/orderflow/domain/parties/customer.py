"""The customer: who buys, as a pointer to a party version. No personal data stands here; sums stand on the account."""

from __future__ import annotations

from typing import Annotated, Self, TypeAlias, TypeVar

from attrs import frozen

from orderflow.domain.engine.limits import MAX_TAGS
from orderflow.domain.engine.machine import Absent, Machine, Rule, refuse, rule, to
from orderflow.domain.engine.schema import Length, Name
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.values import PartyRef
from orderflow.errors import InvariantBroken, Refusal

__all__ = [
    "CUSTOMER",
    "Active",
    "BlockCustomer",
    "Blocked",
    "ChangeParty",
    "CloseCustomer",
    "Closed",
    "CustomerBlocked",
    "CustomerClosed",
    "CustomerCommand",
    "CustomerEvent",
    "CustomerRegistered",
    "CustomerState",
    "CustomerTagged",
    "CustomerUnblocked",
    "PartyChanged",
    "RegisterCustomer",
    "TagCustomer",
    "UnblockCustomer",
]


Tags: TypeAlias = Annotated[tuple[Name, ...], Length(0, MAX_TAGS)]


@frozen
class RegisterCustomer:
    """Take a customer on. ``tags`` name groups, such as ``wholesale``."""

    party: PartyRef
    tags: Tags = ()


@frozen
class ChangeParty:
    """Names or addresses have changed: point to another version."""

    party: PartyRef


@frozen
class TagCustomer:
    """Add to groups and take out of groups."""

    add: Tags = ()
    remove: Tags = ()


@frozen
class BlockCustomer:
    """Accept no orders; ``reason`` is a short word of the shop's own, never personal data."""

    reason: Name = ""


@frozen
class UnblockCustomer:
    """Accept orders again."""


@frozen
class CloseCustomer:
    """The relation has ended."""


@frozen
class CustomerRegistered:
    """A customer was taken on."""

    party: PartyRef
    tags: tuple[str, ...]


@frozen
class PartyChanged:
    """The customer points to another party version."""

    party: PartyRef


@frozen
class CustomerTagged:
    """The customer's groups changed."""

    add: tuple[str, ...]
    remove: tuple[str, ...]


@frozen
class CustomerBlocked:
    """The customer is blocked."""

    reason: str


@frozen
class CustomerUnblocked:
    """The customer is not blocked any more."""


@frozen
class CustomerClosed:
    """The relation has ended."""


@frozen
class Active:
    """May order."""

    party: PartyRef
    tags: tuple[str, ...]

    def with_facts(self, party: PartyRef, tags: tuple[str, ...]) -> Self:
        """The same state with another party version and tags."""
        return type(self)(party, tags)


@frozen
class Blocked:
    """May not order, for ``reason``."""

    party: PartyRef
    tags: tuple[str, ...]
    reason: str

    def with_facts(self, party: PartyRef, tags: tuple[str, ...]) -> Self:
        """The same state with another party version and tags."""
        return type(self)(party, tags, self.reason)


@frozen
class Closed:
    """No customer any more; the party version is kept, so that old documents can be read."""

    party: PartyRef


Living: TypeAlias = Active | Blocked


CustomerState: TypeAlias = Living | Closed


CustomerCommand: TypeAlias = (
    RegisterCustomer | ChangeParty | TagCustomer | BlockCustomer | UnblockCustomer | CloseCustomer
)


CustomerEvent: TypeAlias = (
    CustomerRegistered | PartyChanged | CustomerTagged | CustomerBlocked | CustomerUnblocked | CustomerClosed
)


L = TypeVar("L", Active, Blocked)


def _room_for_tags(state: Living, command: TagCustomer, stamp: Stamp) -> Refusal | None:
    """A customer has a bounded number of tags."""
    count = len(_tags(state.tags, command.add, command.remove))
    if count <= MAX_TAGS:
        return None
    return refuse("too_many_tags", "{count} tags, at most {most} are allowed", count=count, most=MAX_TAGS)


def _register(state: Absent, command: RegisterCustomer, stamp: Stamp) -> CustomerRegistered:
    return CustomerRegistered(command.party, tuple(dict.fromkeys(command.tags)))


def _registered(state: Absent, event: CustomerRegistered) -> Active:
    return Active(event.party, event.tags)


def _change(state: Living, command: ChangeParty, stamp: Stamp) -> PartyChanged:
    return PartyChanged(command.party)


def _changed(state: L, event: PartyChanged) -> L:
    return state.with_facts(event.party, state.tags)


def _tag(state: Living, command: TagCustomer, stamp: Stamp) -> CustomerTagged:
    return CustomerTagged(command.add, command.remove)


def _tagged(state: L, event: CustomerTagged) -> L:
    return state.with_facts(state.party, _tags(state.tags, event.add, event.remove))


def _tags(tags: tuple[str, ...], add: tuple[str, ...], remove: tuple[str, ...]) -> tuple[str, ...]:
    return tuple([tag for tag in dict.fromkeys((*tags, *add)) if tag not in remove])


def _block(state: Active, command: BlockCustomer, stamp: Stamp) -> CustomerBlocked:
    return CustomerBlocked(command.reason)


def _blocked(state: Active, event: CustomerBlocked) -> Blocked:
    return Blocked(state.party, state.tags, event.reason)


def _unblock(state: Blocked, command: UnblockCustomer, stamp: Stamp) -> CustomerUnblocked:
    return CustomerUnblocked()


def _unblocked(state: Blocked, event: CustomerUnblocked) -> Active:
    return Active(state.party, state.tags)


def _close(state: Living, command: CloseCustomer, stamp: Stamp) -> CustomerClosed:
    return CustomerClosed()


def _closed(state: Living, event: CustomerClosed) -> Closed:
    return Closed(state.party)


def _check(state: CustomerState) -> None:
    if not isinstance(state, Closed) and len(set(state.tags)) != len(state.tags):
        raise InvariantBroken("customer tags", "a tag stands twice")


def _living(source: type[L]) -> tuple[Rule, Rule, Rule]:
    tagged = to(CustomerTagged, source, _tagged)
    return (
        rule(source, ChangeParty, _change, to(PartyChanged, source, _changed)),
        rule(source, TagCustomer, _tag, tagged, guards=(_room_for_tags,)),
        rule(source, CloseCustomer, _close, to(CustomerClosed, Closed, _closed)),
    )


CUSTOMER = Machine(
    "customer",
    commands=CustomerCommand,
    events=CustomerEvent,
    final=(Closed,),
    check=_check,
    rules=(
        rule(Absent, RegisterCustomer, _register, to(CustomerRegistered, Active, _registered)),
        *_living(Active),
        *_living(Blocked),
        rule(Active, BlockCustomer, _block, to(CustomerBlocked, Blocked, _blocked)),
        rule(Blocked, UnblockCustomer, _unblock, to(CustomerUnblocked, Active, _unblocked)),
    ),
)
