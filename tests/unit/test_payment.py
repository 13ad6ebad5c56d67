"""The payment: its table, its guards, and that no money is used twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.money.money import Money
from orderflow.domain.payments import state as s
from orderflow.domain.payments.applying import (
    ApplyPayment,
    PaymentApplied,
    PaymentUnapplied,
    UnapplyPayment,
)
from orderflow.domain.payments.collecting import (
    AuthorisePayment,
    CapturePayment,
    ClosePayment,
    EndAuthorisation,
    ExpectPayment,
    PaymentCaptured,
    PaymentReceived,
    RecordPayment,
)
from orderflow.domain.payments.facts import ClosePaymentTask, FactNoted
from orderflow.domain.payments.guards import FUTURE_DAYS
from orderflow.domain.payments.machine import PAYMENT
from orderflow.domain.payments.pending import OperationFailed, OperationRequested, RequestOperation, ResolvePending
from orderflow.domain.payments.refunding import (
    ChargeBackPayment,
    ChargedBack,
    DisputeLost,
    DisputePayment,
    PaymentRefunded,
    RefundPayment,
    ResolveDispute,
)
from orderflow.domain.payments.state import Application, ApplicationTarget, Notes, Operation, PaymentSource, payment_id
from orderflow.errors import InvariantBroken

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
INVOICE, ORDER = ApplicationTarget.INVOICE, ApplicationTarget.ORDER
AUTHORISE, CAPTURE, REFUND, VOID = Operation.AUTHORISE, Operation.CAPTURE, Operation.REFUND, Operation.VOID
BANK = PaymentSource("bank", "2026-04-01/17", "C-1", "transfer")
CARD = PaymentSource("card", "ch_1", "C-1", "card", authorises=True)


def yen(minor: int) -> Money:
    """An amount in yen."""
    return Money(minor, "JPY")


def stamp(ahead: timedelta | None = None, id_: str = "c") -> Stamp:
    """Noon; the fact itself is ``ahead`` of it, where that is told."""
    return Stamp(NOON, "tester", id_, None if ahead is None else NOON + ahead)


def play(*commands: Any, state: Any = ABSENT) -> Any:
    """The state after the commands, all at noon."""
    for number, command in enumerate(commands, start=1):
        _, state = PAYMENT.step(state, command, stamp(id_=f"c{number}"))
    return state


def event_of(state: Any, command: Any) -> Any:
    """The event a command gives."""
    return PAYMENT.step(state, command, stamp())[0]


def codes(state: Any, command: Any, at: Stamp | None = None) -> tuple[str, ...]:
    """The codes of all that stands in the way."""
    return tuple(reason.code for reason in PAYMENT.explain(state, command, at or stamp()))


def name(value: object) -> str:
    """The name of a value's class."""
    return type(value).__name__


EXPECTED = play(ExpectPayment(BANK, yen(1_000)))
EXPECTED_CARD = play(ExpectPayment(CARD, yen(1_000)))
AUTHORISED = play(AuthorisePayment(yen(1_000)), state=EXPECTED_CARD)
CAPTURED = play(CapturePayment(yen(600)), state=AUTHORISED)
RECEIVED = play(RecordPayment(BANK, yen(1_000), date(2026, 4, 1)))
PART_USED = play(ApplyPayment(INVOICE, "I-1", yen(400)), state=RECEIVED)
USED = play(ApplyPayment(INVOICE, "I-2", yen(600)), state=PART_USED)
DISPUTED = play(DisputePayment(yen(700)), state=PART_USED)
CLOSED = play(ClosePayment(), state=USED)

# -- facts are total

WAITING = RequestOperation(AUTHORISE, yen(1_000))
STATES = (
    EXPECTED,
    EXPECTED_CARD,
    AUTHORISED,
    CAPTURED,
    RECEIVED,
    USED,
    DISPUTED,
    CLOSED,
    play(ClosePayment(), state=EXPECTED_CARD),
    play(RequestOperation(REFUND, yen(600)), state=PART_USED),
)
FACTS = (
    AuthorisePayment(yen(1_000)),
    AuthorisePayment(yen(2_000), "f", NOON + timedelta(days=7)),
    CapturePayment(yen(100)),
    CapturePayment(yen(9_000), "f"),
    EndAuthorisation(),
    EndAuthorisation("f"),
    RefundPayment(yen(20)),
    RefundPayment(yen(9_000), "f"),
    ChargeBackPayment(yen(20)),
    ChargeBackPayment(yen(9_000), "f"),
    DisputePayment(yen(100)),
    DisputePayment(yen(9_000), "f"),
    ResolveDispute(won=True),
    ResolveDispute(won=False, fact_id="f"),
    AuthorisePayment(Money(10, "EUR")),
    CapturePayment(Money(10, "EUR")),
    RefundPayment(Money(10, "EUR")),
    ChargeBackPayment(Money(10, "EUR")),
    DisputePayment(Money(10, "EUR")),
)


