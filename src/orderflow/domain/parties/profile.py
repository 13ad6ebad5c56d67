"""What a shop keeps of a customer beside the party: contacts, addresses, notes, special requests and consents.

Contacts and addresses are references to party versions, so that the personal values stay in the vault. Notes, special
requests, labels and roles stay in the journal: they hold no personal data.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeAlias

from attrs import evolve

from orderflow.domain.engine.bounds import Id, Length, Name, Text
from orderflow.domain.engine.limits import MAX_TEXT
from orderflow.domain.engine.record import Command, Event, Fields, Record
from orderflow.domain.values import PartyRef
from orderflow.errors import InvariantBroken

__all__ = [
    "Address",
    "AddressRemoved",
    "AddressSet",
    "Consent",
    "ConsentRecorded",
    "Contact",
    "ContactRemoved",
    "ContactSet",
    "CustomerNoted",
    "NoteCustomer",
    "Profile",
    "RecordConsent",
    "RemoveAddress",
    "RemoveContact",
    "SetAddress",
    "SetContact",
    "SetSpecialRequests",
    "SpecialRequestsSet",
]

MAX_CONTACTS: Final = 20
MAX_ADDRESSES: Final = 50
MAX_NOTES: Final = 50
MAX_REQUESTS: Final = 20
MAX_PURPOSES: Final = 20
MAX_CONSENTS: Final = 100
MAX_MERGED: Final = 50

Sentence: TypeAlias = Annotated[str, Text(MAX_TEXT, least=1, lines=True)]
Requests: TypeAlias = Annotated[tuple[Sentence, ...], Length(0, MAX_REQUESTS)]


class Contact(Record):
    """Somebody to talk to. ``contact`` names the contact within the customer, such as ``accounts``."""

    contact: Id
    party: PartyRef
    role: Name = ""


class Address(Record):
    """A named address. At most one is the default for billing, and at most one for shipping."""

    label: Id
    party: PartyRef
    default_billing: bool = False
    default_shipping: bool = False


class Consent(Record):
    """A decision about one purpose; ``decided_at`` is when the customer made it."""

    purpose: Id
    granted: bool
    source: Name
    decided_at: datetime


class Profile(Record):
    """All of it. ``notes`` are the newest, ``consents`` a history sorted by time; ``merged`` are duplicates, by id."""

    contacts: tuple[Contact, ...] = ()
    addresses: tuple[Address, ...] = ()
    notes: tuple[str, ...] = ()
    special_requests: tuple[str, ...] = ()
    consents: tuple[Consent, ...] = ()
    merged: tuple[str, ...] = ()

    def consents_to(self, purpose: str) -> bool:
        """Whether the newest decision about a purpose grants it; false if there is none."""
        return next((consent.granted for consent in reversed(self.consents) if consent.purpose == purpose), False)

    @property
    def purposes(self) -> frozenset[str]:
        return frozenset(consent.purpose for consent in self.consents)

    @property
    def default_billing(self) -> PartyRef | None:
        """The party of the default address for billing."""
        return next((address.party for address in self.addresses if address.default_billing), None)

    @property
    def default_shipping(self) -> PartyRef | None:
        """The party of the default address for shipping."""
        return next((address.party for address in self.addresses if address.default_shipping), None)

    @property
    def parties(self) -> tuple[PartyRef, ...]:
        """Every party version that contacts and addresses point to."""
        return (*[each.party for each in self.contacts], *[each.party for each in self.addresses])


NEW: Final = Profile()


# -- contacts


class SetContact(Contact, Command):
    """Add a contact, or change the one of that name."""


class ContactSet(Contact, Event):
    """A contact was added or changed."""


class _OneContact(Fields):
    contact: Id


class RemoveContact(_OneContact, Command):
    """Remove a contact; its party version stays in the vault until it is erased."""


class ContactRemoved(_OneContact, Event):
    """A contact was removed."""


def contact_set(profile: Profile, event: ContactSet) -> Profile:
    contact = Contact(event.contact, event.party, event.role)
    others = [each for each in profile.contacts if each.contact != event.contact]
    return evolve(profile, contacts=(*others, contact))


def contact_removed(profile: Profile, event: ContactRemoved) -> Profile:
    return evolve(profile, contacts=tuple(each for each in profile.contacts if each.contact != event.contact))


# -- addresses


class SetAddress(Address, Command):
    """Add an address, or change the one of that label; where it is the default, no other is."""


class AddressSet(Address, Event):
    """An address was added or changed."""


class _OneAddress(Fields):
    label: Id


class RemoveAddress(_OneAddress, Command):
    """Remove an address; its party version stays in the vault until it is erased."""


class AddressRemoved(_OneAddress, Event):
    """An address was removed."""


def address_set(profile: Profile, event: AddressSet) -> Profile:
    address = Address(event.label, event.party, event.default_billing, event.default_shipping)
    others = [_yielding(each, address) for each in profile.addresses if each.label != event.label]
    return evolve(profile, addresses=(*others, address))


def _yielding(other: Address, address: Address) -> Address:
    return evolve(
        other,
        default_billing=other.default_billing and not address.default_billing,
        default_shipping=other.default_shipping and not address.default_shipping,
    )


def address_removed(profile: Profile, event: AddressRemoved) -> Profile:
    return evolve(profile, addresses=tuple(each for each in profile.addresses if each.label != event.label))


# -- notes and special requests


class _Note(Fields):
    note: Sentence


class NoteCustomer(_Note, Command):
    """Leave an internal note, without personal data. The row keeps the newest, the journal all."""


class CustomerNoted(_Note, Event):
    """A note was left."""


def noted(profile: Profile, event: CustomerNoted) -> Profile:
    return evolve(profile, notes=(*profile.notes, event.note)[-MAX_NOTES:])


class _Requests(Fields):
    special_requests: Requests


class SetSpecialRequests(_Requests, Command):
    """What the customer wishes every time, such as "no plastic"; replaces what was there. Without personal data."""


class SpecialRequestsSet(_Requests, Event):
    """The special requests were replaced."""


def requests_set(profile: Profile, event: SpecialRequestsSet) -> Profile:
    return evolve(profile, special_requests=event.special_requests)


# -- consent


class _Consent(Fields):
    purpose: Id
    granted: bool
    source: Name = ""


class RecordConsent(_Consent, Command):
    """The customer consents to a purpose, or withdraws. ``source`` says where, such as ``web_form``.

    It counts from the time its source gives (``occurred_at``), so a decision that arrives late undoes no newer one.
    """


class ConsentRecorded(Event):
    """A consent was given or withdrawn at ``decided_at``."""

    purpose: Id
    granted: bool
    source: Name
    decided_at: datetime


def consent_recorded(profile: Profile, event: ConsentRecorded) -> Profile:
    """The decision in its place by time; when there are too many, the oldest superseded one is forgotten."""
    consent = Consent(event.purpose, event.granted, event.source, event.decided_at)
    history = sorted((*profile.consents, consent), key=lambda each: each.decided_at)
    if len(history) > MAX_CONSENTS:
        newest = {each.purpose: at for at, each in enumerate(history)}
        del history[next(at for at, each in enumerate(history) if newest[each.purpose] != at)]
    return evolve(profile, consents=tuple(history))


def check_profile(profile: Profile) -> None:
    """Names appear once, each default is given at most once, and the history is in order.

    Raises:
        InvariantBroken: they do not.
    """
    addresses = profile.addresses
    laws = {
        "a contact appears twice": _distinct([each.contact for each in profile.contacts]),
        "an address appears twice": _distinct([each.label for each in addresses]),
        "two addresses are the default for billing": sum(each.default_billing for each in addresses) <= 1,
        "two addresses are the default for shipping": sum(each.default_shipping for each in addresses) <= 1,
        "a customer was merged twice": _distinct(profile.merged),
        "consents are out of order": all(
            one.decided_at <= next_.decided_at
            for one, next_ in zip(profile.consents, profile.consents[1:], strict=False)
        ),
    }
    for fault, kept in laws.items():
        if not kept:
            raise InvariantBroken("customer profile", fault)


def _distinct(names: list[str] | tuple[str, ...]) -> bool:
    return len(set(names)) == len(names)
