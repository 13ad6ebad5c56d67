"""The customer: its table, its tags, and the party version it points to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.parties.customer import (
    CUSTOMER,
    Active,
    BlockCustomer,
    Blocked,
    ChangeParty,
    CloseCustomer,
    Closed,
    RegisterCustomer,
    TagCustomer,
    UnblockCustomer,
)
from orderflow.domain.parties.merging import MergeCustomers, RecordMerge
from orderflow.domain.parties.profile import (
    MAX_ADDRESSES,
    MAX_CONSENTS,
    MAX_CONTACTS,
    MAX_MERGED,
    MAX_NOTES,
    MAX_PURPOSES,
    Address,
    Consent,
    Contact,
    NoteCustomer,
    Profile,
    RecordConsent,
    RemoveAddress,
    RemoveContact,
    SetAddress,
    SetContact,
    SetSpecialRequests,
)
from orderflow.domain.values import MAX_TAGS, PartyRef
from orderflow.errors import CommandRefused, InvariantBroken

STAMP = Stamp(datetime(2026, 4, 1, 12, tzinfo=UTC), "tester", "c")
FIRST, SECOND = PartyRef("P-1", 1), PartyRef("P-1", 2)
REGISTER, BLOCK, CLOSE = RegisterCustomer(FIRST, ("vip",)), BlockCustomer("unpaid"), CloseCustomer()


def play(*commands: Any, state: Any = ABSENT) -> Any:
    """The state after the commands."""
    for command in commands:
        _, state = CUSTOMER.step(state, command, STAMP)
    return state


def name(value: object) -> str:
    """The name of a value's class."""
    return type(value).__name__


ACTIVE = play(REGISTER)
BLOCKED = play(BLOCK, state=ACTIVE)
CONTACT, ADDRESS = SetContact("accounts", SECOND, "bookkeeper"), SetAddress("office", SECOND, default_billing=True)
FURNISHED = play(CONTACT, ADDRESS, state=ACTIVE)
MERGE = RecordMerge("dup", "kept", blocked=True)
STATES = (ABSENT, FURNISHED, play(BLOCK, state=FURNISHED), play(CLOSE, state=ACTIVE), play(MERGE, state=ACTIVE))
COMMANDS = (
    REGISTER, ChangeParty(SECOND), TagCustomer(("eu",)), BLOCK, UnblockCustomer(), CLOSE,
    CONTACT, RemoveContact("accounts"), ADDRESS, RemoveAddress("office"), NoteCustomer("asks for samples"),
    SetSpecialRequests(("no plastic",)), RecordConsent("news", granted=True, source="web_form"),
    MergeCustomers("dup"), MERGE,
)  # fmt: skip
#: What every customer takes who has not ended.
KEPT = (
    "ChangeParty", "TagCustomer", "SetContact", "RemoveContact", "SetAddress", "RemoveAddress", "NoteCustomer",
    "SetSpecialRequests", "RecordConsent", "MergeCustomers",
)  # fmt: skip

# For every state, where each command that it takes leads; what is not named is refused.
LEADS: dict[str, dict[str, str]] = {
    "Absent": {"RegisterCustomer": "Active"},
    "Active": {
        **dict.fromkeys(KEPT, "Active"),
        "BlockCustomer": "Blocked",
        "CloseCustomer": "Closed",
        "RecordMerge": "Merged",
    },
    "Blocked": {
        **dict.fromkeys(KEPT, "Blocked"),
        "UnblockCustomer": "Active",
        "CloseCustomer": "Closed",
        "RecordMerge": "Merged",
    },
    "Closed": {"RecordConsent": "Closed", "RecordMerge": "Merged"},
    "Merged": {"RecordConsent": "Merged"},
}


def test_the_samples_are_complete() -> None:
    """Every state and every command of the machine stands among the samples, and no sample is faulty."""
    assert {type(state) for state in STATES} == set(CUSTOMER.states)
    assert {type(command) for command in COMMANDS} == set(CUSTOMER.commands)
    assert not [fault for command in COMMANDS for fault in faults_of(command)]


@pytest.mark.parametrize("command", COMMANDS, ids=name)
@pytest.mark.parametrize("state", STATES, ids=name)
def test_every_state_answers_every_command(state: Any, command: Any) -> None:
    """A command leads where the table says, or is refused with a code and changes nothing."""
    leads = LEADS[name(state)].get(name(command))
    if leads is not None:
        assert name(play(command, state=state)) == leads
    else:
        with pytest.raises(CommandRefused) as caught:
            play(command, state=state)
        assert caught.value.codes == ("not_found" if state is ABSENT else "not_now",)


