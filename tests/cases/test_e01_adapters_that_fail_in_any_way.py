"""E01: whatever a carrier raises or answers, it is the failure of that one effect."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from small_shop import packed, small_shop

from orderflow import CommandMismatch, ConcurrencyConflict, InputError, Key, MemoryCarrier, MemoryNotifier, NotFound
from orderflow.errors import OrderFlowError
from orderflow.ports.carrier import Label, LabelRequest
from orderflow.ports.notifier import Notice

BAD = "o-1/1"


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


ODD: dict[str, Any] = {
    "not_found": NotFound(Key("default", "order", "x")),
    "input_error": InputError.at("x", "y", "z"),
    "conflict": ConcurrencyConflict(None),
    "mismatch": CommandMismatch("x"),
    "key_error": KeyError("x"),
    "assertion": AssertionError("x"),
    "lone_surrogate": ValueError("\ud800 \x00 broken"),
    "ten_megabytes": ValueError("x" * 10_000_000),
    "none": None,
    "text": "T-1",
    "price_as_text": label(price="5.00"),
    "number_as_tracking": label(tracking_number=7),
    "surrogate_in_label": label(tracking_number="T\ud800"),
    "data_as_bytes": label(data=b"x"),
}


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


class BadPost(MemoryNotifier):
    """Says why it could not send, with all it knows."""

    def send(self, notice: Notice) -> None:
        raise OrderFlowError(f"cannot send to {notice.to}: {notice!r}")


def test_e01_an_error_text_holds_no_value_of_the_vault() -> None:
    """An adapter may put the address into its error; what is stored names the field instead."""
    from small_shop import content

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
