"""Deciding, proved on a lending library: loans, readers and their fees, which know nothing of trade."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.engine import decide
from orderflow.domain.engine.bounds import Count, Id
from orderflow.domain.engine.decide import (
    NOTHING,
    Decision,
    End,
    Entry,
    Envelope,
    Flow,
    Load,
    Loaded,
    Message,
    Rows,
    decide_command,
    decide_group,
)
from orderflow.domain.engine.machine import ABSENT, Absent, Machine, refuse, rule, rules
from orderflow.domain.engine.record import Command, Event, Fields, Internal, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import (
    Effect,
    EventContext,
    On,
    Require,
    Send,
    Workflow,
    asks,
    on,
    requires,
    tells,
)
from orderflow.errors import (
    CommandRefused,
    ConcurrencyConflict,
    DefinitionError,
    InputError,
    InvariantBroken,
    Key,
    Refusal,
)
from orderflow.flows.asks import Begin, Commit, KnownCommands
from orderflow.flows.handle import Result, handle_many
from orderflow.ports.storage import Batch
from orderflow.shop import OrderFlow

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOST_LOANS = 2

# -- loans


class _Lending(Fields):
    reader: Id


class LendBook(_Lending, Command):
    """A reader takes the book home."""


class BookLent(_Lending, Event):
    """A reader took the book home."""


class Lent(_Lending, Record):
    """The book is with a reader."""


class TakeBack(Command):
    """The book comes back."""

    fee: Count = 0


class BookTakenBack(Event):
    """The book came back; ``reader`` owes a fee, 0 if none."""

    reader: str
    fee: int


class OnShelf(Record):
    """The book is here."""


LOAN = Machine(
    "loan",
    rules=(
        rules(
            (Absent, OnShelf), LendBook, BookLent, Lent, lambda state, event: Lent(event.reader)
        ),
        rule(
            Lent, TakeBack, BookTakenBack, OnShelf, lambda state, event: OnShelf(),
            decide=lambda state, command, stamp: BookTakenBack(state.reader, command.fee),
        ),
    ),
    final=(OnShelf, Lent),
)  # fmt: skip

# -- readers


class Register(Command):
    """Somebody becomes a reader."""


class Registered(Event):
    """Somebody became a reader."""


class Suspend(Command):
    """The reader may borrow no more."""


class Suspended(Event):
    """The reader may borrow no more."""


class CountLoan(Internal):
    """One more book is with the reader, or one less."""

    change: int


class LoanCounted(Event):
    """The number of books changed."""

    change: int


class Reader(Record):
    """May borrow, unless suspended."""

    loans: int = 0
    suspended: bool = False


READER = Machine(
    "reader",
    rules=(
        rule(Absent, Register, Registered, Reader, lambda state, event: Reader()),
        rule(Reader, Suspend, Suspended, Reader, lambda state, event: evolve(state, suspended=True)),
        rule(
            Reader, CountLoan, LoanCounted, Reader, lambda state, event: evolve(state, loans=state.loans + event.change)
        ),
    ),
    final=(Reader,),
)  # fmt: skip

# -- fees


class ChargeFee(Internal):
    """The reader owes an amount."""

    amount: Count


class FeeCharged(Event):
    """The reader owes an amount."""

    amount: int


class Fees(Record):
    """What a reader owes."""

    amount: int = 0


FEE = Machine(
    "fee",
    rules=(
        rule(Absent, ChargeFee, FeeCharged, Fees, lambda state, event: Fees(event.amount)),
        rule(Fees, ChargeFee, FeeCharged, Fees, lambda state, event: Fees(state.amount + event.amount)),
    ),
    final=(Fees,),
)

# -- the table


def may_borrow(state: Any, stamp: Stamp) -> Refusal | None:
    """Who is registered and not suspended may borrow."""
    if isinstance(state, Reader) and not state.suspended:
        return None
    return refuse("may_not_borrow", "{what} may not borrow", what=type(state).__name__)


def not_too_many(state: Any, stamp: Stamp) -> Refusal | None:
    """A reader has a bounded number of books."""
    loans = state.loans if isinstance(state, Reader) else 0
    return refuse("too_many_books", "{loans} books", loans=loans) if loans > MOST_LOANS else None


def reader_of(h: EventContext) -> Key:
    """The row of the reader an event speaks of."""
    return h.key.beside("reader", h.event.reader)


def needs_reader(h: EventContext) -> Iterable[Require]:
    """Whoever takes a book home may."""
    yield Require(reader_of(h), may_borrow)


def needs_room(h: EventContext) -> Iterable[Require]:
    """Whoever takes a book home has not too many then."""
    yield Require(reader_of(h), not_too_many)


def counts(h: EventContext) -> Iterable[Send]:
    """The reader has one more book, or one less."""
    yield Send(reader_of(h), CountLoan(1 if isinstance(h.event, BookLent) else -1))


def charges(h: EventContext) -> Iterable[Send]:
    """A fee, where there is one."""
    if h.event.fee:
        yield Send(h.key.beside("fee", h.event.reader), ChargeFee(h.event.fee))


def reminds(h: EventContext) -> Iterable[Effect]:
    """A letter to the reader."""
    yield Effect("remind", h.key)


def library(*table: On, machines: Sequence[Machine] = (LOAN, READER, FEE)) -> Workflow:
    """The library with these lines."""
    return Workflow(machines, table)


#: A loan that only asks the reader, and one that counts it there too.
ASKING = library(on(BookLent, requires(needs_reader, "reader"), asks(reminds, "remind")))
COUNTING = library(
    on(BookLent, requires(needs_reader, "reader"), requires(needs_room, "reader"), tells(counts, CountLoan)),
    on(BookTakenBack, tells(counts, CountLoan), tells(charges, ChargeFee)),
)


def key(kind: str, id: str) -> Key:  # noqa: A002 - the field's own name
    """A row of the library."""
    return Key("main", kind, id)


BOOK, OTHER, ANN = key("loan", "B1"), key("loan", "B2"), key("reader", "ann")
LEND = LendBook("ann")


def envelope(row: Key, command: Any, command_id: str = "c", at: datetime = NOON, *, fixed: bool = False) -> Envelope:
    """A command on its way."""
    return Envelope(row, command, Stamp(at, "librarian", command_id), fixed)


def driven(flow: Flow[Any], stored: Mapping[Key, Loaded]) -> tuple[Any, list[list[Key]]]:
    """What a decision gives on these rows, and which keys it asked for, round by round."""
    asked: list[list[Key]] = []
    try:
        request: Any = next(flow)
        while True:
            assert isinstance(request, Load)
            asked.append([*request.keys])
            request = flow.send({row: stored.get(row, NOTHING) for row in request.keys})
    except StopIteration as stop:
        return stop.value, asked


def decided(workflow: Workflow, row: Key, command: Any, stored: Mapping[Key, Loaded]) -> Decision:
    """The decision of one command."""
    decision: Decision = driven(decide_command(workflow, envelope(row, command)), stored)[0]
    return decision


def grouped(workflow: Workflow, envelopes: Sequence[Envelope], stored: Mapping[Key, Loaded]) -> list[End | None]:
    """How each command of a group ends."""
    ends: list[End | None] = driven(decide_group(workflow, envelopes, Rows()), stored)[0]
    return ends


def reader(version: int = 1, **facts: Any) -> dict[Key, Loaded]:
    """Ann's row as it is stored."""
    return {ANN: Loaded(version, Reader(**facts))}