def test_a_changed_party_is_another_version() -> None:
    """A move is a pointer to the next version, also while the customer is blocked, and nothing else changes."""
    assert play(ChangeParty(SECOND), state=ACTIVE) == Active(SECOND, ("vip",))
    assert play(ChangeParty(SECOND), state=BLOCKED) == Blocked(SECOND, ("vip",), "unpaid")
    assert play(ChangeParty(SECOND), CLOSE, state=BLOCKED) == Closed(SECOND)


def test_a_block_has_a_reason_and_can_be_lifted() -> None:
    """Blocking keeps the reason, unblocking gives the customer back as it was."""
    assert BLOCKED.reason == "unpaid"
    assert play(UnblockCustomer(), state=BLOCKED) == ACTIVE


def test_a_customer_points_to_a_real_version() -> None:
    """Versions count from 1, and an id is not blank."""
    faults = faults_of(RegisterCustomer(PartyRef(" ", 0)))
    assert [fault.path for fault in faults] == ["party.id", "party.version"]


TAGS = st.lists(st.sampled_from("abcde"), max_size=6).map(tuple)


@given(TAGS, st.lists(st.tuples(TAGS, TAGS), max_size=5), st.booleans())
def test_tags_are_a_set_that_keeps_its_order(
    tags: tuple[str, ...], changes: list[tuple[tuple[str, ...], tuple[str, ...]]], blocked: bool
) -> None:
    """Tags added and not removed stand once each, oldest first."""
    state = play(RegisterCustomer(FIRST, tags), *([BLOCK] if blocked else []))
    expected = list(dict.fromkeys(tags))
    for add, remove in changes:
        state = play(TagCustomer(add, remove), state=state)
        expected += [tag for tag in dict.fromkeys(add) if tag not in expected]
        expected = [tag for tag in expected if tag not in remove]
    assert list(state.tags) == expected


def test_the_number_of_tags_is_bounded() -> None:
    """One tag too many is refused, unless another goes at the same time."""
    full = play(RegisterCustomer(FIRST, tuple(f"t{number}" for number in range(MAX_TAGS))))
    reasons = CUSTOMER.explain(full, TagCustomer(("new",)), STAMP)
    assert [(reason.code, reason["count"]) for reason in reasons] == [("too_many_tags", MAX_TAGS + 1)]
    assert play(TagCustomer(("new",), ("t0",)), state=full).tags[-1] == "new"


def test_a_tag_that_stands_twice_is_found() -> None:
    """Two equal tags are a bug."""
    with pytest.raises(InvariantBroken):
        CUSTOMER.check(Active(FIRST, ("a", "a")))


def codes(state: Any, command: Any) -> list[str]:
    """Why a command would be refused."""
    return [reason.code for reason in CUSTOMER.explain(state, command, STAMP)]


def test_contacts_and_addresses_are_kept_by_name() -> None:
    """The same name is a change, another an addition; what is removed is gone, and what is not there is refused."""
    state = play(CONTACT, SetContact("accounts", FIRST), SetContact("boss", SECOND), state=ACTIVE)
    assert state.profile.contacts == (Contact("accounts", FIRST), Contact("boss", SECOND))
    assert play(RemoveContact("accounts"), state=state).profile.contacts == (Contact("boss", SECOND),)
    assert codes(ACTIVE, RemoveContact("accounts")) == ["no_such_contact"]
    assert codes(ACTIVE, RemoveAddress("office")) == ["no_such_address"]
    assert play(ADDRESS, RemoveAddress("office"), state=ACTIVE) == ACTIVE


def test_one_address_is_the_default_for_each_use() -> None:
    """A new default takes the place of the old one, for that use only."""
    state = play(
        SetAddress("office", FIRST, default_billing=True, default_shipping=True),
        SetAddress("depot", SECOND, default_shipping=True),
        state=ACTIVE,
    )
    assert state.profile.addresses == (
        Address("office", FIRST, default_billing=True),
        Address("depot", SECOND, default_shipping=True),
    )
    assert (state.profile.default_billing, state.profile.default_shipping) == (FIRST, SECOND)
    moved = play(SetAddress("depot", SECOND, default_billing=True), state=state)
    assert (moved.profile.default_billing, moved.profile.default_shipping) == (SECOND, None)
    assert (ACTIVE.profile.default_billing, ACTIVE.profile.default_shipping) == (None, None)


