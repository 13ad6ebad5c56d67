"""U19: a location "a@b" or a SKU "x@y" is refused with a typed error wherever it can come in.

A stock row is printed ``SKU@location``: with the sign in either part it could be read in two ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args, get_origin

import pytest
from attrs import evolve
from hypothesis import Phase, find, settings
from small_shop import content, small_shop

from orderflow import (
    AllocationSettings,
    InputError,
    MemoryStorage,
    OrderFlow,
    ReceiveGoods,
    Request,
    ShopSettings,
    standard_workflow,
)
from orderflow.domain.engine.bounds import Text, fields_of, is_record, parts_of
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.values import Location, Sku
from orderflow.testing.strategies import message

WORKFLOW = standard_workflow()
COMMANDS: list[Any] = [command for machine in WORKFLOW.machines.values() for command in machine.commands]
#: What fields are called that name an article or a place.
NAMES = {"sku", "location", "locations", "to", "waited_at"}
FIRST_FOUND = settings(max_examples=2_000, derandomize=True, database=None, phases=(Phase.generate,))


def places(kind: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of a class and of what it holds, by its path, with its annotation; items of tuples as ``[]``."""
    base, _ = parts_of(kind)
    if get_origin(base) is tuple:
        for item in get_args(base)[:1]:
            yield from places(item, f"{path}[]")
    elif is_record(base):
        for field in fields_of(base):
            inner = f"{path}.{field.name}" if path else field.name
            yield inner, field.kind
            yield from places(field.kind, inner)
    elif get_origin(base) is not None:
        for choice in get_args(base):
            yield from places(choice, path)


FOUND = [
    (command, path, kind)
    for command in COMMANDS
    for path, kind in places(command)
    if path.split(".")[-1].split("[")[0] in NAMES
]


def test_u19_no_field_that_names_a_place_or_an_article_is_forgotten() -> None:
    """Every field of every command that is called so is annotated so, and there are many."""
    wrong = [(command, path) for command, path, kind in FOUND if not {kind, *get_args(kind)} & {Sku, Location}]
    assert wrong == []
    assert {command.__name__ for command, _, _ in FOUND} >= {
        *("PlaceOrder", "OpenDraft", "EditDraft", "AllocateStock", "FillBackorder", "ReleaseStock", "PrepareShipment"),
        *("PlanShipment", "DropItems", "RecordShortPick", "ReceiveBack", "ReceiveReturn", "RecordBack"),
        *("PostReceipt", "PostAdjustment", "PostTransfer", "DraftCreditNote"),
    }


def spoilt(value: Any, steps: list[str]) -> Any:
    """The value with an @ at the place that the steps lead to."""
    if not steps:
        return "a@b"
    name, rest = steps[0], steps[1:]
    if name == "[]":
        return (spoilt(value[0], rest), *value[1:])
    inner = spoilt(getattr(value, name), rest)
    return value._replace(**{name: inner}) if hasattr(value, "_fields") else evolve(value, **{name: inner})


def holds(value: Any, steps: list[str]) -> bool:
    """Whether a value has the place that the steps lead to."""
    for at, name in enumerate(steps):
        if name == "[]":
            return bool(value) and holds(value[0], steps[at + 1 :])
        value = getattr(value, name)
        if value is None:
            return at == len(steps) - 1
    return True


@pytest.mark.parametrize("command, path, kind", FOUND, ids=lambda item: getattr(item, "__name__", str(item)))
def test_u19_every_command_refuses_an_at_in_a_name(command: Any, path: str, kind: Any) -> None:
    """The fault is named with its path, wherever in a command the name stands."""
    steps = path.replace("[]", ".[]").split(".")
    good = find(message(command), lambda drawn: holds(drawn, steps), settings=FIRST_FOUND)
    assert faults_of(good) == ()
    faults = [fault for fault in faults_of(spoilt(good, steps)) if fault.code == "bad_character"]
    assert [fault.path for fault in faults] == [path.replace("[]", "[0]")]


def test_u19_one_sign_is_refused_in_both() -> None:
    """SKU and location refuse the same sign."""
    for kind in (Sku, Location):
        bound: Text = parts_of(kind)[1]
        assert bound.without == "@"


DOORS: dict[str, Callable[[OrderFlow], Any]] = {
    "receive": lambda shop: shop.receive("A", content(sku="x@y")),
    "a stock row with an @ in its SKU": lambda shop: shop.handle("x@y@main", ReceiveGoods(1)),
    "a stock row with an @ in its location": lambda shop: shop.handle("TEA@a@b", ReceiveGoods(1)),
    "a stock row without a location": lambda shop: shop.handle("TEA", ReceiveGoods(1)),
    "a stock row without a SKU": lambda shop: shop.handle("@main", ReceiveGoods(1)),
    "explain": lambda shop: shop.explain("x@y@main", ReceiveGoods(1)),
    "level": lambda shop: shop.stock.level("x@y", "main"),
    "level at": lambda shop: shop.stock.level("TEA", "a@b"),
    "rebalance": lambda shop: shop.rebalance("x@y"),
    "rebalance at": lambda shop: shop.rebalance("TEA", "a@b"),
    "settings without a location": lambda shop: OrderFlow(
        MemoryStorage(), settings=ShopSettings(AllocationSettings(()))
    ),
    "settings": lambda shop: OrderFlow(MemoryStorage(), settings=ShopSettings(AllocationSettings(("a@b",)))),
}


@pytest.mark.parametrize("door", DOORS)
def test_u19_every_door_refuses_an_at_in_a_name(door: str) -> None:
    """Whatever a host calls with such a name is a typed error, and nothing is kept."""
    shop = small_shop()
    before = len([*shop.storage.entries(0, 100)])
    with pytest.raises(InputError) as caught:
        DOORS[door](shop)
    assert {fault.code for fault in caught.value.faults} <= {"bad_character", "bad_form", "bad_length"}
    assert len([*shop.storage.entries(0, 100)]) == before


def test_u19_in_a_group_it_hurts_no_other() -> None:
    """Its neighbour is taken."""
    shop = small_shop()
    bad, good = shop.handle_many([Request("x@y@main", ReceiveGoods(1)), Request("CUP@main", ReceiveGoods(1))])
    assert isinstance(bad, InputError)
    assert not isinstance(good, Exception)
    assert shop.stock.level("CUP").on_hand == 1
