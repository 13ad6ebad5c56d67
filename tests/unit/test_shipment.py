"""The shipment: its table, its guards, and what becomes of its items and of the carrier's events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.shipping import state as s
from orderflow.domain.shipping.carriage import (
    RecordDelivered,
    RecordLost,
    RecordReturning,
    RecordTracking,
    ShipmentDelivered,
    TrackingParked,
    TrackingStatus,
)
from orderflow.domain.shipping.choosing import ChooseCarrier
from orderflow.domain.shipping.fates import Fate, Move
from orderflow.domain.shipping.labelling import (
    ChangeCarrier,
    LabelVoided,
    Readdress,
    RecordLabel,
    RequestLabel,
    SpareLabelRecorded,
    VoidLabel,
)
from orderflow.domain.shipping.leaving import (
    HandedOver,
    HandOver,
    RecordAnswer,
    RecordDispatch,
    RecordLeftBehind,
    RecordOrderDate,
)
from orderflow.domain.shipping.machine import SHIPMENT
from orderflow.domain.shipping.planning import (
    AddItems,
    DropCancelledItems,
    DropItems,
    ItemsDropped,
    PackShipment,
    PlanShipment,
    RecordOverPick,
    RecordShortPick,
    ShipmentVoided,
    ShortPickRecorded,
    VoidShipment,
)
from orderflow.domain.shipping.rejecting import SendBack
from orderflow.domain.shipping.resolving import (
    ClearExpected,
    CloseShipmentTask,
    DeclareLost,
    ResupplyParcel,
    WriteOffParcel,
)
from orderflow.domain.shipping.returning import ReceiveBack, ReceivedBack, ReceiveReturned
from orderflow.domain.shipping.state import Item, Plan, ReturnReason, Scan, ShippingLabel
from orderflow.domain.values import PartyRef, Pick, Task
from orderflow.errors import CommandRefused, InvariantBroken

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
ITEMS = (Item("A", 1, "tokyo", 5), Item("A", 2, "tokyo", 1), Item("B", 1, "osaka", 2))
LABEL = ShippingLabel("post", "parcel", "T-1", 850, "JPY", "label of T-1", "text/plain")
PLAN = PlanShipment(ITEMS, Plan(carrier="post", service="parcel", country="JP"))
UNLABELLED = PlanShipment(ITEMS, Plan(carrier="own van", needs_label=False))
PACK, BUY, HAND_OVER = PackShipment(1_200, 8), RecordLabel(LABEL), HandOver()
SCAN = RecordTracking("e1", TrackingStatus.IN_TRANSIT, "sorting centre")
DELIVERED, REFUSED = RecordDelivered("e2"), RecordReturning("e3", ReturnReason.REFUSED)
DROP, BACK, LOSE, VOID = DropItems(ITEMS[:1]), ReceiveBack("tokyo"), DeclareLost(), VoidShipment()
MISSING = RecordLost("e4")


def stamp(hours: int = 0, occurred: int | None = None) -> Stamp:
    """Noon and some hours, by a tester; ``occurred`` as told by the source, in hours from noon."""
    told = None if occurred is None else NOON + timedelta(hours=occurred)
    return Stamp(NOON + timedelta(hours=hours), "tester", "c", told)


def play(*commands: Any, state: Any = ABSENT) -> Any:
    """The state after the commands, all at noon."""
    for command in commands:
        _, state = SHIPMENT.step(state, command, stamp())
    return state


def event_of(state: Any, command: Any, at: Stamp | None = None) -> Any:
    """The event a command gives."""
    return SHIPMENT.step(state, command, at or stamp())[0]


def refusal(state: Any, command: Any) -> tuple[str, ...]:
    """The codes of the refusal."""
    with pytest.raises(CommandRefused) as caught:
        SHIPMENT.step(state, command, stamp())
    return caught.value.codes


PLANNED = play(PLAN)
PACKED = play(PACK, state=PLANNED)
LABELLED = play(BUY, state=PACKED)
IN_TRANSIT = play(HAND_OVER, state=LABELLED)
RETURNING = play(REFUSED, state=IN_TRANSIT)
STATES = (
    ABSENT,
    PLANNED,
    PACKED,
    LABELLED,
    IN_TRANSIT,
    play(DELIVERED, state=IN_TRANSIT),
    RETURNING,
    play(BACK, state=RETURNING),
    play(LOSE, state=IN_TRANSIT),
    play(VOID, state=PLANNED),
)
LOST = play(LOSE, state=IN_TRANSIT)
COMMANDS = (
    MISSING,
    WriteOffParcel(),
    ResupplyParcel(),
    RecordLeftBehind(ITEMS[:1]),
    RecordDispatch(),
    RecordAnswer("A", (Pick(1, "tokyo", 1),)),
    RecordOrderDate("A", NOON),
    ChooseCarrier("", "van", ""),
    ClearExpected(),
    SendBack("r", "tokyo", (s.Back("A", 1, 1),)),
    CloseShipmentTask("count"),
    PLAN,
    PACK,
    RecordShortPick(ITEMS[:1]),
    BUY,
    DROP,
    DropCancelledItems(ITEMS[:1]),
    VoidLabel(),
    RequestLabel(),
    ChangeCarrier("van"),
    Readdress(PartyRef("bob", 1), "GB"),
    RecordOverPick(ITEMS[:1]),
    AddItems((Item("A", 9, "tokyo", 1),)),
    HAND_OVER,
    SCAN,
    DELIVERED,
    REFUSED,
    BACK,
    ReceiveReturned("tokyo", returned="r"),
    LOSE,
    VOID,
)

#: What the world tells of a shipment: taken in every state.
FACTS = ("RecordTracking", "RecordDelivered", "RecordReturning", "RecordLost", "ReceiveBack", "RecordLabel")
#: Where each of them leads once the shipment has left; before that, each says that it has.
ON_THE_WAY = dict(
    zip(FACTS, ("InTransit", "Delivered", "Returning", "Lost", "ReturnedToSender", "InTransit"), strict=True),
)
LEFT_UNSCANNED = dict.fromkeys(FACTS, "InTransit") | {"RecordLabel": "Labelled"}

# For every state, where each command that it takes leads; what is not named is refused.
LEADS: dict[str, dict[str, str]] = {
    "Absent": {"PlanShipment": "Planned"},
    "Planned": {
        "PackShipment": "Packed",
        "RecordShortPick": "Planned",
        "DropItems": "Planned",
        "DropCancelledItems": "Planned",
        **dict.fromkeys(FACTS, "Planned"),
        "ChangeCarrier": "Planned",
        **dict.fromkeys(("Readdress", "RecordOverPick", "AddItems"), "Planned"),
        "VoidShipment": "Voided",
    },
    "Packed": {
        **dict.fromkeys(("DropItems", "RequestLabel", "ChangeCarrier", "Readdress"), "Packed"),
        **LEFT_UNSCANNED,
        "VoidShipment": "Voided",
    },
    "Labelled": {
        "DropItems": "Labelled",
        "VoidLabel": "Packed",
        "ChangeCarrier": "Packed",
        "Readdress": "Packed",
        "HandOver": "InTransit",
        **LEFT_UNSCANNED,
        "VoidShipment": "Voided",
    },
    "InTransit": {
        **ON_THE_WAY,
        "DeclareLost": "Lost",
    },
    "Delivered": {
        **dict.fromkeys(FACTS, "Delivered"),
        "ReceiveBack": "ReturnedToSender",
    },
    "Returning": {
        **dict.fromkeys(FACTS, "Returning"),
        "ReceiveBack": "ReturnedToSender",
        "RecordLost": "Lost",
        "DeclareLost": "Lost",
    },
    "ReturnedToSender": {**dict.fromkeys(FACTS, "ReturnedToSender"), "SendBack": "Delivered"},
    "Lost": {
        **ON_THE_WAY,
        "RecordTracking": "Lost",
        "RecordLabel": "Lost",
        "WriteOffParcel": "Lost",
        "ResupplyParcel": "Lost",
    },
    "Voided": {**dict.fromkeys(FACTS, "Voided"), "RecordDispatch": "InTransit"},
}
for left in ("InTransit", "Delivered", "Returning", "ReturnedToSender", "Lost"):
    LEADS[left]["RecordOrderDate"] = left
for known in set(LEADS) - {"Absent"}:
    LEADS[known] |= {"RecordLeftBehind": known, "ReceiveReturned": LEADS[known]["ReceiveBack"]}


def name(value: object) -> str:
    """The name of a value's class."""
    return type(value).__name__


