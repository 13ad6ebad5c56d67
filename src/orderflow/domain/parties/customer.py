"""The customer: who buys, as pointers to party versions. It holds no personal data; its sums are on the account."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias, TypeVar

from attrs import evolve

from orderflow.domain.engine.bounds import Length, Name
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, rules
from orderflow.domain.engine.record import Command, Event, Fields, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.parties import profile as pf
from orderflow.domain.parties.merging import CustomersMerged, MergeCustomers, MergeRecorded, RecordMerge
from orderflow.domain.parties.profile import NEW, Profile
from orderflow.domain.values import MAX_TAGS, PartyRef
from orderflow.errors import InvariantBroken, Refusal

Tags: TypeAlias = Annotated[tuple[Name, ...], Length(0, MAX_TAGS)]


class Active(Record):
    """May order."""

    party: PartyRef
    tags: tuple[str, ...]
    profile: Profile = NEW


class Blocked(Record):
    """May not order, for ``reason``."""

    party: PartyRef
    tags: tuple[str, ...]
    reason: str
    profile: Profile = NEW


class Closed(Record):
    """The relation has ended; the party version is kept, so that old documents can be read."""

    party: PartyRef
    profile: Profile = NEW


class Merged(Record):
    """A duplicate of the customer ``into``: it orders no more, and its documents are read through that customer."""

    party: PartyRef
    into: str
    profile: Profile = NEW


Living: TypeAlias = Active | Blocked
CustomerState: TypeAlias = Living | Closed | Merged
L = TypeVar("L", bound=Living)
K = TypeVar("K", bound=CustomerState)


class _Registration(Fields):
    party: PartyRef
    tags: Tags = ()


class RegisterCustomer(_Registration, Command):
    """Add a customer. ``tags`` name groups, such as ``wholesale``."""


class CustomerRegistered(_Registration, Event):
    """A customer was added."""


class _Party(Fields):
    party: PartyRef


class ChangeParty(_Party, Command):
    """Point to another party version: names or addresses have changed."""


class PartyChanged(_Party, Event):
    """The customer points to another party version."""


class _Tags(Fields):
    add: Tags = ()
    remove: Tags = ()


class TagCustomer(_Tags, Command):
    """Add the customer to groups, or take it out of them."""


class CustomerTagged(_Tags, Event):
    """The customer's groups changed."""


class _Block(Fields):
    reason: Name = ""


class BlockCustomer(_Block, Command):
    """Accept no orders; ``reason`` is a short word the shop chooses, never personal data."""


class CustomerBlocked(_Block, Event):
    """The customer is blocked."""


class UnblockCustomer(Command):
    """Accept orders again."""


class CustomerUnblocked(Event):
    """The block was lifted."""


class CloseCustomer(Command):
    """The relation has ended."""


class CustomerClosed(Event):
    """The relation has ended."""


def has_room_for_tags(state: Living, command: TagCustomer, stamp: Stamp) -> Refusal | None:
    """The number of a customer's tags is bounded."""
    count = len(_tags(state.tags, command.add, command.remove))
    if count <= MAX_TAGS:
        return None
    return refuse("too_many_tags", "{count} tags are too many, at most {most} are allowed", count=count, most=MAX_TAGS)


def has_room_for_contact(state: Living, command: pf.SetContact, stamp: Stamp) -> Refusal | None:
    """The number of a customer's contacts is bounded."""
    names = {command.contact, *(each.contact for each in state.profile.contacts)}
    if len(names) <= pf.MAX_CONTACTS:
        return None
    return refuse("too_many_contacts", "at most {most} contacts are allowed", most=pf.MAX_CONTACTS)


def has_room_for_address(state: Living, command: pf.SetAddress, stamp: Stamp) -> Refusal | None:
    """The number of a customer's addresses is bounded."""
    labels = {command.label, *(each.label for each in state.profile.addresses)}
    if len(labels) <= pf.MAX_ADDRESSES:
        return None
    return refuse("too_many_addresses", "at most {most} addresses are allowed", most=pf.MAX_ADDRESSES)


def has_room_for_purpose(state: CustomerState, command: pf.RecordConsent, stamp: Stamp) -> Refusal | None:
    """The number of purposes is bounded, for a shop names its purposes itself; known ones are never refused."""
    if len(state.profile.purposes | {command.purpose}) <= pf.MAX_PURPOSES:
        return None
    return refuse("too_many_purposes", "at most {most} purposes are allowed", most=pf.MAX_PURPOSES)


def has_room_for_merged(state: Living, command: MergeCustomers, stamp: Stamp) -> Refusal | None:
    """The number of duplicates is bounded."""
    if len(state.profile.merged) < pf.MAX_MERGED:
        return None
    return refuse("too_many_merged", "at most {most} duplicates are allowed", most=pf.MAX_MERGED)


def merged_once(state: Living, command: MergeCustomers, stamp: Stamp) -> Refusal | None:
    if command.merged not in state.profile.merged:
        return None
    return refuse("already_merged", "{merged} is merged into this customer already", merged=command.merged)


def known_contact(state: Living, command: pf.RemoveContact, stamp: Stamp) -> Refusal | None:
    if any(each.contact == command.contact for each in state.profile.contacts):
        return None
    return refuse("no_such_contact", "there is no contact {contact!r}", contact=command.contact)


