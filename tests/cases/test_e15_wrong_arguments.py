"""E15: wrong types and absurd values in every argument of every public call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from small_shop import content, packed, small_shop

from orderflow import ConfirmOrder, InputError, MemoryStorage, OrderFlow, OrderFlowError, Person, Request, SqliteStorage
from orderflow.domain.orders.shipping import TakeOutShort
from orderflow.domain.orders.state import Placed

WRONG: tuple[Any, ...] = (
    None, 0, -1, 5, 2**70, 1.5, True, "", "5", "x\ud800", "a\x00b", "x" * 10_000_000, b"x", [], (), {}, {"a": "b"},
    ["x"], [None], ("x" * 1000,) * 1000, [["x"]], object(), type, len,
    datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-14))),
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), datetime(2026, 1, 1),  # noqa: DTZ001
    Placed, ConfirmOrder, ConfirmOrder(), Person(), Request("o-1", ConfirmOrder()), [Request("o-1", ConfirmOrder())],
    [Request(1, 2)], Request(None, None, None, 3, 4, 5),  # type: ignore[arg-type]
)  # fmt: skip

#: What makes each call work, so that one argument at a time can be wrong.
RIGHT: dict[str, Callable[[], dict[str, Any]]] = {
    "handle": lambda: {"id": "o-1", "command": ConfirmOrder()},
    "handle_many": lambda: {"requests": [Request("o-1", ConfirmOrder())]},
    "receive": lambda: {"id": "o-9", "content": content()},
    "record_party": lambda: {"id": "bob", "person": Person(name="Bob")},
    "plan_shipments": lambda: {"order": "o-1"},
    "advance": lambda: {"order": "o-1"},
    "rebalance": lambda: {"sku": "TEA"},
    "explain": lambda: {"id": "o-1", "command": ConfirmOrder()},
    "worklist": lambda: {"name": "to_ship"},
    "balance": lambda: {"customer": "ann", "currency": "GBP"},
    "rows": lambda: {"kind": "order"},
    "key": lambda: {"kind": "order", "id": "o-1"},
    "read": lambda: {"keys": []},
    "get": lambda: {"id": "o-1"},
    "history": lambda: {"id": "o-1"},
    "sums": lambda: {"columns": ("*",)},
    "level": lambda: {"sku": "TEA"},
}
#: A key is a value, checked where it is used; a flow of the caller raises what it likes.
UNCHECKED = {"key", "run"}


def calls(shop: OrderFlow) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public method, with its name."""
    for owner in (shop, shop.orders, shop.stock):
        for name, method in inspect.getmembers(owner, inspect.ismethod):
            if not name.startswith("_") and name not in UNCHECKED:
                yield name, method


def outcome(call: Callable[..., Any], arguments: dict[str, Any]) -> str:
    """What a call did: worked, or which of our errors it raised. Anything else comes through."""
    positional = [arguments.pop("orders")] if "orders" in arguments else []
    try:
        result = call(*positional, **arguments)
        if inspect.isgenerator(result):
            list(result)
    except OrderFlowError as error:
        return type(error).__name__
    return "worked"


def test_e15_every_argument_of_every_call_raises_typed_errors_only(storage: MemoryStorage | SqliteStorage) -> None:
    """Each argument takes each absurd value in turn: the call works or raises an error of ours, and the shop lives."""
    shop = small_shop(storage)
    packed(shop, "o-1")
    refused = 0
    for name, call in calls(shop):
        for parameter in inspect.signature(call).parameters:
            for wrong in WRONG:
                arguments = {**RIGHT.get(name, dict)(), parameter: wrong}
                try:
                    refused += outcome(call, arguments) != "worked"
                except Exception as error:
                    raise AssertionError(f"{name}({parameter}={wrong!r:.60}): {error!r:.300}") from error
    assert refused > 1000
    assert type(shop.orders.get("o-1")).__name__ == "Preparing"


@pytest.mark.parametrize(
    "wrong, path",
    [
        (lambda shop: shop.worklist("to_ship", limit="5"), "limit"),
        (lambda shop: shop.orders.find(status="Placed"), "status"),
        (lambda shop: shop.orders.find(status=("Plaecd",)), "status"),
        (lambda shop: shop.orders.find(where=[("customer", "ann")]), "where"),
        (lambda shop: shop.orders.find(where={"customer": 1.5}), "where[0][1]"),
        (lambda shop: shop.orders.find(cursor=2**70), "cursor"),
        (lambda shop: shop.orders.find(since=datetime(1, 1, 1, tzinfo=UTC)), "since"),
        (lambda shop: shop.orders.find(until=datetime(9999, 1, 1, tzinfo=UTC)), "until"),
        (lambda shop: shop.orders.sums(("x" * 1_000_000,)), "columns[0]"),
        (lambda shop: shop.receive("o-2", content(), holds=None), "holds"),
        (lambda shop: shop.receive("o-2", None), "content"),
        (lambda shop: shop.handle("o-1", Placed), "command"),
        (lambda shop: shop.handle("o-1", TakeOutShort("o-1/1", ())), "command"),
        (lambda shop: shop.handle("o-1", ConfirmOrder(), at=datetime(2026, 1, 1)), "at"),  # noqa: DTZ001
        (lambda shop: shop.handle_many([Request("o-1", ConfirmOrder()), None]), "requests[1]"),
        (lambda shop: shop.advance("o-1", by=b"me"), "by"),
        (lambda shop: shop.rows("oder"), "kind"),
    ],
)
def test_e15_the_error_names_the_argument_and_what_is_right(wrong: Callable[[OrderFlow], Any], path: str) -> None:
    """One fault, at the argument's own path, with a sentence of what it must be."""
    shop = small_shop()
    packed(shop, "o-1")
    with pytest.raises(InputError) as raised:
        wrong(shop)
    assert raised.value.faults[0].path == path
    assert len(str(raised.value)) < 500