# -- the table


def test_the_samples_are_complete() -> None:
    """Every state and every command of the machine stands among the samples, and no sample is faulty."""
    assert {type(state) for state in STATES} == set(SHIPMENT.states)
    assert {type(command) for command in COMMANDS} == set(SHIPMENT.commands)
    assert not [fault for command in COMMANDS for fault in faults_of(command)]


@pytest.mark.parametrize("command", COMMANDS, ids=name)
@pytest.mark.parametrize("state", STATES, ids=name)
def test_every_state_answers_every_command(state: Any, command: Any) -> None:
    """A command leads where the table says, or is refused with a code and changes nothing."""
    leads = LEADS[name(state)].get(name(command))
    if leads is not None:
        assert name(play(command, state=state)) == leads
    elif state is ABSENT:
        assert refusal(state, command) == ("not_found",)
    else:
        # The table has these rules, and their guards refuse the samples.
        guards = {
            "HandOver": "not_labelled",
            "ChooseCarrier": "not_wanted",
            "RecordAnswer": "not_asked",
            "SendBack": "not_back",
            "ClearExpected": "nothing_expected",
            "CloseShipmentTask": "no_such_task",
        }
        asked = SHIPMENT.rule_for(type(state), type(command)) is not None
        assert refusal(state, command) == (guards[name(command)] if asked else "not_now",)


