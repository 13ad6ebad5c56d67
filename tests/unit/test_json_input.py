"""Reading what comes from outside: what is taken, what is refused, and how the faults are named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import frozen

from orderflow.adapters.codec import Codec
from orderflow.adapters.json_input import MAX_DEPTH, MAX_SIZE
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, Gate, Hold, HoldReason, OrderContent, OrderLine
from orderflow.domain.orders.holding import PlaceHold
from orderflow.domain.orders.placing import PlaceOrder
from orderflow.domain.orders.shipping import PrepareShipment
from orderflow.domain.values import PartyRef, Pick
from orderflow.domain.workflow.table import MACHINES
from orderflow.errors import InputError

AT = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
LINE = OrderLine.of(1, "TEA", 3, Price.of("2.55", "GBP"), TaxCategory.of("S", 20))
CONTENT = OrderContent("GBP", (LINE,), TaxPolicy(), bill_to=PartyRef("ACME", 1))
CODEC = Codec(MACHINES)

GOOD_LINE = {
    "line": 1,
    "sku": "TEA",
    "description": "",
    "quantity": 3,
    "price": "2.55 GBP",
    "net_minor": 765,
    "tax": "S 20",
}


@frozen
class Loose:
    """A value of a host's own."""

    value: object


def placing(**changes: Any) -> dict[str, Any]:
    """The data of a PlaceOrder with a good content whose only line has these changes."""
    return {"content": {"currency": "GBP", "tax": {}, "lines": [GOOD_LINE | changes]}}


def faults(name: str, data: Any) -> dict[str, str]:
    """Path and code of every fault of a command of the order."""
    with pytest.raises(InputError) as caught:
        CODEC.command("order", name, data)
    return {fault.path: fault.code for fault in caught.value.faults}


def test_a_command_is_read_from_text_and_from_a_mapping() -> None:
    """JSON text and what it holds give the same command."""
    expected = PrepareShipment("S1", (Pick(1, "TOKYO", 2),))
    assert CODEC.command("order", "PrepareShipment", '{"shipment":"S1","loads":[[1,"TOKYO",2]]}') == expected
    assert CODEC.command("order", "PrepareShipment", {"shipment": "S1", "loads": ((1, "TOKYO", 2),)}) == expected


def test_the_long_forms_are_taken_too() -> None:
    """A named tuple may come as an object, a price or a reference as the object of its fields."""
    long = placing(price={"amount": "2.55", "currency": "GBP"}, tax={"code": "S", "rate": "20"})
    long["content"]["bill_to"] = {"id": "ACME", "version": 1}
    assert CODEC.command("order", "PlaceOrder", long) == PlaceOrder(CONTENT)
    pick = {"line": 1, "location": "TOKYO", "quantity": 2}
    assert CODEC.command("order", "AllocateStock", {"picks": [pick]}) == AllocateStock((Pick(1, "TOKYO", 2),))


def test_a_time_of_another_zone_is_taken() -> None:
    """Any offset is read, and kept in UTC."""
    hold = {"reason": "manual", "gate": "ship", "until": "2026-03-31T18:30:00+09:00"}
    command = CODEC.command("order", "PlaceHold", {"hold": hold})
    assert command == PlaceHold(Hold(HoldReason.MANUAL, Gate.SHIP, until=AT))
    assert command.hold.until.tzinfo is UTC


def test_every_fault_is_named_at_once() -> None:
    """One error names every fault of a command with its path."""
    data = placing(quantity=True, sku="", price="2,55 GBP", colour="red")
    data |= {"holds": [{"reason": "boredom", "gate": "ship"}, 7], "urgent": True}
    del data["content"]["tax"]
    assert faults("PlaceOrder", data) == {
        "urgent": "unknown_field",
        "content.tax": "missing",
        "content.lines[0].colour": "unknown_field",
        "content.lines[0].quantity": "wrong_type",
        "content.lines[0].sku": "bad_length",
        "content.lines[0].price": "bad_form",
        "holds[0].reason": "not_a_choice",
        "holds[1]": "wrong_type",
    }