# -- require


def test_what_is_required_is_only_read() -> None:
    """The row asked is in the decision, as it was; only the row that changed has an event."""
    decision = decided(ASKING, BOOK, LEND, reader(7))
    assert decision.rows[ANN] is decision.loaded[ANN]
    assert decision.loaded == {BOOK: NOTHING, ANN: Loaded(7, Reader())}
    assert decision.rows[BOOK] == Loaded(1, Lent("ann"), NOON)
    assert decision.entries == [Entry(BOOK, 1, BookLent("ann"), "c")]


def test_a_requirement_refuses_the_whole_decision() -> None:
    """Where another row says no, nothing of the decision counts."""
    for stored in (reader(suspended=True), {}):
        with pytest.raises(CommandRefused) as caught:
            decided(ASKING, BOOK, LEND, stored)
        assert caught.value.codes == ("may_not_borrow",)


def test_a_requirement_is_asked_after_all_commands_of_its_rank() -> None:
    """The guard sees the row as the decision leaves it, wherever in the table it stands."""
    assert decided(COUNTING, BOOK, LEND, reader(loans=1)).rows[ANN].state == Reader(2)
    with pytest.raises(CommandRefused, match="too_many_books: 3 books"):
        decided(COUNTING, BOOK, LEND, reader(loans=2))


def test_a_row_that_was_required_changes_no_more() -> None:
    """A row of a later kind that would change what was already asked breaks the decision."""
    again = library(
        on(BookTakenBack, requires(needs_reader, "reader"), tells(charges, ChargeFee)),
        on(FeeCharged, tells(lambda h: [Send(ANN, Suspend())], Suspend, known=True)),
    )
    stored = {BOOK: Loaded(1, Lent("ann")), **reader()}
    with pytest.raises(InvariantBroken, match="reader:ann changed after an event had required its state"):
        decided(again, BOOK, TakeBack(3), stored)
    assert decided(again, BOOK, TakeBack(0), stored).rows[ANN].state == Reader()