# -- plan and pack


def test_a_shipment_needs_items_and_each_place_once() -> None:
    """A plan without items is a fault, and so is an order line that stands twice for one location."""
    assert [fault.code for fault in faults_of(PlanShipment(()))] == ["bad_length"]
    twice = (*ITEMS, Item("A", 1, "tokyo", 1))
    for command in (PlanShipment(twice), DropItems(twice), DropCancelledItems(twice), RecordShortPick(twice)):
        assert [(fault.path, fault.code) for fault in faults_of(command)] == [("items[3]", "repeated")]
    assert not faults_of(PlanShipment((*ITEMS, Item("A", 1, "osaka", 1))))


def test_a_short_pick_stays_planned() -> None:
    """What was not found is out of the shipment, which is then packed without it; when all is short, it is void."""
    short = RecordShortPick((Item("A", 1, "tokyo", 2), Item("B", 1, "osaka", 2)))
    assert event_of(PLANNED, short) == ShortPickRecorded(short.items, NOON)
    assert play(short, state=PLANNED).items == (Item("A", 1, "tokyo", 3), ITEMS[1])
    assert play(short, PACK, state=PLANNED).items == (Item("A", 1, "tokyo", 3), ITEMS[1])
    assert play(RecordShortPick(ITEMS), state=PLANNED) == s.Voided(ITEMS, PLANNED.plan, s.UNTRACKED, NOON)


@pytest.mark.parametrize("wrong", [Item("A", 1, "tokyo", 6), Item("A", 1, "osaka", 1), Item("C", 1, "tokyo", 1)])
def test_only_what_is_in_the_shipment_comes_out(wrong: Item) -> None:
    """Too many units, another location or another order are refused, with what was wanted and found."""
    assert refusal(PLANNED, RecordShortPick((wrong,))) == ("not_in_shipment",)
    reason = SHIPMENT.explain(LABELLED, DropItems((wrong,)), stamp())[0]
    assert (reason["wanted"], reason["found"]) == (wrong.quantity, 5 if wrong.quantity == 6 else 0)


