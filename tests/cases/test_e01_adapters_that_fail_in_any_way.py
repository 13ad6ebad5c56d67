"""E01: whatever a carrier raises or answers, it is the failure of that one effect."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from small_shop import content, packed, small_shop

from orderflow import CommandMismatch, ConcurrencyConflict, InputError, Key, MemoryCarrier, MemoryNotifier, NotFound
from orderflow.adapters.payments.memory import MemoryProvider
from orderflow.domain.money.money import Money
from orderflow.domain.payments.collecting import AuthorisePayment, ExpectPayment
from orderflow.domain.payments.pending import RequestOperation
from orderflow.domain.payments.state import Operation, PaymentSource
from orderflow.errors import OrderFlowError
from orderflow.ports.carrier import Label, LabelRequest
from orderflow.ports.notifier import Notice
from orderflow.ports.payments import Answer, PaymentRequest

BAD = "o-1/1"
FIVE = Money.of(5, "EUR")


def label(**changes: Any) -> Label:
    """A label that is sound but for the changes."""
    fields: dict[str, Any] = {"tracking_number": "T-1", "price": None, "data": "x", "media_type": "text/plain"}
    return Label("memory", "standard", **{**fields, **changes})


class OddCarrier(MemoryCarrier):
    """Answers or raises what it was given, for one shipment only."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def buy_label(self, request: LabelRequest) -> Label:
        if request.shipment != BAD:
            return super().buy_label(request)
        if isinstance(self.answer, BaseException):
            raise self.answer
        answer: Label = self.answer
        return answer


class Unspeakable(Exception):
    """Fails again when it is asked what went wrong."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


class Endless:
    """Is never done saying what it is."""

    def __repr__(self) -> str:
        return "x" * 5_000_000


def _never() -> Any:
    yield "T-1"


RAISED: dict[str, Any] = {
    "not_found": NotFound(Key("default", "order", "x")),
    "input_error": InputError.at("x", "y", "z"),
    "conflict": ConcurrencyConflict(None),
    "mismatch": CommandMismatch("x"),
    "key_error": KeyError("x"),
    "assertion": AssertionError("x"),
    "lone_surrogate": ValueError("\ud800 \x00 broken"),
    "ten_megabytes": ValueError("x" * 10_000_000),
    "unspeakable": Unspeakable("x"),
    "endless": TypeError(Endless()),
    "permission": PermissionError(13, "x"),
    "connection": ConnectionResetError(104, "reset"),
    "recursion": RecursionError("x"),
    "memory": MemoryError(),
    "stop": StopIteration("x"),
    "stop_async": StopAsyncIteration(),
    "decoding": UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    "several": ExceptionGroup("two", [ValueError("a"), OSError("b")]),
    "not_implemented": NotImplementedError(),
    "controls": RuntimeError("\x1b[31m\r\n\x07"),
}
ANSWERED: dict[str, Any] = {
    "none": None,
    "text": "T-1",
    "number": 7,
    "true": True,
    "bytes": b"T-1",
    "dictionary": {"tracking_number": "T-1"},
    "pair": ("T-1", label()),
    "class": Label,
    "generator": _never(),
    "endless": Endless(),
    "price_as_text": label(price="5.00"),
    "price_as_float": label(price=5.0),
    "price_in_nothing": label(price=(500, "EUR")),
    "number_as_tracking": label(tracking_number=7),
    "no_tracking": label(tracking_number=None),
    "surrogate_in_label": label(tracking_number="T\ud800"),
    "line_break_in_tracking": label(tracking_number="T\n1"),
    "tracking_too_long": label(tracking_number="T" * 10_000),
    "data_as_bytes": label(data=b"x"),
    "no_media_type": label(media_type=None),
}
ODD: dict[str, Any] = {**RAISED, **{f"answers_{name}": answer for name, answer in ANSWERED.items()}}


@pytest.mark.parametrize("name", ODD)
def test_e01_one_odd_answer_is_retried_then_dead_and_hurts_no_other(name: str) -> None:
    """The other shipments of the round get their labels; the odd one is tried until its deadline, then given up."""
    shop = small_shop(carriers=[OddCarrier(ODD[name])])
    packed(shop, "o-1", "o-2", "o-3")
    report = shop.relay()
    assert report.retried == 1
    assert [type(shop.shipments.get(f"o-{n}/1")).__name__ for n in (2, 3)] == ["Labelled", "Labelled"]
    assert type(shop.shipments.get(BAD)).__name__ == "Packed"
    for _ in range(60):
        shop._ports.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
        shop.relay()
    [(message, error, *_)] = [found for found in shop.storage.dead_letters() if found[0].topic == "buy_label"]
    assert message.lane.id == BAD
    assert len(error) < 1000
    assert error.isprintable()


class OddPost(MemoryNotifier):
    """Raises what it was given, for one order only."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def send(self, notice: Notice) -> None:
        if notice.order == "o-1":
            raise self.error
        super().send(notice)


class OddProvider(MemoryProvider):
    """Raises what it was given, for one payment only."""

    def __init__(self, error: BaseException) -> None:
        super().__init__("card")
        self.error = error

    def operate(self, request: PaymentRequest) -> Answer:
        if request.payment == "card/1":
            raise self.error
        return super().operate(request)


@pytest.mark.parametrize("name", RAISED)
def test_e01_a_mailer_and_a_provider_that_raise_hurt_no_other(name: str) -> None:
    """The other mails and payments of the round are done; nothing of the odd ones is lost."""
    post, provider = OddPost(RAISED[name]), OddProvider(RAISED[name])
    shop = small_shop(notifier=post, providers=[provider])
    for number in (1, 2, 3):
        shop.receive(f"o-{number}", content(external_id=f"o-{number}"))
        shop.handle(f"card/{number}", ExpectPayment(PaymentSource("card", str(number), "ann"), FIVE))
        provider.operate(PaymentRequest(f"c/{number}", str(number), "card", Operation.AUTHORISE, FIVE, f"a{number}"))
        shop.handle(f"card/{number}", AuthorisePayment(FIVE))
        shop.handle(f"card/{number}", RequestOperation(Operation.CAPTURE, FIVE))
    assert shop.relay().retried == 2
    assert [notice.order for notice in post.delivered] == ["o-2", "o-3"]
    states = [type(shop.payments.get(f"card/{number}")).__name__ for number in (1, 2, 3)]
    assert states == ["Authorised", "Received", "Received"]
    assert shop.storage.pending() == 2


class BadPost(MemoryNotifier):
    """Says why it could not send, with all it knows."""

    def send(self, notice: Notice) -> None:
        raise OrderFlowError(f"cannot send to {notice.to}: {notice!r}")


def test_e01_an_error_text_holds_no_value_of_the_vault() -> None:
    """An adapter may put the address into its error; what is stored names the field instead."""
    from orderflow import Person

    shop = small_shop(notifier=BadPost())
    ann = shop.record_party("ann", Person(name="Ann Lee", email="ann@example.org", lines=("5 High Street",)))
    shop.receive("o-1", content(bill_to=ann, ship_to=ann))
    for _ in range(80):
        shop._ports.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
        shop.relay()
    errors = [error for message, error, *_ in shop.storage.dead_letters() if message.topic == "notify"]
    assert errors
    assert all("<email>" in error and "ann@example.org" not in error and "Ann Lee" not in error for error in errors)