def test_a_row_may_change_before_it_is_required() -> None:
    """A command of the same decision to the same row comes first, and the row is then no more than changed."""
    decision = decided(COUNTING, BOOK, LEND, reader(4))
    assert decision.rows[ANN] == Loaded(5, Reader(1), NOON)
    assert decision.loaded[ANN] == Loaded(4, Reader())


def test_a_requirement_climbs() -> None:
    """A row of an earlier kind, or of one's own, cannot be required: locks would be taken downwards."""
    downwards = on(Registered, requires(needs_reader, "loan"))
    with pytest.raises(DefinitionError, match="Registered of reader reaches loan, against lock order"):
        library(downwards)
    with pytest.raises(DefinitionError, match="Registered of reader reaches reader, against lock order"):
        library(on(Registered, requires(needs_reader, "reader")))
    assert library(downwards, machines=(READER, FEE, LOAN)).heard[Registered].reactions is needs_reader


def test_explaining_goes_on_past_a_refusal() -> None:
    """With a list for refusals, every guard that would refuse is asked, on each row and by each line."""
    refusals: list[Refusal] = []
    flow = decide_command(COUNTING, envelope(BOOK, LEND), refusals)
    driven(flow, reader(loans=MOST_LOANS, suspended=True))
    assert [refusal.code for refusal in refusals] == ["may_not_borrow", "too_many_books"]


# -- require, in a batch


def carried_out(storage: MemoryStorage, flow: Flow[list[Result]], meanwhile: Callable[[], object]) -> Batch:
    """Runs a flow against a storage; ``meanwhile`` happens between its last load and its commit."""
    request: Any = next(flow)
    while not isinstance(request, Commit):
        if isinstance(request, Begin):
            request = flow.send(NOON)
        elif isinstance(request, KnownCommands):
            request = flow.send({})
        else:
            request = flow.send(storage.read(request.keys))
    meanwhile()
    with storage.unit() as work:
        work.commit(request.batch)
    batch: Batch = request.batch
    return batch


def shop(workflow: Workflow = ASKING) -> OrderFlow:
    """A library with a storage of its own."""
    return OrderFlow(MemoryStorage(), workflow=workflow)


def test_a_batch_names_the_rows_it_has_only_read() -> None:
    """The version of a row by whose state a decision stands is in the batch; rows that are written are not."""
    storage = MemoryStorage()
    OrderFlow(storage, workflow=ASKING).handle("ann", Register())
    commands = [envelope(BOOK, LEND, "1"), envelope(OTHER, LEND, "2")]
    batch = carried_out(storage, handle_many(ASKING, commands), lambda: None)
    assert batch.read == ((ANN, 1),)
    assert [write.key for write in batch.writes] == [BOOK, OTHER]
    counted = carried_out(storage, handle_many(COUNTING, [envelope(key("loan", "B3"), LEND, "3")]), lambda: None)
    assert counted.read == ()
    assert [write.key for write in counted.writes] == [key("loan", "B3"), ANN]


def test_what_a_batch_writes_it_need_not_read() -> None:
    """A row that one decision of a batch changes and the next one asks is written from the version it was loaded at."""
    commands = [envelope(ANN, Register(), "1"), envelope(BOOK, LEND, "2")]
    batch = carried_out(MemoryStorage(), handle_many(ASKING, commands), lambda: None)
    assert batch.read == ()
    assert [(write.key, write.expected) for write in batch.writes] == [(BOOK, 0), (ANN, 0)]


def test_two_who_read_what_the_other_writes_do_not_both_pass() -> None:
    """A reader suspended between the asking and the commit lends no book: without the check both would stand."""
    storage = MemoryStorage()
    flow = OrderFlow(storage, workflow=ASKING)
    flow.handle("ann", Register())
    with pytest.raises(ConcurrencyConflict):
        carried_out(storage, handle_many(ASKING, [envelope(BOOK, LEND)]), lambda: flow.handle("ann", Suspend()))
    assert storage.read([BOOK])[BOOK] == NOTHING
    with pytest.raises(CommandRefused, match="may_not_borrow"):
        flow.handle("B1", LEND)