@pytest.mark.parametrize("fact", FACTS, ids=str)
@pytest.mark.parametrize("state", STATES, ids=name)
def test_no_fact_is_refused_and_none_counts_twice(state: Any, fact: Any) -> None:
    """C: what the world says is recorded in every state; told again under its id, it changes nothing."""
    after = play(fact, state=state)
    s.check_payment(after)
    if fact.fact_id:
        assert play(fact, state=after) == after
        assert isinstance(event_of(after, fact), FactNoted)


@pytest.mark.parametrize("state", STATES, ids=name)
def test_the_payment_itself_is_told_again(state: Any) -> None:
    """Told with the same amount it changes nothing, with another one it is a task; nothing is booked twice."""
    after = play(RecordPayment(state.origin, yen(700)), state=state)
    again = play(RecordPayment(state.origin, yen(700)), state=after)
    assert again == after
    if isinstance(state, s.Funded):
        late = not state.funds.received
        assert (after.funds.received, [task.code for task in after.notes.tasks]) == (
            700 if late else state.funds.received, [] if late else ["amount_differs"],
        )  # fmt: skip
    else:
        assert after.funds.received == 700


def tasks(state: Any) -> list[tuple[str, dict[str, str]]]:
    """The tasks of a row."""
    return [(task.code, dict(task.facts)) for task in state.notes.tasks]


def test_m13_more_goes_back_than_is_free() -> None:
    """Refunded 20.00 of money that is all applied; charged back 100 after a refund of 40."""
    event = event_of(USED, RefundPayment(yen(20)))
    assert (event.amount, event.released, event.tasks) == (yen(20), (Application(INVOICE, "I-2", 20),), ())
    part = play(RefundPayment(yen(400)), state=RECEIVED)
    event = event_of(part, ChargeBackPayment(yen(1_000)))
    assert (event.amount, [task.code for task in event.tasks]) == (yen(600), ["never_received"])
    gone = play(ChargeBackPayment(yen(1_000)), state=part)
    assert (gone.funds.kept, tasks(gone)) == (0, [("never_received", {"minor": "400"})])
    assert play(ChargeBackPayment(yen(400)), state=gone) == gone
    closed = play(ClosePaymentTask("never_received"), state=gone)
    assert tasks(closed) == []
    assert codes(closed, ClosePaymentTask("never_received")) == ("no_such_task",)


def test_facts_come_in_any_order() -> None:
    """Captured before it was authorised; authorised after it was captured, for more; disputed in parts."""
    early = play(CapturePayment(yen(100)), state=EXPECTED_CARD)
    assert (early.funds.received, early.funds.authorised, tasks(early)) == (
        100,
        100,
        [("exceeds_authorised", {"minor": "100"})],
    )
    late = play(AuthorisePayment(yen(500)), state=early)
    assert (late.funds.authorised, late.funds.received) == (500, 100)
    assert play(AuthorisePayment(yen(400)), state=late) == late
    more = play(AuthorisePayment(yen(2_000)), state=AUTHORISED)
    assert (more.authorised, play(AuthorisePayment(yen(1_000)), state=more)) == (yen(2_000), more)
    twice = play(DisputePayment(yen(200)), DisputePayment(yen(500)), state=RECEIVED)
    assert (twice.disputed, play(DisputePayment(yen(900)), state=twice).disputed) == (700, 1_000)
    assert tasks(play(DisputePayment(yen(10)), state=CLOSED)) == [("disputed", {"minor": "10"})]
    assert tasks(play(ResolveDispute(won=False), state=RECEIVED)) == [
        ("no_dispute", {"kept": "1000", "charged_back": "0"})
    ]
    assert play(ResolveDispute(won=True), state=RECEIVED) == RECEIVED


def test_a_fact_that_moves_nothing_is_merely_noted() -> None:
    """Reserved again, and no more of it; given back or taken back where nothing is left."""
    assert event_of(AUTHORISED, AuthorisePayment(yen(1_000), until=NOON + timedelta(days=9))) == FactNoted()
    assert event_of(CAPTURED, AuthorisePayment(yen(1_000))) == FactNoted()
    gone = play(RefundPayment(yen(1_000)), state=RECEIVED)
    for fact in (RefundPayment(yen(1)), ChargeBackPayment(yen(1))):
        assert isinstance(event_of(gone, fact), FactNoted)
        assert tasks(play(fact, state=EXPECTED)) == [("never_received", {"minor": "1"})]
    assert event_of(play(CapturePayment(yen(1_000)), state=AUTHORISED), EndAuthorisation()) == FactNoted()
    whole = play(DisputePayment(yen(1_000)), state=RECEIVED)
    assert tasks(play(DisputePayment(yen(1)), state=whole)) == [("disputed", {"minor": "1"})]
    assert isinstance(event_of(whole, DisputePayment(yen(1))), FactNoted)