def known_address(state: Living, command: pf.RemoveAddress, stamp: Stamp) -> Refusal | None:
    if any(each.label == command.label for each in state.profile.addresses):
        return None
    return refuse("no_such_address", "there is no address {label!r}", label=command.label)


def another_customer(state: CustomerState, command: RecordMerge, stamp: Stamp) -> Refusal | None:
    """Nobody is a duplicate of himself."""
    return (
        refuse("same_customer", "a customer cannot be merged with itself") if command.into == command.merged else None
    )


def block_is_kept(state: Blocked, command: RecordMerge, stamp: Stamp) -> Refusal | None:
    """A blocked customer does not get rid of the block by being merged into one who may order."""
    if command.blocked:
        return None
    return refuse(
        "merged_is_blocked",
        "{merged} is blocked: block {into} too, or lift the block, then merge",
        merged=command.merged,
        into=command.into,
    )


def _decided(state: CustomerState, command: pf.RecordConsent, stamp: Stamp) -> pf.ConsentRecorded:
    return pf.ConsentRecorded(command.purpose, command.granted, command.source, stamp.moment)


def _contact_set(state: L, event: pf.ContactSet) -> L:
    return evolve(state, profile=pf.contact_set(state.profile, event))


def _contact_removed(state: L, event: pf.ContactRemoved) -> L:
    return evolve(state, profile=pf.contact_removed(state.profile, event))


def _address_set(state: L, event: pf.AddressSet) -> L:
    return evolve(state, profile=pf.address_set(state.profile, event))


def _address_removed(state: L, event: pf.AddressRemoved) -> L:
    return evolve(state, profile=pf.address_removed(state.profile, event))


def _noted(state: L, event: pf.CustomerNoted) -> L:
    return evolve(state, profile=pf.noted(state.profile, event))


def _requests_set(state: L, event: pf.SpecialRequestsSet) -> L:
    return evolve(state, profile=pf.requests_set(state.profile, event))


def _consent_recorded(state: K, event: pf.ConsentRecorded) -> K:
    return evolve(state, profile=pf.consent_recorded(state.profile, event))


def _merged(state: L, event: CustomersMerged) -> L:
    return evolve(state, profile=evolve(state.profile, merged=(*state.profile.merged, event.merged)))


def _record_merge(state: CustomerState, command: RecordMerge, stamp: Stamp) -> MergeRecorded:
    return MergeRecorded(command.into)


def _merge_recorded(state: Living | Closed, event: MergeRecorded) -> Merged:
    return Merged(state.party, event.into, state.profile)


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
    return Blocked(state.party, state.tags, event.reason, state.profile)


def _unblocked(state: Blocked, event: CustomerUnblocked) -> Active:
    return Active(state.party, state.tags, state.profile)


def _closed(state: Living, event: CustomerClosed) -> Closed:
    return Closed(state.party, state.profile)


def _check(state: CustomerState) -> None:
    pf.check_profile(state.profile)
    if isinstance(state, Active | Blocked) and len(set(state.tags)) != len(state.tags):
        raise InvariantBroken("customer tags", "a tag appears twice")


LIVING: tuple[type[Living], ...] = (Active, Blocked)
ANY: tuple[type[CustomerState], ...] = (Active, Blocked, Closed, Merged)
UNBLOCKED: tuple[type[Active | Closed], ...] = (Active, Closed)

CUSTOMER: Final = Machine(
    "customer",
    rules=(
        rule(Absent, RegisterCustomer, CustomerRegistered, Active, _registered, decide=_register),
        rules(LIVING, ChangeParty, PartyChanged, None, _changed),
        rules(LIVING, TagCustomer, CustomerTagged, None, _tagged, guards=(has_room_for_tags,)),
        rules(LIVING, CloseCustomer, CustomerClosed, Closed, _closed),
        rules(LIVING, pf.SetContact, pf.ContactSet, None, _contact_set, guards=(has_room_for_contact,)),
        rules(LIVING, pf.RemoveContact, pf.ContactRemoved, None, _contact_removed, guards=(known_contact,)),
        rules(LIVING, pf.SetAddress, pf.AddressSet, None, _address_set, guards=(has_room_for_address,)),
        rules(LIVING, pf.RemoveAddress, pf.AddressRemoved, None, _address_removed, guards=(known_address,)),
        rules(LIVING, pf.NoteCustomer, pf.CustomerNoted, None, _noted),
        rules(LIVING, pf.SetSpecialRequests, pf.SpecialRequestsSet, None, _requests_set),
        rules(
            ANY,
            pf.RecordConsent,
            pf.ConsentRecorded,
            None,
            _consent_recorded,
            guards=(has_room_for_purpose,),
            decide=_decided,
        ),
        rules(LIVING, MergeCustomers, CustomersMerged, None, _merged, guards=(has_room_for_merged, merged_once)),
        rules(
            UNBLOCKED,
            RecordMerge,
            MergeRecorded,
            Merged,
            _merge_recorded,
            guards=(another_customer,),
            decide=_record_merge,
        ),
        rule(
            Blocked,
            RecordMerge,
            MergeRecorded,
            Merged,
            _merge_recorded,
            guards=(another_customer, block_is_kept),
            decide=_record_merge,
        ),
        rule(Active, BlockCustomer, CustomerBlocked, Blocked, _blocked),
        rule(Blocked, UnblockCustomer, CustomerUnblocked, Active, _unblocked),
    ),
    final=(Closed, Merged),
    check=_check,
)