def test_a_row_that_was_found_missing_must_still_be_missing() -> None:
    """What is required of a row that does not exist is checked as well."""

    def unknown(state: Any, stamp: Stamp) -> Refusal | None:
        return None if state is ABSENT else refuse("known", "is a reader")

    strangers = library(on(BookLent, requires(lambda h: [Require(reader_of(h), unknown)], "reader")))
    storage = MemoryStorage()
    flow = OrderFlow(storage, workflow=strangers)
    with pytest.raises(ConcurrencyConflict):
        carried_out(storage, handle_many(strangers, [envelope(BOOK, LEND)]), lambda: flow.handle("ann", Register()))
    with pytest.raises(CommandRefused, match="known"):
        flow.handle("B1", LEND)


def test_a_shop_of_any_machines_requires_and_explains() -> None:
    """The same through the front door: refused, explained, nothing stored, then lent."""
    library_ = shop(COUNTING)
    assert [refusal.code for refusal in library_.explain("B1", LEND)] == ["not_found", "may_not_borrow"]
    library_.handle("ann", Register())
    for book in ("B1", "B2"):
        library_.handle(book, LEND)
    with pytest.raises(CommandRefused) as caught:
        library_.handle("B3", LEND)
    assert caught.value.codes == ("too_many_books",)
    assert library_.rows("reader").get("ann") == Reader(2)
    assert [*library_.rows("loan").history("B3")] == []
    library_.handle("B1", TakeBack(5))
    library_.handle("B3", LEND)
    assert library_.rows("fee").get("ann") == Fees(5)


# -- loads


def test_rounds_of_loads_climb_and_take_a_rank_at_once() -> None:
    """Each round asks for keys of one rank, together, and no key is asked for twice."""

    def both(h: EventContext) -> Iterable[Send]:
        yield Send(key("reader", "ben"), CountLoan(1))
        yield Send(ANN, CountLoan(1))
        yield Send(key("fee", "ann"), ChargeFee(1))

    workflow = library(on(BookLent, tells(both, CountLoan, ChargeFee), requires(needs_reader, "reader")))
    stored = {**reader(), key("reader", "ben"): Loaded(1, Reader())}
    _, asked = driven(decide_command(workflow, envelope(BOOK, LEND)), stored)
    assert [[row.kind for row in keys] for keys in asked] == [["loan"], ["reader", "reader"], ["fee"]]


def test_a_row_is_asked_for_once_however_many_tell_it() -> None:
    """A row that is told and required in one decision stands once among the keys of its round."""
    _, asked = driven(decide_command(COUNTING, envelope(BOOK, LEND)), reader())
    assert asked == [[BOOK], [ANN]]


def test_a_group_loads_a_rank_at_a_time_for_all_its_commands() -> None:
    """However many commands, there are as many rounds as ranks, their keys in lock order."""
    readers = {key("reader", name): Loaded(1, Reader()) for name in ("ann", "ben", "cid")}
    commands = [
        envelope(key("loan", f"B{n}"), LendBook(name), f"c{n}") for n, name in enumerate(("cid", "ben", "ann", "ann"))
    ]
    ends, asked = driven(decide_group(COUNTING, commands, Rows()), readers)
    assert all(isinstance(end, Decision) for end in ends)
    assert [[row.id for row in keys] for keys in asked] == [["B0", "B1", "B2", "B3"], ["ann", "ben", "cid"]]


def test_a_group_never_loads_a_later_kind_before_an_earlier_one() -> None:
    """Where one command begins at a later kind, its row waits until the earlier kinds are locked."""
    commands = [envelope(ANN, Suspend(), "1"), envelope(BOOK, LendBook("ben"), "2")]
    _, asked = driven(decide_group(ASKING, commands, Rows()), reader())
    assert asked == [[BOOK], [ANN, key("reader", "ben")]]


def test_a_group_asks_only_for_what_it_does_not_have() -> None:
    """Rows of the batch in the making are taken from there, as the decisions so far left them."""
    rows = Rows()
    driven(decide_group(COUNTING, [envelope(BOOK, LEND, "1")], rows), reader())
    ends, asked = driven(decide_group(COUNTING, [envelope(OTHER, LEND, "2")], rows), {})
    assert asked == [[OTHER]]
    assert ends[0].rows[ANN].state == Reader(2)
    assert rows.loaded[ANN] == Loaded(1, Reader())


# -- groups

NAMES = st.sampled_from(["ann", "ben"])
DRAWN = st.one_of(
    st.tuples(st.builds(key, st.just("loan"), st.sampled_from(["B1", "B2", "B3", "B4"])), st.builds(LendBook, NAMES)),
    st.tuples(st.builds(key, st.just("loan"), st.sampled_from(["B1", "B2"])), st.builds(TakeBack, st.integers(0, 2))),
    st.tuples(st.builds(key, st.just("reader"), NAMES), st.sampled_from([Register(), Suspend()])),
)