def test_one_minor_unit_counts() -> None:
    """One more than is free takes one off the newest application; one can be disputed."""
    assert event_of(PART_USED, RefundPayment(yen(601))).released == (Application(INVOICE, "I-1", 1),)
    assert play(DisputePayment(yen(1)), state=RECEIVED).disputed == 1


def test_the_bounds_are_those_of_the_page_on_limits() -> None:
    """Documents that one payment pays, and facts and tasks that it keeps."""
    assert (s.MAX_APPLICATIONS, s.MAX_NOTES) == (1_000, 200)
    many = [RefundPayment(Money(1, "EUR"), f"f{number}") for number in range(201)]
    noted = play(*many, state=RECEIVED).notes
    assert (len(noted.facts), noted.facts[0], noted.facts[-1]) == (200, "f1", "f200")


def test_a_payment_without_a_fee_or_a_reservation_has_none() -> None:
    """Nobody kept anything of a transfer; nothing is reserved of money that never came and is closed."""
    assert (RECEIVED.funds.fee, play(RecordPayment(BANK, yen(100), fee_minor=7)).funds.fee) == (0, 7)
    assert [play(ClosePayment(), state=state).funds.authorised for state in (EXPECTED, AUTHORISED)] == [0, 1_000]
    assert (CAPTURED.funds.fee, RECEIVED.funds.authorised) == (0, 0)


def test_a_request_is_for_one_minor_unit_at_least() -> None:
    """All that is possible without an amount, a void always; only a refund names an order."""
    assert [faults_of(RequestOperation(operation, yen(1))) for operation in (AUTHORISE, CAPTURE, REFUND)] == [()] * 3
    for command, path in (
        (RequestOperation(REFUND, yen(0)), "amount.minor"),
        (RequestOperation(VOID, yen(1)), "amount.minor"),
    ):
        assert [fault.path for fault in faults_of(command)] == [path]
    assert "a void has none" in str(faults_of(RequestOperation(VOID, yen(1)))[0])
    asked = [
        event_of(state, RequestOperation(operation)).amount
        for state, operation in (
            (EXPECTED_CARD, AUTHORISE), (EXPECTED, CAPTURE), (AUTHORISED, VOID), (CAPTURED, CAPTURE), (CAPTURED, REFUND)
        )
    ]  # fmt: skip
    assert asked == [yen(1_000), yen(1_000), yen(1_000), yen(400), yen(600)]
    assert codes(USED, RequestOperation(REFUND)) == ("nothing_left",)
    assert codes(EXPECTED_CARD, RequestOperation(AUTHORISE, yen(1_001))) == ("exceeds_expected",)
    assert codes(AUTHORISED, RequestOperation(CAPTURE, Money(1, "EUR"))) == ("other_currency",)
    for first, second in ((CAPTURE, VOID), (VOID, CAPTURE)):
        assert codes(play(RequestOperation(first), state=AUTHORISED), RequestOperation(second)) == ("pending",)


def test_a_void_ends_what_is_not_taken() -> None:
    """Asked for, the payment is finished; told by the provider alone, the money is expected as before."""
    asked = play(RequestOperation(VOID), state=AUTHORISED)
    assert isinstance(play(EndAuthorisation(), state=asked), s.Closed)
    assert isinstance(play(ResolvePending(VOID, succeeded=True), state=asked), s.Closed)
    assert play(ResolvePending(VOID, succeeded=False), state=asked) == AUTHORISED
    assert play(EndAuthorisation(), state=AUTHORISED) == EXPECTED_CARD
    part = play(RequestOperation(VOID), EndAuthorisation(), state=CAPTURED)
    assert (part.funds.authorised, part.funds.received, part.pending) == (600, 600, ())


def test_a_request_is_answered_by_its_own_fact() -> None:
    """By the one that names it, whatever the amount, or without a name by one of the same amount."""
    asked = play(RequestOperation(CAPTURE, yen(400)), state=AUTHORISED)
    [item] = asked.pending
    assert play(CapturePayment(yen(300), request=item.id), state=asked).pending == ()
    assert play(CapturePayment(yen(400)), state=asked).pending == ()
    for other in (CapturePayment(yen(300)), CapturePayment(yen(400), request="another")):
        assert play(other, state=asked).pending == (item,)
    assert codes(asked, ResolvePending(CAPTURE, succeeded=True, request="another")) == ("not_pending",)
    failed = play(ResolvePending(CAPTURE, succeeded=False, request=item.id, reason="no funds"), state=asked)
    assert tasks(failed) == [("declined", {"operation": "capture", "minor": "400", "reason": "no funds"})]