@pytest.mark.parametrize("quantity", [True, 3.0, "3", None, [3], {"value": 3}, 0, -1, 10**9 + 1, 10**19])
def test_a_quantity_is_an_integer_in_range(quantity: Any) -> None:
    """Nothing is coerced: a bool, a float or a text is no quantity, nor is a number out of range."""
    assert list(faults("PlaceOrder", placing(quantity=quantity))) == ["content.lines[0].quantity"]
    assert list(faults("PlaceOrder", json.dumps(placing(quantity=quantity)))) == ["content.lines[0].quantity"]


@pytest.mark.parametrize(
    "price",
    [2.55, 3, "2.55", "GBP 2.55", "2.55 gbp", "1e3 GBP", "NaN GBP", "2.55 GBP/0", "2.55 GBP ", "٣ GBP", None, [], {}],
)
def test_a_price_has_its_form(price: Any) -> None:
    """A price is a plain decimal and a currency, never a number of JSON."""
    assert all(path.startswith("content.lines[0].price") for path in faults("PlaceOrder", placing(price=price)))


def test_a_value_is_checked_beyond_its_form() -> None:
    """A currency nobody knows, a rate above 100 percent and impossible terms are faults of their own fields."""
    data = placing(price="1 XXX", tax="S 101")
    data["content"]["terms"] = {"cutoff_day": 32, "end_of_month": True, "due_day": 5, "business": "maybe"}
    data["content"]["bill_to"] = "\u200eACME@1"
    assert faults("PlaceOrder", data) == {
        "content.lines[0].price.currency": "unknown_currency",
        "content.lines[0].tax.rate": "out_of_range",
        "content.terms.cutoff_day": "out_of_range",
        "content.terms.business": "not_a_choice",
        "content.bill_to.id": "bad_character",
    }
    data["content"]["terms"] = {"end_of_month": True, "due_day": 5}
    assert faults("PlaceOrder", data)["content.terms.due_day"] == "conflict"


@pytest.mark.parametrize(
    "until",
    [
        "2026-03-31",
        "2026-03-31T09:30:00",
        "20260331T093000Z",
        "2026-02-30T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "2026-03-31T09:30:00+99:99",
        1774949400,
    ],
)
def test_a_time_is_complete_and_has_a_zone(until: Any) -> None:
    """Dates, naive times, impossible days and times past the calendar are refused."""
    assert faults("AllocateStock", {"until": until}) == {"until": "bad_form"}


def test_faults_between_fields_are_named() -> None:
    """What a class demands of its fields together is asked once they are right each for itself."""
    assert faults("PlaceOrder", placing(net_minor=764)) == {"content.lines[0].net_minor": "does_not_recompute"}