def test_dropping_items_names_the_label_to_void() -> None:
    """Items drop out before the shipment has left; the rest stays as it was, but for its weight."""
    assert event_of(PACKED, DROP) == ItemsDropped(ITEMS[:1], False, "", NOON)
    assert event_of(LABELLED, DROP) == ItemsDropped(ITEMS[:1], False, "", NOON)
    assert play(DROP, state=LABELLED) == evolve(
        LABELLED, items=ITEMS[1:], tracking=s.Tracking(tasks=(Task("weigh_again"),))
    )
    assert play(PLAN, PackShipment(0, 1), DROP).tracking.tasks == ()
    everything = DropItems(ITEMS)
    assert event_of(LABELLED, everything) == ItemsDropped(ITEMS, False, "T-1", NOON)
    assert name(play(everything, state=LABELLED)) == "Voided"
    assert event_of(PLANNED, DropCancelledItems(ITEMS)) == ItemsDropped(ITEMS, True, "", NOON)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.data())
def test_units_are_dropped_or_stay(quantities: list[int], data: st.DataObject) -> None:
    """What is left and what was dropped sum to what was planned, place by place; nothing left means void."""
    items = tuple(Item("A", line, "x", quantity + 1) for line, quantity in enumerate(quantities, start=1))
    gone = {item.line: data.draw(st.integers(0, item.quantity)) for item in items}
    dropped = tuple(item._replace(quantity=gone[item.line]) for item in items if gone[item.line])
    before = play(PlanShipment(items), PACK)
    after = play(DropItems(dropped), state=before) if dropped else before
    left = {item.line: item.quantity for item in getattr(after, "items", ())}
    assert {item.line: gone[item.line] + left.get(item.line, 0) for item in items} == {
        item.line: item.quantity for item in items
    }
    assert (name(after) == "Voided") is (not left)


# -- label


def test_a_label_is_bought_where_one_is_needed() -> None:
    """A carrier without labels takes the packed shipment as it is; others take it labelled only."""
    unlabelled = play(UNLABELLED, PACK)
    assert refusal(unlabelled, RequestLabel()) == ("no_label_needed",)
    assert event_of(unlabelled, BUY) == SpareLabelRecorded(LABEL, "T-1")
    assert play(HAND_OVER, state=unlabelled).carriage == s.Carriage(s.Packing(1_200, 8, NOON), None, NOON)
    assert refusal(PACKED, HAND_OVER) == ("not_labelled",)
    assert IN_TRANSIT.carriage.label == LABEL


def test_a_voided_label_is_named() -> None:
    """Voiding a label steps back to packed; voiding the shipment names its items and its label, if it has one."""
    assert event_of(LABELLED, VoidLabel()) == LabelVoided("T-1")
    assert play(VoidLabel(), state=LABELLED) == evolve(PACKED, packing=PACKED.packing.wanting(""))
    assert event_of(LABELLED, VOID) == ShipmentVoided(ITEMS, "T-1", NOON)
    assert event_of(PACKED, VOID) == ShipmentVoided(ITEMS, "", NOON)


def test_a_label_price_has_a_currency() -> None:
    """A price without a currency is a fault, and so are a negative price and a blank tracking number."""
    free = ShippingLabel("post", "parcel", "T-1", 0)
    assert [fault.path for fault in faults_of(RecordLabel(free))] == ["label.currency"]
    wrong = ShippingLabel("post", "parcel", "", -1, "JPY")
    assert {fault.path for fault in faults_of(RecordLabel(wrong))} == {"label.tracking_number", "label.price_minor"}
    assert not faults_of(BUY)
    assert not faults_of(RecordLabel(ShippingLabel("post", "parcel", "T-1")))


# -- on the way