def test_what_is_reserved_for_an_order_is_its_own_when_captured() -> None:
    """Captures add up in one application to the order."""
    for_order = evolve(CARD, order="O-1")
    state = play(ExpectPayment(for_order, yen(1_000)), AuthorisePayment(yen(1_000)), CapturePayment(yen(300)))
    assert state.funds.applications == (Application(ORDER, "O-1", 300),)
    more = play(CapturePayment(yen(700)), state=state)
    assert (more.funds.applications, more.free) == ((Application(ORDER, "O-1", 1_000),), 0)


def test_the_row_of_a_payment_follows_from_its_source() -> None:
    """Two sources may use the same reference; a slash in a source does not make it another's."""
    assert payment_id("bank", "1/2") == "bank/1/2"
    assert payment_id("bank/1", "2") == "bank%2F1/2"
    assert [fault.code for fault in RecordPayment(BANK, yen(1)).row_faults("p-1")] == ["other_payment"]
    assert [*RecordPayment(BANK, yen(1)).row_faults("bank/2026-04-01/17")] == []


@pytest.mark.parametrize("amount", [yen(0), yen(-1), Money(1, "XXQ"), yen(10**15 + 1)])
def test_amounts_are_positive_money(amount: Money) -> None:
    """Nothing, less than nothing, too much and unknown currencies are faults of the amount."""
    for command in (RecordPayment(BANK, amount), RefundPayment(amount), RequestOperation(REFUND, amount)):
        faults = faults_of(command)
        assert faults
        assert all(fault.path.startswith("amount") for fault in faults)
    assert not faults_of(RefundPayment(yen(1)))


def test_an_origin_is_named() -> None:
    """A payment without a source or an external id could not be told from another."""
    faults = faults_of(RecordPayment(PaymentSource("", ""), yen(1)))
    assert [fault.path for fault in faults] == ["origin.source", "origin.external_id"]


# -- money comes in


def test_money_is_recorded_with_its_dates() -> None:
    """What comes in is free, with the value date of the statement and the time the source tells."""
    told = stamp(timedelta(hours=-3))
    event, state = PAYMENT.step(EXPECTED, RecordPayment(BANK, yen(1_200), date(2026, 3, 31)), told)
    assert event == PaymentReceived(BANK, yen(1_200), date(2026, 3, 31), NOON - timedelta(hours=3))
    assert (state.free, state.funds.value_date, state.funds.received_at) == (1_200, date(2026, 3, 31), event.at)


def test_other_money_does_not_meet_an_expectation() -> None:
    """A record of another payment is refused; money in another currency than expected is the money that came."""
    assert codes(EXPECTED, RecordPayment(evolve(BANK, external_id="18"), yen(1_000))) == ("other_origin",)
    assert play(RecordPayment(BANK, Money(1_000, "EUR")), state=EXPECTED).funds.currency == "EUR"


def test_money_of_a_method_that_authorises_may_simply_come() -> None:
    """Nobody told of an authorisation: what came was reserved, then."""
    state = play(RecordPayment(CARD, yen(1_000)))
    assert (state.funds.authorised, state.funds.received) == (1_000, 1_000)


def test_facts_of_the_future_are_refused() -> None:
    """A fact may be a day ahead of our clock, and so may a value date; not more."""
    day = timedelta(days=FUTURE_DAYS)
    later = day + timedelta(seconds=1)
    facts = [
        (ABSENT, RecordPayment(BANK, yen(1))),
        (EXPECTED, RecordPayment(BANK, yen(1))),
        (EXPECTED_CARD, AuthorisePayment(yen(1))),
        (AUTHORISED, CapturePayment(yen(1))),
        (RECEIVED, RefundPayment(yen(1))),
        (RECEIVED, ChargeBackPayment(yen(1))),
        (RECEIVED, DisputePayment(yen(1))),
        (DISPUTED, ResolveDispute(won=False)),
    ]
    for state, command in facts:
        assert codes(state, command, stamp(day)) == ()
        assert codes(state, command, stamp(later)) == ("in_the_future",)
    assert codes(ABSENT, RecordPayment(BANK, yen(1), NOON.date() + day)) == ()
    assert codes(ABSENT, RecordPayment(BANK, yen(1), NOON.date() + 2 * day)) == ("in_the_future",)


# -- money is used


def test_an_overpayment_stays_free() -> None:
    """What is not applied is customer credit; more than that cannot be applied."""
    assert PART_USED.free == 600
    reason = PAYMENT.explain(PART_USED, ApplyPayment(ORDER, "O-1", yen(601)), stamp())[0]
    assert (reason.code, reason["asked"], reason["most"]) == ("exceeds_free", 601, 600)
    assert reason.message == "601 JPY wanted, 600 JPY possible"
    assert codes(PART_USED, ApplyPayment(INVOICE, "I-2", Money(1, "EUR"))) == ("other_currency",)