@pytest.mark.parametrize(
    "text, path, code",
    [
        ("", "", "bad_json"),
        ("{'reason': 1}", "", "bad_json"),
        ("[]", "", "wrong_type"),
        ("null", "", "wrong_type"),
        ('"{}"', "", "wrong_type"),
        ('{"reason":NaN}', "reason", "out_of_range"),
        ('{"reason":-Infinity}', "reason", "out_of_range"),
        ('{"reason":"a","reason":"b"}', "reason", "repeated"),
        ('{"units":[{"line":1,"line":1,"quantity":1}]}', "units[0].line", "repeated"),
        ('{"units":[[1,' + "9" * 5000 + "]]}", "units[0][1]", "out_of_range"),
        ('{"units":[[1,1e999]]}', "units[0].quantity", "wrong_type"),
        ('{"reason":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}", "reason" + "[0]" * (MAX_DEPTH - 1), "too_deep"),
        ("[" * 200_000, "", "too_deep"),
        ('{"reason":"' + "x" * MAX_SIZE + '"}', "", "too_large"),
        ('{"reason":"a\\u0000b"}', "reason", "bad_character"),
        ('{"reason":"\\ud800"}', "reason", "bad_character"),
        ('{"\\u202e":1}', "'\\u202e'", "unknown_field"),
        ('{"":1}', "''", "unknown_field"),
    ],
)
def test_hostile_text_is_refused_where_it_is(text: str, path: str, code: str) -> None:
    """What JSON libraries swallow (duplicate keys, NaN, numbers and nesting without end) is a fault with its path."""
    assert faults("CancelUnits", text)[path] == code


def test_a_field_of_any_type_holds_no_nan_either() -> None:
    """What is wrong in any class is refused even where a class of a host takes everything."""
    assert CODEC.read(Loose, '{"value":[1.5,{"a":null}]}') == Loose([1.5, {"a": None}])
    with pytest.raises(InputError, match=r"value\[1\].a: must not be NaN"):
        CODEC.read(Loose, '{"value":[1.5,{"a":NaN}]}')


def test_a_mapping_without_end_is_refused() -> None:
    """Data that contains itself is too deep, and if it branches, too large."""
    endless: dict[str, Any] = {}
    endless["reason"] = endless
    assert faults("CancelUnits", endless)["reason" + ".reason" * (MAX_DEPTH - 1)] == "too_deep"
    endless["units"] = [endless] * 10
    assert faults("CancelUnits", endless) == {"": "too_large"}


@pytest.mark.parametrize(
    "data", [{1: "x"}, {"reason": {1, 2}}, {"reason": object()}, {"reason": b"x"}, [], None, b"{}"]
)
def test_a_mapping_holds_what_json_can_hold(data: Any) -> None:
    """Keys and values that no JSON text gives are refused like any other."""
    assert faults("CancelUnits", data)


def test_an_array_has_a_length() -> None:
    """An array is refused by its length before its items are looked at."""
    assert faults("PrepareShipment", {"shipment": "S1", "loads": []}) == {"loads": "bad_length"}
    assert faults("PrepareShipment", {"shipment": "S1", "loads": [7] * 5001}) == {"loads": "bad_length"}
    assert faults("PrepareShipment", {"shipment": "S1", "loads": [[1, "TOKYO"]]}) == {"loads[0]": "bad_length"}
    assert faults("PrepareShipment", {"shipment": "S1", "loads": "S1"}) == {"loads": "wrong_type"}


def test_an_array_of_fixed_items_is_read() -> None:
    """Channel data is pairs of name and text."""
    data = placing()
    data["content"]["channel_data"] = [["gift", "yes"]]
    assert CODEC.command("order", "PlaceOrder", data).content.channel_data == (("gift", "yes"),)
    data["content"]["channel_data"] = [["gift", 1], ["gift"]]
    assert faults("PlaceOrder", data) == {
        "content.channel_data[0][1]": "wrong_type",
        "content.channel_data[1]": "bad_length",
    }


def test_a_part_of_a_command_is_read_strictly_too() -> None:
    """Content alone is read as it is inside its command."""
    assert CODEC.read(OrderContent, CODEC.encode(CONTENT)) == CONTENT
    with pytest.raises(InputError, match="currency: is required"):
        CODEC.read(OrderContent, "{}")


@pytest.mark.parametrize("kind, name", [("order", "Explode"), ("orders", "PlaceOrder"), ("order", "OrderPlaced")])
def test_an_unknown_command_is_refused(kind: str, name: str) -> None:
    """Only a command of the kind's machine is read."""
    with pytest.raises(InputError, match="there is no command"):
        CODEC.command(kind, name, "{}")


def test_commands_of_the_order_are_read_with_their_enums() -> None:
    """Enums come by value."""
    assert CODEC.command("order", "CancelUnits", {"reason": "late", "by": "customer"}) == CancelUnits(
        "late", CancelledBy.CUSTOMER
    )