def test_events_tell_whose_units_moved() -> None:
    """Whoever hears of a dispatch, an arrival or a return learns the items with it."""
    scan = Scan("e2", "delivered", "", NOON)
    assert event_of(LABELLED, HAND_OVER, stamp(3, occurred=2)) == HandedOver(NOON + timedelta(hours=2))
    arrived = tuple([Move(place, "on_the_way", "delivered", item.quantity) for place, item in enumerate(ITEMS)])
    assert event_of(IN_TRANSIT, DELIVERED) == ShipmentDelivered(scan, arrived)
    back = tuple([Move(place, "on_the_way", "returned", item.quantity) for place, item in enumerate(ITEMS)])
    told = event_of(RETURNING, ReceiveBack("tokyo", usable=False))
    assert told == ReceivedBack("tokyo", False, (), back, (), False, NOON)


def test_events_before_the_packing_are_parked_once() -> None:
    """What the carrier tells too early is parked once for each event id, and noted with its own time later."""
    parked = play(SCAN, SCAN, REFUSED, state=PLANNED)
    assert [scan.event_id for scan in parked.tracking.parked] == ["e1", "e3"]
    assert parked.tracking.log == ()
    _, left = SHIPMENT.step(play(PACK, BUY, HAND_OVER, state=parked), SCAN, stamp(5))
    assert [scan.event_id for scan in left.tracking.parked] == ["e3"]
    assert left.tracking.log == (Scan("e1", "in_transit", "sorting centre", NOON),)


def test_duplicates_are_recorded_as_such() -> None:
    """An event id that is in the log is a duplicate: told, not noted a second time."""
    once = play(SCAN, state=IN_TRANSIT)
    assert not event_of(IN_TRANSIT, SCAN).duplicate
    assert event_of(once, SCAN).duplicate
    assert play(SCAN, state=once) == once


@pytest.mark.parametrize("told", [SCAN, DELIVERED, REFUSED, MISSING], ids=name)
@pytest.mark.parametrize("state", [PACKED, LABELLED], ids=name)
def test_what_is_told_of_a_packed_shipment_says_that_it_left(state: Any, told: Any) -> None:
    """A carrier's event implies the departure, unless it is said to be earlier than the packing."""
    for occurred in (0, 1):
        event, after = SHIPMENT.step(state, told, stamp(5, occurred))
        assert (name(event), name(after)) == ("ShipmentLeft", "InTransit")
        assert after.carriage.handed_over_at == NOON + timedelta(hours=occurred)
        assert (after.tracking.parked, after.tracking.asked) == ((event.scan,), ("A", "B"))
    early, after = SHIPMENT.step(state, told, stamp(5, -1))
    assert early == TrackingParked(early.scan)
    assert after.tracking.parked == (early.scan,)


def test_its_orders_answer_one_by_one() -> None:
    """Each is asked once, and says which of its units it did not owe."""
    left = play(BACK, state=PACKED)
    assert (left.tracking.asked, len(left.tracking.reports)) == (("A", "B"), 1)
    first = play(RecordAnswer("A", (Pick(1, "tokyo", 2),)), state=left)
    assert (first.fates[0], first.tracking.asked) == (Fate(surplus=2), ("B",))
    assert first.tracking.reports == left.tracking.reports
    assert refusal(first, RecordAnswer("A")) == ("not_asked",)
    assert refusal(first, RecordAnswer("B", (Pick(9, "tokyo", 2),))) == ("not_asked",)
    last = play(RecordAnswer("B", (), ("on_hold",)), state=first)
    assert (last.tracking.asked, last.tracking.reports) == ((), ())
    assert [task.code for task in last.tracking.tasks] == ["came_back_unsent", "left_unowed", "left_in_spite"]


def test_a_notice_in_advance_says_nothing() -> None:
    """That the carrier knows of a shipment is no sign that it has it."""
    advance = RecordTracking("e0", TrackingStatus.INFO)
    assert name(play(advance, state=LABELLED)) == "Labelled"
    assert play(advance, state=LABELLED).tracking.log[0].status == "info"


def test_a_lost_shipment_is_found() -> None:
    """A lost shipment is found delivered or on its way back; an event noted before the loss does not find it."""
    assert name(play(DELIVERED, state=LOST)) == "Delivered"
    assert play(REFUSED, state=LOST).why is ReturnReason.REFUSED
    lost_again = play(DELIVERED, LOSE, state=RETURNING)
    assert play(DELIVERED, REFUSED, state=lost_again) == lost_again
    assert event_of(lost_again, DELIVERED).duplicate
    assert event_of(lost_again, REFUSED).duplicate
    assert name(play(RecordDelivered("e9"), state=lost_again)) == "Delivered"