def test_applications_to_one_document_are_one() -> None:
    """Applying again adds, unapplying takes off, and what is fully taken off is gone."""
    more = play(ApplyPayment(INVOICE, "I-1", yen(100)), state=PART_USED)
    assert more.funds.applications == (Application(INVOICE, "I-1", 500),)
    assert codes(more, UnapplyPayment(ORDER, "I-1", yen(1))) == ("exceeds_applied",)
    none = play(UnapplyPayment(INVOICE, "I-1", yen(500)), state=more)
    assert none == RECEIVED
    assert event_of(more, UnapplyPayment(INVOICE, "I-1", yen(1))) == PaymentUnapplied(INVOICE, "I-1", yen(1))


def test_the_number_of_applications_is_bounded() -> None:
    """A payment pays at most so many documents; those it pays already may get more."""
    applications = tuple(Application(INVOICE, f"I-{number}", 1) for number in range(s.MAX_APPLICATIONS))
    full = evolve(RECEIVED, funds=evolve(RECEIVED.funds, received=10_000, applications=applications))
    assert codes(full, ApplyPayment(INVOICE, "I-new", yen(1))) == ("too_many_applications",)
    assert codes(full, ApplyPayment(INVOICE, "I-7", yen(1))) == ()


# -- money goes back


def test_a_chargeback_takes_free_money_first() -> None:
    """A bank does not ask: where free money does not suffice, the newest applications lose theirs, and are named."""
    assert event_of(PART_USED, ChargeBackPayment(yen(600))).released == ()
    event = event_of(USED, ChargeBackPayment(yen(700)))
    assert event.released == (Application(INVOICE, "I-2", 600), Application(INVOICE, "I-1", 100))
    after = PAYMENT.evolve(USED, event)
    assert (after.free, after.funds.applications) == (0, (Application(INVOICE, "I-1", 300),))


def test_a_dispute_is_won_or_charged_back() -> None:
    """A won dispute leaves all as it was; a lost one takes the disputed amount back."""
    assert play(ResolveDispute(won=True), state=DISPUTED) == PART_USED
    lost = play(ResolveDispute(won=False), state=DISPUTED)
    assert (lost.funds.charged_back, lost.free, lost.funds.applied) == (700, 0, 300)
    gone = play(ChargeBackPayment(yen(1_000)), ResolveDispute(won=False), state=DISPUTED)
    assert (name(gone), gone.funds.kept) == ("Received", 0)


# -- outcomes that are not known yet


def test_an_unknown_outcome_is_not_tried_again() -> None:
    """While an operation is pending it is not done again, its amount is set aside, and the payment stays open."""
    unknown = play(RequestOperation(REFUND, yen(600)), state=PART_USED)
    assert (unknown.free, unknown.set_aside) == (0, 600)
    assert codes(unknown, RequestOperation(REFUND, yen(1))) == ("pending",)
    assert play(RefundPayment(yen(600)), state=unknown).pending == ()
    assert codes(unknown, ClosePayment()) == ("pending",)
    assert play(ResolvePending(REFUND, succeeded=False), state=unknown) == PART_USED
    assert play(ResolvePending(REFUND, succeeded=True), state=unknown).funds.refunded == 600


@pytest.mark.parametrize(
    "state, operation, told",
    [
        (EXPECTED_CARD, AUTHORISE, AuthorisePayment(yen(400))),
        (EXPECTED, CAPTURE, CapturePayment(yen(400))),
        (AUTHORISED, CAPTURE, CapturePayment(yen(400))),
        (CAPTURED, CAPTURE, CapturePayment(yen(400))),
        (CAPTURED, REFUND, RefundPayment(yen(400))),
        (play(UnapplyPayment(INVOICE, "I-2", yen(600)), state=CLOSED), REFUND, RefundPayment(yen(400))),
    ],
)
def test_a_late_success_is_the_same_as_a_timely_one(state: Any, operation: Operation, told: Any) -> None:
    """Pending, then succeeded leads exactly where the plain command leads; pending, then failed leads back."""
    unknown = play(RequestOperation(operation, yen(400)), state=state)
    resolved = play(ResolvePending(operation, succeeded=True), state=unknown)
    assert evolve(resolved, notes=Notes()) == play(told, state=state)
    assert play(ResolvePending(operation, succeeded=False), state=unknown) == state
    assert play(told, state=resolved) == evolve(resolved, notes=Notes())


def test_a_chargeback_takes_what_a_refund_is_pending_for() -> None:
    """Applications lose theirs first; whatever becomes of the refund, what the bank took is gone."""
    unknown = play(RequestOperation(REFUND, yen(600)), state=PART_USED)
    all_gone = play(ChargeBackPayment(yen(1_000)), state=unknown)
    assert (all_gone.funds.charged_back, all_gone.funds.applied, all_gone.set_aside, all_gone.free) == (1_000, 0, 0, 0)
    assert play(ResolvePending(REFUND, succeeded=False), state=all_gone).funds.kept == 0
    twice = play(ResolvePending(REFUND, succeeded=True), state=all_gone)
    assert (twice.funds.refunded, twice.pending, twice.notes.tasks[0].code) == (0, (), "never_received")
    part = play(ChargeBackPayment(yen(500)), ResolvePending(REFUND, succeeded=True), state=unknown)
    assert (part.funds.refunded, part.funds.charged_back, part.notes.tasks[0].facts) == (500, 500, (("minor", "100"),))


