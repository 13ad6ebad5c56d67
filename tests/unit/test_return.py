"""The life of a return: no fact is refused in any state, and every unit that came is inspected once or waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.returns import state as s
from orderflow.domain.returns.inspecting import (
    CloseShort,
    InspectedUnits,
    InspectedUnmatched,
    InspectReturn,
    SettleReturn,
)
from orderflow.domain.returns.machine import RETURN
from orderflow.domain.returns.receiving import (
    ArrivalRepeated,
    ReceiveReturn,
    ReturnedUnits,
    ReturnReceived,
    UnmatchedReturn,
)
from orderflow.domain.returns.requesting import (
    AuthoriseReturn,
    CancelReturn,
    DeclineReturn,
    LinkExchange,
    RecordReturnSent,
    RequestReturn,
)
from orderflow.domain.values import InspectionOutcome, LineQuantity
from orderflow.domain.workflow.attention import attention
from orderflow.errors import CommandRefused, InvariantBroken
from orderflow.testing.scenario import Life
from orderflow.testing.scenario import given as life_of

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
STAMP = Stamp(NOON, "tester", "c")
ASK = RequestReturn("O", (LineQuantity(1, 2),), s.CustomerReason.DOES_NOT_FIT)
ALLOW = AuthoriseReturn(NOON + timedelta(days=14))
RESTOCK, QUARANTINE, DISCARD, REJECT = InspectionOutcome


def came(units: int = 2, arrival: str = "", **options: Any) -> ReceiveReturn:
    """So many units of line 1 at the desk."""
    return ReceiveReturn("main", (ReturnedUnits("O", 1, units),), arrival=arrival, **options)


def looked_at(outcome: InspectionOutcome, units: int = 2) -> InspectReturn:
    """What becomes of so many of them."""
    return InspectReturn((InspectedUnits(outcome, "main", "O", 1, units),))


def a_return(*commands: Any) -> Life:
    """The return after these commands."""
    return life_of(RETURN, *commands, stamp=STAMP)


LIVES = {
    "Requested": (ASK,),
    "Authorised": (ASK, ALLOW),
    "Declined": (ASK, DeclineReturn("worn")),
    "InTransit": (ASK, ALLOW, RecordReturnSent("T-1")),
    "PartlyReceived": (ASK, ALLOW, came(1)),
    "Received": (ASK, ALLOW, came()),
    "Inspected": (ASK, ALLOW, came(), looked_at(RESTOCK)),
    "Settled": (ASK, ALLOW, came(), looked_at(RESTOCK), SettleReturn("CN")),
    "Rejected": (ASK, ALLOW, came(), looked_at(REJECT)),
    "Cancelled": (ASK, ALLOW, CancelReturn()),
}

#: What a fact leads to, by the state that it comes in: one unit, two units, usable ones, and the word that it was sent.
FACTS = {
    "Requested": ("PartlyReceived", "Received", "Inspected", "Requested"),
    "Authorised": ("PartlyReceived", "Received", "Inspected", "InTransit"),
    "Declined": ("PartlyReceived", "Received", "Inspected", "Declined"),
    "InTransit": ("PartlyReceived", "Received", "Inspected", "InTransit"),
    "PartlyReceived": ("Received", "Received", "Received", "PartlyReceived"),
    "Received": ("Received", "Received", "Received", "Received"),
    "Inspected": ("Received", "Received", "Inspected", "Inspected"),
    "Settled": ("Received", "Received", "Inspected", "Settled"),
    "Rejected": ("Received", "Received", "Inspected", "Rejected"),
    "Cancelled": ("PartlyReceived", "Received", "Inspected", "Cancelled"),
}


def test_the_table_of_facts_has_every_state() -> None:
    """A state that is added must say what facts do in it."""
    assert set(FACTS) == set(LIVES) == {state.__name__ for state in RETURN.states} - {"Absent"}


@pytest.mark.parametrize("state", LIVES)
def test_no_fact_is_refused_in_any_state(state: str) -> None:
    """Goods and the word that they were sent are recorded in every state; goods reopen what was over."""
    life = a_return(*LIVES[state])
    assert type(life.state).__name__ == state
    facts = (came(1), came(2), came(2, usable=True), RecordReturnSent("T-2"))
    ended = [life.when(fact) for fact in facts]
    assert tuple(type(end.state).__name__ for end in ended) == FACTS[state]
    assert not any(end.codes for end in ended)
    assert ended[-1].state.handling.tracking == "T-2"


@pytest.mark.parametrize("state", LIVES)
def test_an_arrival_told_again_changes_nothing(state: str) -> None:
    """Once it is known, whatever has become of the return since; another arrival is news, and so is one unnamed."""
    life = a_return(*LIVES[state]).and_then(came(1, "T-1"))
    again = life.when(came(1, "T-1"))
    assert (again.event, again.state) == (ArrivalRepeated("T-1"), life.state)
    for other in ("T-2", ""):
        assert isinstance(life.when(came(1, other)).event, ReturnReceived)


def test_a_return_nobody_announced_is_taken_in() -> None:
    """Units of an order, and units of a SKU without one, each by its own line."""
    loose = (UnmatchedReturn("CUP", 2),)
    life = a_return(ReceiveReturn("main", (ReturnedUnits("O", 1, 1),), loose, customer="ann", reason="no slip"))
    assert isinstance(life.state, s.Received)
    assert (life.state.order, life.state.wish.customer, life.state.wish.text) == ("O", "ann", "no slip")
    assert [(lot.order, lot.sku, lot.waiting) for lot in life.state.goods.lots] == [("O", "", 1), ("", "CUP", 2)]
    assert isinstance(a_return(came(usable=True)).state, s.Inspected)


def test_nothing_is_no_return() -> None:
    """Wishes and reports without units are refused, in every state that takes them."""
    assert Life(RETURN, ABSENT, STAMP).when(RequestReturn("O", ())).codes == ("nothing_asked_back",)
    assert Life(RETURN, ABSENT, STAMP).when(RequestReturn("", (LineQuantity(1, 1),))).codes == ("nothing_asked_back",)
    assert a_return(ASK).when(ReceiveReturn("main")).codes == ("nothing_returned",)
    assert a_return(came()).when(InspectReturn()).codes == ("nothing_inspected",)


def test_no_more_is_inspected_than_waits() -> None:
    """By line and by location, over one command and over several."""
    life = a_return(came(2), ReceiveReturn("main", unmatched=(UnmatchedReturn("CUP", 1),)))
    for wrong in (
        looked_at(RESTOCK, 3),
        InspectReturn(looked_at(RESTOCK).units + looked_at(DISCARD, 1).units),
        InspectReturn((InspectedUnits(RESTOCK, "shop", "O", 1, 1),)),
        InspectReturn((InspectedUnits(RESTOCK, "main", "O", 2, 1),)),
        InspectReturn(unmatched=(InspectedUnmatched(RESTOCK, "main", "CUP", 2),)),
    ):
        assert life.when(wrong).codes == ("not_waiting",)
    assert life.and_then(looked_at(RESTOCK, 2)).when(looked_at(DISCARD, 1)).codes == ("not_waiting",)


def test_what_is_still_out_is_closed_short_and_still_taken_in() -> None:
    """One of two came; the rest is not waited for, and comes all the same."""
    life = a_return(ASK, ALLOW, came(1))
    assert life.state.units_outstanding == 1
    assert isinstance(life.and_then(CloseShort()).state, s.Received)
    seen = life.and_then(looked_at(REJECT, 1))
    assert isinstance(seen.state, s.PartlyReceived)
    assert [wait.reason.code for wait in attention(seen.state, STAMP.at)] == ["still_out"]
    closed = seen.and_then(CloseShort())
    assert isinstance(closed.state, s.Rejected)
    assert isinstance(closed.and_then(came(1)).state, s.Received)


def test_a_claim_needs_no_goods() -> None:
    """Accepted, it waits for its money or a re-supply; goods that come all the same are inspected."""
    claim = RequestReturn(
        "O", (LineQuantity(1, 1),), s.CustomerReason.MISSING, s.Wanted.RESUPPLY, goods_come_back=False
    )
    life = a_return(claim, ALLOW)
    assert isinstance(life.state, s.Inspected)
    assert isinstance(life.and_then(SettleReturn("CN")).state, s.Settled)
    assert isinstance(life.and_then(came(1)).state, s.Received)


def test_goods_sent_before_anybody_decided() -> None:
    """The tracking number is kept, and authorising leads to where the goods are."""
    life = a_return(ASK, RecordReturnSent("T-1"))
    assert isinstance(life.state, s.Requested)
    assert isinstance(life.and_then(ALLOW).state, s.InTransit)


def test_a_return_may_be_sent_until_a_time_ahead() -> None:
    """Authorised again, until another time; never until one that is over."""
    life = a_return(ASK, ALLOW)
    assert life.state.due == ALLOW.return_by
    later = AuthoriseReturn(NOON + timedelta(days=30))
    assert life.and_then(later).state.due == later.return_by
    assert a_return(ASK).when(AuthoriseReturn(NOON)).codes == ("return_by_over",)
    assert a_return(*LIVES["Received"]).state.due is None


def test_a_return_has_one_exchange() -> None:
    """Told again it is the same; another, or the order itself, is refused."""
    life = a_return(ASK, LinkExchange("N"))
    assert life.and_then(LinkExchange("N")).state.handling.exchange == "N"
    assert life.when(LinkExchange("M")).codes == ("exchanged",)
    assert a_return(ASK).when(LinkExchange("O")).codes == ("same_order",)


WISH, NONE = s.ReturnWish("O", (LineQuantity(1, 2),)), s.Handling()


@pytest.mark.parametrize(
    "state",
    [
        s.Received(WISH, s.Goods(), NONE),
        s.Received(WISH, s.Goods((s.Lot("main", "O", 1, "", "S", 1),)), NONE),
        s.Settled(WISH, s.Goods((s.Lot("main", "O", 1, "", "S", 2, 1),)), NONE),
        s.Received(WISH, s.Goods((s.Lot("main", "O", 1, "", "S", 2, 3),)), NONE),
        s.Received(WISH, s.Goods((s.Lot("main", "O", 1, "", "S", 2, -1),)), NONE),
        s.Inspected(WISH, s.Goods((s.Lot("main", "O", 1, "", "S", 2, rejected=2),)), NONE),
    ],
)
def test_a_state_that_cannot_be_is_a_bug(state: Any) -> None:
    """Nothing came; a unit is out; a unit waits; too many inspected; a part below 0; all rejected."""
    with pytest.raises(InvariantBroken):
        RETURN.check(state)


PLACES, LINES, FEW = st.sampled_from(("main", "shop")), st.sampled_from((1, 2)), st.integers(1, 3)
OUTCOMES = st.sampled_from(InspectionOutcome)
UNITS = st.builds(ReturnedUnits, st.just("O"), LINES, FEW)
LOOSE = st.builds(UnmatchedReturn, st.sampled_from(("CUP", "TEA")), FEW)
COMMANDS = st.one_of(
    st.builds(
        ReceiveReturn,
        PLACES,
        st.lists(UNITS, max_size=3).map(tuple),
        st.lists(LOOSE, max_size=2).map(tuple),
        st.booleans(),
        arrival=st.sampled_from(("", "T-1", "T-2")),
    ),
    st.builds(
        InspectReturn,
        st.lists(st.builds(InspectedUnits, OUTCOMES, PLACES, st.just("O"), LINES, FEW), max_size=2).map(tuple),
        st.lists(st.builds(InspectedUnmatched, OUTCOMES, PLACES, st.sampled_from(("CUP", "TEA")), FEW), max_size=1).map(
            tuple
        ),
    ),
    st.sampled_from(
        (ASK, ALLOW, DeclineReturn(), CancelReturn(), RecordReturnSent("T-1"), CloseShort(), SettleReturn())
    ),
)


def brought(command: ReceiveReturn) -> Iterator[tuple[object, int]]:
    """What a report brings, by line or SKU."""
    yield from ((units.line, units.quantity) for units in command.units)
    yield from ((item.sku, item.quantity) for item in command.unmatched)


@given(st.lists(COMMANDS, max_size=25))
def test_every_unit_that_came_is_inspected_once_or_waits(commands: list[Any]) -> None:
    """Over any life: received = inspected + waiting, each line of an arrival counts once, and nothing waits unseen."""
    life = Life(RETURN, ABSENT, STAMP)
    came_in = seen = 0
    known: set[object] = set()
    for command in commands:
        ended = life.when(command)
        if ended.codes:
            assert not isinstance(command, RecordReturnSent) or life.state is ABSENT
            assert not isinstance(command, ReceiveReturn) or not [*brought(command)]
            continue
        if isinstance(command, ReceiveReturn):
            new = [(what, units) for what, units in brought(command) if (command.arrival, what) not in known]
            came_in += sum(units for _, units in new)
            seen += sum(units for _, units in new) if command.usable else 0
            known |= {(command.arrival, what) for what, _ in new if command.arrival}
        if isinstance(command, InspectReturn):
            seen += sum(item.quantity for item in command.units) + sum(item.quantity for item in command.unmatched)
        life = life.and_then(command)
        lots = life.state.goods.lots
        assert (sum(lot.received for lot in lots), sum(lot.inspected for lot in lots)) == (came_in, seen)
        assert len({lot[:5] for lot in lots}) == len(lots)
        assert all(lot.received == lot.inspected + lot.waiting and lot.waiting >= 0 for lot in lots)
        assert (life.state.goods.waiting > 0) <= isinstance(life.state, s.PartlyReceived | s.Received)


def test_a_wish_that_comes_too_late_is_refused() -> None:
    """What is over is declined, cancelled or closed no more."""
    for wish in (ALLOW, DeclineReturn(), CancelReturn(), CloseShort(), SettleReturn(), looked_at(RESTOCK)):
        with pytest.raises(CommandRefused, match="not_now"):
            a_return(*LIVES["Settled"]).and_then(wish)