def test_what_a_customer_has_is_bounded() -> None:
    """One contact, address, purpose or duplicate too many is refused; a change of a known one is not."""
    state = play(
        *[SetContact(f"c{number}", FIRST) for number in range(MAX_CONTACTS)],
        *[SetAddress(f"a{number}", FIRST) for number in range(MAX_ADDRESSES)],
        *[RecordConsent(f"p{number}", granted=True) for number in range(MAX_PURPOSES)],
        *[MergeCustomers(f"m{number}") for number in range(MAX_MERGED)],
        state=ACTIVE,
    )
    assert codes(state, SetContact("new", FIRST)) == ["too_many_contacts"]
    assert codes(state, SetAddress("new", FIRST)) == ["too_many_addresses"]
    assert codes(state, RecordConsent("new", granted=True)) == ["too_many_purposes"]
    assert codes(state, MergeCustomers("new")) == ["too_many_merged"]
    known = (SetContact("c0", SECOND), SetAddress("a0", SECOND), RecordConsent("p0", granted=False))
    assert [codes(state, command) for command in known] == [[], [], []]


def test_the_newest_notes_are_kept() -> None:
    """The row stays small; the journal has all notes."""
    state = play(*[NoteCustomer(f"n{number}") for number in range(MAX_NOTES + 2)], state=ACTIVE)
    assert (len(state.profile.notes), state.profile.notes[0]) == (MAX_NOTES, "n2")
    assert play(SetSpecialRequests(("a",)), SetSpecialRequests(("b",)), state=ACTIVE).profile.special_requests == ("b",)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.integers(0, 9)), max_size=12), st.booleans())
def test_the_newest_consent_decides(decisions: list[tuple[str, bool, int]], ended: bool) -> None:
    """Whatever the order in which decisions arrive, the one made last counts, of two at once the one told last."""
    state = play(CLOSE, state=ACTIVE) if ended else ACTIVE
    for purpose, granted, minute in decisions:
        at = STAMP.at.replace(minute=minute)
        _, state = CUSTOMER.step(state, RecordConsent(purpose, granted), Stamp(STAMP.at, "tester", "c", at))
    assert len(state.profile.consents) == len(decisions)
    for purpose in "ab":
        of = [(minute, at, granted) for at, (each, granted, minute) in enumerate(decisions) if each == purpose]
        assert state.profile.consents_to(purpose) is (max(of)[2] if of else False)


def test_a_long_history_of_consents_forgets_what_was_superseded() -> None:
    """The newest decision about every purpose stays, however many others came after it."""
    old = RecordConsent("post", granted=True)
    state = play(old, *[RecordConsent("news", granted=bool(at % 2)) for at in range(MAX_CONSENTS + 5)], state=ACTIVE)
    assert len(state.profile.consents) == MAX_CONSENTS
    assert state.profile.consents_to("post")
    assert not state.profile.consents_to("news")


def test_a_duplicate_keeps_what_it_had_and_takes_no_block_off() -> None:
    """Nobody is his own duplicate, and a blocked one is only merged into one who is blocked as well."""
    assert play(MERGE, state=FURNISHED).profile == FURNISHED.profile
    assert codes(ACTIVE, RecordMerge("kept", "kept", blocked=False)) == ["same_customer"]
    assert codes(BLOCKED, RecordMerge("dup", "kept", blocked=False)) == ["merged_is_blocked"]
    assert codes(BLOCKED, MERGE) == []
    assert codes(play(MergeCustomers("dup"), state=ACTIVE), MergeCustomers("dup")) == ["already_merged"]
    assert codes(play(MERGE, state=ACTIVE), MergeCustomers("other")) == ["not_now"]


TWICE = Consent("news", granted=True, source="", decided_at=STAMP.at)


@pytest.mark.parametrize(
    "profile",
    [
        Profile(contacts=(Contact("a", FIRST), Contact("a", SECOND))),
        Profile(addresses=(Address("a", FIRST), Address("a", SECOND))),
        Profile(addresses=(Address("a", FIRST, default_billing=True), Address("b", FIRST, default_billing=True))),
        Profile(addresses=(Address("a", FIRST, default_shipping=True), Address("b", FIRST, default_shipping=True))),
        Profile(merged=("m", "m")),
        Profile(consents=(TWICE, Consent("news", granted=True, source="", decided_at=STAMP.at.replace(hour=1)))),
    ],
    ids=["contacts", "addresses", "billing", "shipping", "merged", "consents"],
)
def test_an_impossible_profile_is_found(profile: Profile) -> None:
    """What appears twice or out of order is a bug."""
    with pytest.raises(InvariantBroken):
        CUSTOMER.check(Active(FIRST, (), profile))