def test_a_dispute_during_a_refund_is_of_all_that_is_kept() -> None:
    """The refund may not come about."""
    unknown = play(RequestOperation(REFUND, yen(600)), state=PART_USED)
    assert play(DisputePayment(yen(1_000)), state=unknown).disputed == 1_000


@pytest.mark.parametrize("back", [RefundPayment(yen(300)), ChargeBackPayment(yen(300))])
def test_what_goes_back_during_a_dispute_is_of_the_disputed_money(back: Any) -> None:
    """A dispute of 500 that is lost after 300 went back takes 200; after more, nothing."""
    disputed = play(DisputePayment(yen(500)), back, state=PART_USED)
    assert disputed.disputed == 200
    lost = play(ResolveDispute(won=False), state=disputed)
    assert lost.funds.kept == 500
    again = play(back, back, ResolveDispute(won=False), state=disputed)
    assert (again.funds.kept, name(again)) == (100, "Received")


def test_a_dispute_that_is_won_after_all_is_a_task() -> None:
    """The bank gives back what it had taken: somebody records that."""
    lost = play(DisputePayment(yen(500)), ResolveDispute(won=False), state=PART_USED)
    [task] = play(ResolveDispute(won=True), state=lost).notes.tasks
    assert (task.code, task.facts) == ("won_after_all", (("charged_back", "500"),))


@pytest.mark.parametrize("operation, told", [(CAPTURE, CapturePayment), (REFUND, RefundPayment)])
def test_the_answer_to_what_a_person_resolved_changes_nothing(operation: Operation, told: Any) -> None:
    """With its request or without, once; another amount is a task; what comes after that is new."""
    resolved = play(RequestOperation(operation, yen(100)), ResolvePending(operation, succeeded=True), state=CAPTURED)
    [awaited] = resolved.notes.awaited
    for answer in (told(yen(100), "f"), told(yen(100), "f", awaited.id)):
        known = play(answer, state=resolved)
        assert (known.funds, known.notes.awaited, known.notes.tasks) == (resolved.funds, (), ())
        assert play(told(yen(100), "g"), state=known).funds != known.funds
    [task] = play(told(yen(90), "f", awaited.id), state=resolved).notes.tasks
    assert (task.code, task.facts) == ("amount_differs", (("told", "90"), ("known", "100")))
    assert play(told(yen(90), "f"), state=resolved).funds != resolved.funds
    other = play(told(Money(100, "EUR"), "f"), state=resolved)
    assert (other.funds, other.notes.awaited) == (resolved.funds, (awaited,))


@pytest.mark.parametrize("asked", [False, True])
def test_money_that_a_person_recorded_counts_once(asked: bool) -> None:
    """Told by the statement, then by the provider; what is reserved beyond it stays so."""
    before = play(RequestOperation(CAPTURE, yen(400)), state=AUTHORISED) if asked else AUTHORISED
    recorded = play(RecordPayment(CARD, yen(400)), state=before)
    assert (recorded.funds.received, recorded.funds.authorised, recorded.pending) == (400, 1_000, ())
    again = play(CapturePayment(yen(400), "f"), state=recorded)
    assert (again.funds, again.notes.tasks) == (recorded.funds, ())
    assert play(CapturePayment(yen(400), "g"), state=again).funds.received == 800


def test_a_void_that_is_pending_survives_money_that_came() -> None:
    """What is left of the reservation is still to be let go."""
    state = play(RequestOperation(VOID), RecordPayment(CARD, yen(400)), state=AUTHORISED)
    assert [item.operation for item in state.pending] == [VOID]
    assert play(EndAuthorisation(), state=state).pending == ()


def test_a_known_fact_answers_no_other_request() -> None:
    """The notice of the first refund told again, while a second of the same amount is pending."""
    first = play(RefundPayment(yen(100), "f"), state=PART_USED)
    second = play(RequestOperation(REFUND, yen(100)), state=first)
    assert play(RefundPayment(yen(100), "f"), state=second) == second
    named = RefundPayment(yen(100), "f", second.pending[0].id)
    assert play(named, state=second).pending == ()


def test_the_end_of_a_reservation_ends_any_void() -> None:
    """Also where it is the late answer to an earlier one."""
    asked = play(RequestOperation(VOID), state=AUTHORISED)
    again = play(ResolvePending(VOID, succeeded=False), RequestOperation(VOID), state=asked)
    ended = play(EndAuthorisation("late", asked.pending[0].id), state=again)
    assert (name(ended), ended.pending) == ("Closed", ())


