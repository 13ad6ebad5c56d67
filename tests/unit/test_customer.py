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
STATES = (ABSENT, ACTIVE, BLOCKED, play(CLOSE, state=ACTIVE))
COMMANDS = (REGISTER, ChangeParty(SECOND), TagCustomer(("eu",)), BLOCK, UnblockCustomer(), CLOSE)

# For every state, where each command that it takes leads; what is not named is refused.
LEADS: dict[str, dict[str, str]] = {
    "Absent": {"RegisterCustomer": "Active"},
    "Active": {
        "ChangeParty": "Active",
        "TagCustomer": "Active",
        "BlockCustomer": "Blocked",
        "CloseCustomer": "Closed",
    },
    "Blocked": {
        "ChangeParty": "Blocked",
        "TagCustomer": "Blocked",
        "UnblockCustomer": "Active",
        "CloseCustomer": "Closed",
    },
    "Closed": {},
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