@given(st.lists(st.tuples(DRAWN, st.integers(0, 9)), max_size=12))
def test_a_group_ends_as_its_commands_one_by_one(group: list[tuple[tuple[Key, Any], int]]) -> None:
    """In a group each command ends as it would alone on what the ones before left; a refused one leaves no trace."""
    envelopes = [envelope(row, command, f"c{number}") for (row, command), number in group]
    stored: dict[Key, Loaded] = {}
    known: set[str] = set()
    alone: list[Any] = []
    for one in envelopes:
        if one.stamp.command_id in known:
            alone.append(None)
            continue
        end = grouped(COUNTING, [one], stored)[0]
        alone.append(end)
        if isinstance(end, Decision):
            stored.update(end.rows)
            known.add(one.stamp.command_id)
    together = grouped(COUNTING, envelopes, {})
    assert [compared(end) for end in together] == [compared(end) for end in alone]


def compared(end: Any) -> Any:
    """What of an end must be the same."""
    if isinstance(end, Decision):
        return (end.stamp, end.loaded, end.rows, end.entries, end.messages)
    return end.refusals if isinstance(end, CommandRefused) else end


# -- times


def stale(hours: int) -> dict[Key, Loaded]:
    """Ann's row, changed by somebody whose clock is ahead of ours."""
    return {ANN: Loaded(1, Reader(), NOON + hours * HOUR)}


def test_no_rows_time_goes_back() -> None:
    """What has no fixed time is recorded at the latest time of the rows it rests on, those only asked too."""
    for workflow in (ASKING, COUNTING):
        (end,) = grouped(workflow, [envelope(BOOK, LEND)], stale(2))
        assert isinstance(end, Decision)
        assert end.stamp.at == NOON + 2 * HOUR
        assert end.rows[BOOK].at == NOON + 2 * HOUR
    (earlier,) = grouped(COUNTING, [envelope(BOOK, LEND)], stale(-2))
    assert isinstance(earlier, Decision)
    assert earlier.rows[ANN].at == NOON


def test_a_fixed_time_that_goes_back_is_refused() -> None:
    """A time that was given is never changed: where a row is later, that is an error at ``at``."""
    for workflow in (ASKING, COUNTING):
        (end,) = grouped(workflow, [envelope(BOOK, LEND, fixed=True)], stale(2))
        assert isinstance(end, InputError)
        assert [(fault.path, fault.code) for fault in end.faults] == [("at", "time_goes_back")]
        (taken,) = grouped(workflow, [envelope(BOOK, LEND, fixed=True)], stale(0))
        assert isinstance(taken, Decision)
        assert taken.stamp.at == NOON


def test_times_of_a_group_go_on_too() -> None:
    """A command is no earlier than what an earlier one of its group has changed; a fixed one is then refused."""
    later, fixed = envelope(OTHER, LEND, "2"), envelope(OTHER, LEND, "3", fixed=True)
    first = envelope(BOOK, LEND, "1", NOON + HOUR, fixed=True)
    _, moved, refused = grouped(COUNTING, [first, later, fixed._replace(key=key("loan", "B3"))], reader())
    assert isinstance(moved, Decision)
    assert moved.stamp.at == NOON + HOUR
    assert isinstance(refused, InputError)
    assert refused.faults[0].code == "time_goes_back"


def test_what_the_source_says_is_left_alone() -> None:
    """Moving the time of record on does not change when a thing happened."""
    told = envelope(BOOK, LEND)
    told = told._replace(stamp=evolve(told.stamp, occurred_at=NOON - HOUR))
    (end,) = grouped(COUNTING, [told], stale(2))
    assert isinstance(end, Decision)
    assert (end.stamp.at, end.stamp.moment) == (NOON + 2 * HOUR, NOON - HOUR)


# -- messages, and the end


def test_a_messages_id_is_stable_and_holds_the_tenant() -> None:
    """It is made of the tenant, the row, its version, the topic and a number, so that no two are alike."""
    decision = decided(ASKING, BOOK, LEND, reader())
    assert decision.messages == [Message("main/loan/B1/1/remind/0", "remind", BOOK)]


def test_a_loop_of_reactions_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that tell each other for ever are a bug that is found, not a process that hangs."""
    monkeypatch.setattr(decide, "DECISION_LIMIT", 50)
    endless = library(on(LoanCounted, tells(lambda h: [Send(h.key, CountLoan(1))], CountLoan, known=True)))
    with pytest.raises(InvariantBroken, match="more than 50 commands in one decision"):
        decided(endless, ANN, CountLoan(1), reader())