def test_a_later_end_of_a_reservation_is_news() -> None:
    """The same amount for longer; told of an earlier end afterwards, it stays."""
    week, month = NOON + timedelta(days=7), NOON + timedelta(days=30)
    reserved = play(AuthorisePayment(yen(400), "a", week), state=EXPECTED_CARD)
    longer = play(AuthorisePayment(yen(300), "b", month), state=reserved)
    assert (longer.authorised, longer.until) == (yen(400), month)
    assert play(AuthorisePayment(yen(400), "c", week), state=longer).until == month


def test_a_refund_says_which_order_it_is_for() -> None:
    """That order's money goes first; what it does not have is free money, then that of the newest."""
    applied = (Application(ORDER, "A", 300), Application(ORDER, "B", 300))
    state = evolve(PART_USED, funds=evolve(PART_USED.funds, applications=applied))
    after = play(RefundPayment(yen(200), order="A"), state=state)
    assert (after.funds.applied_to(ORDER, "A"), after.funds.applied_to(ORDER, "B")) == (100, 300)
    more = play(RefundPayment(yen(800), order="A"), state=state)
    assert (more.funds.applications, more.free) == ((Application(ORDER, "B", 200),), 0)


def test_a_refund_that_failed_pays_its_order_again() -> None:
    """As far as the money is still there."""
    applied = (Application(ORDER, "A", 600),)
    state = evolve(PART_USED, funds=evolve(PART_USED.funds, applications=applied))
    asked = play(RequestOperation(REFUND, yen(500), "A"), state=state)
    assert (asked.funds.applied, asked.set_aside, asked.free) == (100, 500, 400)
    assert play(ResolvePending(REFUND, succeeded=False), state=asked) == state
    less = play(ChargeBackPayment(yen(700)), ResolvePending(REFUND, succeeded=False), state=asked)
    assert (less.funds.applied, less.free) == (300, 0)


@pytest.mark.parametrize(
    "state, operation, code",
    [
        (EXPECTED, AUTHORISE, "not_possible"),
        (EXPECTED_CARD, CAPTURE, "not_possible"),
        (EXPECTED, REFUND, "not_possible"),
        (AUTHORISED, AUTHORISE, "not_possible"),
        (AUTHORISED, CAPTURE, "exceeds_authorised"),
        (CAPTURED, AUTHORISE, "not_possible"),
        (CAPTURED, REFUND, "exceeds_free"),
        (CLOSED, CAPTURE, "not_possible"),
    ],
)
def test_only_what_could_happen_is_pending(state: Any, operation: Operation, code: str) -> None:
    """An operation the state does not know, or of more money than there is, cannot be pending."""
    assert codes(state, RequestOperation(operation, yen(5_000))) == (code,)


def test_a_dispute_does_not_stop_an_answer() -> None:
    """An answer to an earlier operation is recorded while the payment is disputed."""
    unknown = play(RequestOperation(CAPTURE, yen(400)), RequestOperation(REFUND, yen(100)), state=CAPTURED)
    disputed = play(DisputePayment(yen(500)), state=unknown)
    known = play(ResolvePending(CAPTURE, succeeded=True), ResolvePending(REFUND, succeeded=True), state=disputed)
    assert (name(known), known.funds.received, known.funds.refunded, known.disputed) == ("Disputed", 1_000, 100, 400)
    assert known.pending == ()


# -- close


def test_a_payment_closes_when_no_money_is_left() -> None:
    """Free money keeps a payment open; a payment that never came closes too."""
    assert codes(PART_USED, ClosePayment()) == ("money_left",)
    assert CLOSED.closed_at == NOON
    for abandoned in (EXPECTED, AUTHORISED):
        closed = play(ClosePayment(), state=abandoned)
        assert (closed.free, closed.funds.received, closed.funds.received_at) == (0, 0, None)
    assert codes(play(WAITING, state=EXPECTED_CARD), ClosePayment()) == ("pending",)


# -- the whole life

AMOUNT = st.integers(1, 12).map(yen)
DOCUMENT = st.sampled_from(["1", "2", "3"])
ANY_COMMAND = st.one_of(
    st.builds(AuthorisePayment, AMOUNT),
    st.builds(CapturePayment, AMOUNT),
    st.builds(RecordPayment, st.sampled_from([BANK, CARD]), AMOUNT),
    st.builds(ApplyPayment, st.sampled_from(ApplicationTarget), DOCUMENT, AMOUNT),
    st.builds(UnapplyPayment, st.sampled_from(ApplicationTarget), DOCUMENT, AMOUNT),
    st.builds(RefundPayment, AMOUNT),
    st.builds(ChargeBackPayment, AMOUNT),
    st.builds(DisputePayment, AMOUNT),
    st.builds(ResolveDispute, st.booleans()),
    st.builds(RequestOperation, st.sampled_from(Operation), AMOUNT),
    st.just(RequestOperation(VOID)),
    st.builds(RequestOperation, st.just(REFUND), AMOUNT | st.none(), DOCUMENT),
    st.builds(ResolvePending, st.sampled_from(Operation), st.booleans()),
    st.just(EndAuthorisation()),
    st.just(ClosePayment()),
)