@given(st.lists(st.integers(0, 400), max_size=400))
def test_tracking_is_bounded(ids: list[int]) -> None:
    """The newest events are kept, each once, within the bounds."""
    tracking = s.UNTRACKED
    for number in ids:
        scan = Scan(str(number), "info", "", NOON)
        tracking = tracking.noted(scan) if number % 2 else tracking.parking(scan)
    assert len(tracking.log) == len(set(tracking.log)) <= s.MAX_LOG
    assert len(tracking.parked) == len(set(tracking.parked)) <= s.MAX_PARKED
    if ids:
        assert str(ids[-1]) in {scan.event_id for scan in (*tracking.log, *tracking.parked)}


def test_the_oldest_event_goes_first() -> None:
    """Past the bound, the log and the parked events lose their oldest."""
    tracking = s.UNTRACKED
    for number in range(s.MAX_LOG + 1):
        tracking = tracking.noted(Scan(f"l{number}", "info", "", NOON)).parking(Scan(f"p{number}", "info", "", NOON))
    assert (len(tracking.log), tracking.log[0].event_id) == (s.MAX_LOG, "l1")
    assert (len(tracking.parked), tracking.parked[-1].event_id) == (s.MAX_PARKED, f"p{s.MAX_LOG}")


# -- the whole life

ANY_COMMAND = st.one_of(
    st.sampled_from(COMMANDS),
    st.builds(RecordTracking, st.sampled_from("abcd"), st.sampled_from(TrackingStatus)),
    st.builds(RecordDelivered, st.sampled_from("abcd")),
    st.builds(RecordReturning, st.sampled_from("abcd"), st.sampled_from(ReturnReason)),
    st.builds(lambda item, part: DropItems((item._replace(quantity=part),)), st.sampled_from(ITEMS), st.integers(1, 5)),
)


@given(st.sampled_from([PLAN, UNLABELLED]), st.lists(ANY_COMMAND, max_size=30))
def test_a_life_is_the_fold_of_its_events(first: PlanShipment, commands: list[Any]) -> None:
    """Whatever is told, in whatever order, the events replayed give the state; what has left keeps its items."""
    events, state = [], ABSENT
    for command in (first, *commands):
        if SHIPMENT.explain(state, command, stamp()):
            continue
        before = state
        event, state = SHIPMENT.step(before, command, stamp())
        events.append(event)
        if isinstance(before, s.Left):
            assert state.items == before.items
    folded: Any = ABSENT
    for event in events:
        folded = SHIPMENT.evolve(folded, event)
    assert folded == state


# -- invariants

SCANS = tuple(Scan(str(number), "info", "", NOON) for number in range(s.MAX_LOG + 1))


@pytest.mark.parametrize(
    "broken",
    [
        evolve(PLANNED, items=()),
        evolve(PLANNED, items=(*ITEMS, ITEMS[0])),
        evolve(PLANNED, items=(Item("A", 1, "tokyo", 0),)),
        evolve(PLANNED, tracking=s.Tracking(SCANS)),
        evolve(PLANNED, tracking=s.Tracking((), SCANS)),
        evolve(IN_TRANSIT, fates=(Fate(6), Fate(), Fate())),
        evolve(IN_TRANSIT, fates=(Fate(-1), Fate(), Fate())),
        evolve(IN_TRANSIT, fates=(Fate(1, expected_back=2), Fate(), Fate())),
        evolve(play(DELIVERED, state=IN_TRANSIT), fates=(Fate(), Fate(), Fate())),
    ],
)
def test_impossible_states_are_found(broken: s.ShipmentState) -> None:
    """No items, a place twice, no units, too many events, or a departure without the label: a bug."""
    with pytest.raises(InvariantBroken):
        s.check_shipment(broken)