def moved(events: list[Any], *kinds: Any) -> int:
    """The sum of the amounts of the events of these kinds."""
    return sum(event.amount.minor for event in events if isinstance(event, kinds))


@given(st.sampled_from([BANK, CARD]), st.lists(ANY_COMMAND, max_size=40))
def test_no_money_is_used_twice(origin: PaymentSource, commands: list[Any]) -> None:
    """Captured <= authorised, and what was received is free, used, set aside or gone: nothing else, nothing twice."""
    events: list[Any] = []
    first = state = play(ExpectPayment(origin, yen(10)))
    for command in commands:
        if PAYMENT.explain(state, command, stamp()):
            continue
        event, state = PAYMENT.step(state, command, stamp())
        events.append(event)
        if not isinstance(state, s.Funded):
            continue
        came = moved(events, PaymentReceived, PaymentCaptured)
        gone = moved(events, PaymentRefunded, ChargedBack, DisputeLost)
        back = [e for e in events if isinstance(e, PaymentRefunded | ChargedBack | DisputeLost | OperationRequested)]
        released = sum(item.minor for event in back for item in event.released)
        restored = sum(item.minor for e in events if isinstance(e, OperationFailed) for item in e.restored)
        used = moved(events, PaymentApplied) - moved(events, PaymentUnapplied) - released + restored
        aside = state.set_aside
        assert min(came, gone, used, state.free) >= 0
        assert came == gone + used + state.free + aside
        assert not origin.authorises or came <= state.funds.authorised
    for event in events:
        first = PAYMENT.evolve(first, event)
    assert first == state


# -- invariants


def funds(**changes: Any) -> Any:
    """A received payment with some facts of its funds changed, past every rule."""
    return evolve(PART_USED, funds=evolve(PART_USED.funds, **changes))


@pytest.mark.parametrize(
    "broken",
    [
        funds(refunded=-1),
        funds(refunded=601),
        funds(refunded=1_001, applications=()),
        funds(applications=(Application(INVOICE, "I-1", 1), Application(INVOICE, "I-1", 1))),
        funds(applications=(Application(INVOICE, "I-1", 1), Application(INVOICE, "I-1", 2))),
        funds(applications=(Application(INVOICE, "I-1", -1),)),
        evolve(CAPTURED, funds=evolve(CAPTURED.funds, authorised=599)),
        evolve(AUTHORISED, pending=(s.Pending(CAPTURE, 1, "a", NOON), s.Pending(CAPTURE, 2, "b", NOON))),
    ],
)
def test_impossible_states_are_found(broken: s.PaymentState) -> None:
    """Negative amounts, money used twice, captures beyond the authorised, two operations of a kind pending: a bug."""
    with pytest.raises(InvariantBroken):
        s.check_payment(broken)


@pytest.mark.parametrize("amount", [yen(1), yen(400), Money(400, "EUR")])
def test_of_money_that_is_not_reserved_first_nothing_is_reserved(amount: Money) -> None:
    """A transfer: recorded out of the blue, expected, in another currency, or after its payment was closed."""
    for state in (ABSENT, EXPECTED, play(ClosePayment(), state=EXPECTED)):
        funds = play(RecordPayment(BANK, amount), state=state).funds
        assert (funds.authorised, funds.received) == (0, amount.minor)
    late = play(RecordPayment(CARD, Money(400, "EUR")), state=play(ClosePayment(), state=AUTHORISED))
    assert (late.funds.authorised, late.funds.received) == (400, 400)


def test_a_dispute_of_nothing_says_that_there_was_nothing() -> None:
    """Of money that has not come nothing is kept, and nothing was taken back."""
    for state in (EXPECTED, AUTHORISED):
        [task] = play(ResolveDispute(won=False), state=state).notes.tasks
        assert task.facts == (("kept", "0"), ("charged_back", "0"))


def test_only_a_provider_that_takes_money_tells_of_it_again() -> None:
    """A transfer is told once, by the bank; where a capture was asked for, its answer is still to come."""
    assert RECEIVED.notes.awaited == ()
    asked = play(RequestOperation(CAPTURE), state=EXPECTED)
    [awaited] = play(RecordPayment(BANK, yen(1_000)), state=asked).notes.awaited
    assert (awaited.id, awaited.minor) == (asked.pending[0].id, 1_000)


def test_no_more_is_disputed_than_is_kept() -> None:
    """The rest is a task, and so is all of a second dispute."""
    state = play(DisputePayment(yen(1_500)), state=RECEIVED)
    assert (state.disputed, tasks(state)) == (1_000, [("disputed", {"minor": "500"})])
    assert tasks(play(DisputePayment(yen(7)), state=state))[1:] == [("disputed", {"minor": "7"})]
