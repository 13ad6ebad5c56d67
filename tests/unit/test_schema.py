"""The edge of the domain: every fault of every field of every command is named with its path."""

from __future__ import annotations

import types
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import attrs
import pytest
from attrs import frozen
from hypothesis import Phase, find, settings

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.billing.account import SetCreditLimit
from orderflow.domain.engine.bounds import Between, FreeText, Id, Known, Length, Name, Quantity, Text, fields_of
from orderflow.domain.engine.limits import MAX_GROUP
from orderflow.domain.engine.record import Internal
from orderflow.domain.engine.schema import check, faults_of
from orderflow.domain.inventory.counting import Adjust
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.allocating import AllocateStock
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import (
    CancelledBy,
    Gate,
    Hold,
    HoldReason,
    LineKind,
    OrderContent,
    OrderLine,
    Policy,
)
from orderflow.domain.orders.placing import EditDraft, OpenDraft, PlaceOrder
from orderflow.domain.values import DeliveryWish, Gift, LineQuantity, PartyRef
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import Fault, InputError
from orderflow.shop import OrderFlow, Request
from orderflow.testing.strategies import message

ELSEWHERE = Policy(billed_elsewhere=True, shipped_elsewhere=True)

WORKFLOW = standard_workflow()
COMMANDS = [command for machine in WORKFLOW.machines.values() for command in machine.commands]
HOSTILE_TEXTS = ("nul\x00", "bell\x07", "del\x7f", "c1\x85", "half\ud800", "rtl\u202e", "isolate\u2066", "line\u2028")
NOT_NUMBERS = (True, 1.0, float("nan"), float("inf"), "1", b"1", Decimal(1), Decimal("NaN"), [1])
FIRST_FOUND = settings(max_examples=2_000, derandomize=True, database=None, phases=(Phase.generate,))
UNIVERSAL: tuple[Any, ...] = (object(), {}, [], 1j)

# -- hostile values for an annotation


def wrong_for(annotation: Any) -> tuple[Any, ...]:
    """Values that a field of this annotation must not hold."""
    if get_origin(annotation) is Annotated:
        return _beyond(get_args(annotation)[1], get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(value for value in wrong_for(get_args(annotation)[0]) if value is not None)
    if get_origin(annotation) is Literal:
        return (*UNIVERSAL, "neither", 1, None)
    if get_origin(annotation) is tuple:
        return (*UNIVERSAL, None, 1, (object(),))
    return (*UNIVERSAL, *_PLAIN.get(annotation, _other(annotation)), None)


def _beyond(bound: Any, base: Any) -> tuple[Any, ...]:
    if isinstance(bound, Known):
        return (*UNIVERSAL, 1, None, b"x", "", "nothing there is")
    if isinstance(bound, Between) and base is Decimal:
        return (*UNIVERSAL, *_PLAIN[Decimal], None, Decimal(bound.least - 1), Decimal(bound.most + 1))
    if isinstance(bound, Between):
        return (*UNIVERSAL, *NOT_NUMBERS, None, bound.least - 1, bound.most + 1, 10**30, -(10**30))
    if isinstance(bound, Text):
        return (
            *UNIVERSAL,
            1,
            None,
            b"x",
            "x" * (bound.most + 1),
            *HOSTILE_TEXTS,
            *(("", "  ") if bound.least else ()),
            *_holding(bound),
        )
    return (*UNIVERSAL, None, (object(),) * max(1, bound.least), *(((),) if bound.least else ()))


def _holding(bound: Text) -> tuple[str, ...]:
    return (f"a{bound.without}b",) if bound.without else ()


_PLAIN: dict[Any, tuple[Any, ...]] = {
    bool: (1, 0, "true"),
    int: (*NOT_NUMBERS, 10**30),
    str: (1, b"x", "x" * 3_000, *HOSTILE_TEXTS),
    Decimal: (1, 1.0, "1", Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1e40"), Decimal("1e-40")),
    date: (datetime(2026, 4, 1, tzinfo=UTC), "2026-04-01", 1),
    datetime: (datetime(2026, 4, 1), date(2026, 4, 1), "2026-04-01T00:00Z"),  # noqa: DTZ001 - naive on purpose
}


def _other(kind: Any) -> tuple[Any, ...]:
    return (*[member.value for member in kind], "nothing") if issubclass(kind, Enum) else ("text", 1, True)


# -- one bad value at every place of a message


def spoiled(value: Any, annotation: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every place in a valid value, with every hostile value put there."""
    if path:
        yield from ((path, bad) for bad in wrong_for(annotation))
    base = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if get_origin(base) in (Union, types.UnionType) and value is not None:
        base = next(choice for choice in get_args(base) if choice is not type(None))
        base = get_args(base)[0] if get_origin(base) is Annotated else base
    if get_origin(base) is tuple and value:
        for where, bad in spoiled(value[0], get_args(base)[0], f"{path}[0]"):
            yield where, (bad, *value[1:])
    elif attrs.has(type(value)) or hasattr(value, "_fields"):
        for name, hint, _ in fields_of(_class(value)):
            for where, bad in spoiled(getattr(value, name), hint, f"{path}.{name}" if path else name):
                yield where, _with(value, name, bad)


def _class(value: Any) -> Any:
    return type(value)


def _with(value: Any, name: str, bad: Any) -> Any:
    return value._replace(**{name: bad}) if hasattr(value, "_fields") else attrs.evolve(value, **{name: bad})


def full(value: Any) -> bool:
    """No tuple in a message is empty and no optional part left out, as far as its own fields go."""
    return all(getattr(value, name) not in ((), None) for name, *_ in fields_of(_class(value)))


FULL = OrderContent(
    "EUR",
    (
        attrs.evolve(
            OrderLine.of(1, "TEA", 2, Price.of("1.00", "EUR"), TaxCategory.of("S", 19)),
            ship_to=PartyRef("ann", 1),
            location="main",
        ),
    ),
    TaxPolicy(),
    bill_to=PartyRef("ann", 1),
    ship_to=PartyRef("ann", 1),
    requested=DeliveryWish(date(2026, 4, 1)),
    gift=Gift(),
    channel_data=(("key", "value"),),
    tags=("vip",),
    expected_total_minor=238,
    location="main",
)
#: Order contents have more parts than chance finds soon.
EXAMPLES: dict[type[Any], Any] = {
    PlaceOrder: PlaceOrder(FULL, (Hold(HoldReason.MANUAL, Gate.SHIP, until=datetime(2026, 4, 1, tzinfo=UTC)),)),
    OpenDraft: OpenDraft(FULL),
    EditDraft: EditDraft(FULL),
}


def example(command: type[Any]) -> Any:
    """A small valid command with all its parts."""
    return EXAMPLES.get(command) or find(message(command), full, settings=FIRST_FOUND)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{WORKFLOW.kind_of[command]}-{command.__name__}")
def test_every_fault_of_every_field_is_named(command: type[Any]) -> None:
    """A wrong type, a bound passed or a hostile character anywhere in a command is named with its path and refused."""
    good = example(command)
    assert faults_of(good) == ()
    shop = OrderFlow(MemoryStorage())
    before = shop.storage.entries(0, 1_000)
    bad = [*spoiled(good, command)]
    for path, spoilt in bad:
        assert any(fault.path in (path, f"{path}[0]") for fault in faults_of(spoilt)), path
    requests = [Request("row", spoilt, f"c{number}") for number, (_, spoilt) in enumerate(bad)]
    if issubclass(command, Internal):
        for request in (Request("row", good), *requests):
            with pytest.raises(InputError):
                shop.handle_many([request])
    else:
        groups = [requests[at : at + MAX_GROUP] for at in range(0, len(requests), MAX_GROUP)]
        assert all(isinstance(result, InputError) for group in groups for result in shop.handle_many(group))
    assert shop.storage.entries(0, 1_000) == before


def test_all_faults_are_named_at_once() -> None:
    """Two bad fields give two faults."""
    faults = faults_of(ReceiveGoods(-1, True, "a\x00"))
    assert [fault.path for fault in faults] == ["quantity", "expected", "document"]
    assert [fault.code for fault in faults] == ["out_of_range", "wrong_type", "bad_character"]


def line(number: int = 1, currency: str = "EUR", **changes: Any) -> OrderLine:
    """A valid line, with changes."""
    made = OrderLine.of(number, "TEA", 2, Price.of("1.00", currency), TaxCategory.of("S", 19))
    return attrs.evolve(made, **changes)


def faulty(*lines: OrderLine, **changes: Any) -> set[tuple[str, str]]:
    """Path and code of every fault of an order of these lines."""
    content = attrs.evolve(OrderContent("EUR", lines, TaxPolicy()), **changes)
    return {(fault.path, fault.code) for fault in faults_of(PlaceOrder(content))}


def test_a_content_has_one_currency() -> None:
    """A line in another currency than its content is named."""
    assert faulty(line(), line(2, "GBP")) == {("content.lines[1].price", "currency_mismatch")}


def test_each_line_has_a_number_of_its_own() -> None:
    """Line numbers need no order and may have gaps; the one that stands first is told where it is taken again."""
    assert not faulty(line(7), line(1))
    assert faulty(line(2), line(1), line(2)) == {("content.lines[0].line", "repeated")}


def test_an_amount_follows_from_its_price() -> None:
    """A line's amount is its price times its quantity, less its discount."""
    assert faulty(line(net_minor=199)) == {("content.lines[0].net_minor", "does_not_recompute")}
    assert not faulty(line(net_minor=150, discount_minor=50))


def test_only_an_allowance_has_a_negative_price() -> None:
    """Goods do not cost less than nothing; an allowance does."""
    less: dict[str, Any] = {"price": Price(Decimal(-1), "EUR"), "net_minor": -200}
    assert faulty(line(**less)) == {("content.lines[0].price.amount", "out_of_range")}
    assert not faulty(line(kind=LineKind.ALLOWANCE, **less))


def test_values_without_bounds_in_their_annotations_are_checked_all_the_same() -> None:
    """Unknown currencies, a base of 0 units, rates beyond 100 percent: each named where it stands."""
    assert {path for path, _ in faulty(line(price=Price(Decimal(1), "ZZZ")))} == {"content.lines[0].price.currency"}
    assert {path for path, _ in faulty(line(price=Price(Decimal(1), "EUR", 0)))} == {"content.lines[0].price.per"}
    assert {path for path, _ in faulty(line(tax=TaxCategory("S", Decimal(101))))} == {"content.lines[0].tax.rate"}
    assert {fault.path for fault in faults_of(SetCreditLimit(Money(1, "ZZZ")))} == {"limit.currency"}


def test_a_sum_beyond_the_limit_is_refused_and_hurts_no_other() -> None:
    """An order whose total no amount can hold is bad input; its neighbours in the group are taken."""
    dear = line(quantity=10**9, price=Price(Decimal("9999.99"), "EUR"), net_minor=999_999_000_000_000)
    huge = OrderContent("EUR", (dear, attrs.evolve(dear, line=2)), TaxPolicy(), policy=ELSEWHERE)
    shop = OrderFlow(MemoryStorage())
    first, second = shop.handle_many(
        [
            Request("a", PlaceOrder(huge)),
            Request("b", PlaceOrder(OrderContent("EUR", (line(),), TaxPolicy(), policy=ELSEWHERE))),
        ]
    )
    assert isinstance(first, InputError)
    assert not isinstance(second, Exception)
    assert [entry.key.id for entry in shop.storage.entries(0, 10)] == ["b"]


def test_check_raises_every_fault() -> None:
    """``check`` is ``faults_of`` for those who prefer an exception."""
    check(Adjust(1))
    with pytest.raises(InputError) as caught:
        check(CancelUnits(1, CancelledBy.CUSTOMER, (LineQuantity(0, 1),)))  # type: ignore[arg-type]
    assert [fault.path for fault in caught.value.faults] == ["reason", "units[0].line"]


# -- annotations of a host's own


class Pair(NamedTuple):
    """A named tuple in a message."""

    left: Quantity
    right: Id


@frozen
class Small:
    """One kind of part."""

    size: Quantity


@frozen
class Large:
    """Another kind of part."""

    name: Id

    def faults(self) -> Iterator[Fault]:
        """A large part is not called small."""
        if self.name == "small":
            yield Fault("name", "misnamed", "is large")


@frozen
class Own:
    """A message with every kind of annotation."""

    part: Small | Large
    spot: tuple[int, Name] = (1, "")
    mood: Literal["good", "bad"] = "good"
    pairs: Annotated[tuple[Pair, ...], Length(0, 2)] = ()
    note: FreeText = ""


def own(**changes: Any) -> list[tuple[str, str]]:
    """Path and code of the faults of an own message."""
    given: dict[str, Any] = {"part": Small(1), **changes}
    return [(fault.path, fault.code) for fault in faults_of(Own(**given))]


def test_a_union_is_checked_by_the_class_that_is_there() -> None:
    """Of several classes the one given is checked, its own faults too; any other is named."""
    assert own(part=Large("x")) == []
    assert own(part=Large("small")) == [("part.name", "misnamed")]
    assert own(part=Small(0)) == [("part.size", "out_of_range")]
    assert own(part="x") == [("part", "wrong_type")]


def test_a_tuple_of_fixed_length_is_checked_place_by_place() -> None:
    """A fixed tuple has its length, and each place its own bound."""
    assert own(spot=(1,)) == [("spot", "bad_length")]
    assert own(spot=[1, ""]) == [("spot", "wrong_type")]
    assert own(spot=("1", 1)) == [("spot[0]", "wrong_type"), ("spot[1]", "wrong_type")]


def test_a_choice_takes_its_words_only() -> None:
    """A literal takes one of its values, of their type."""
    assert own(mood="bad") == []
    assert own(mood="ugly") == own(mood=True) == [("mood", "not_a_choice")]


def test_items_are_counted_and_numbered() -> None:
    """A tuple keeps its bounds, and a fault in it says at which item."""
    assert own(pairs=(Pair(1, "a"),) * 3) == [("pairs", "bad_length")]
    assert own(pairs=(Pair(1, "a"), Pair(0, ""))) == [
        ("pairs[1].left", "out_of_range"),
        ("pairs[1].right", "bad_length"),
    ]


def test_line_breaks_stand_in_free_text_only() -> None:
    """Newline and tab are text in a note, and control characters in a name; other controls are refused in both."""
    assert own(note="two\nlines\tand a tab") == []
    assert own(note="bell\x07") == [("note", "bad_character")]
    assert own(spot=(1, "two\nlines")) == [("spot[1]", "bad_character")]


def test_uncommon_letters_are_welcome() -> None:
    """What is not printable to Python, such as a joiner in an emoji, is no control character."""
    assert own(note="👩\u200d🚀 \u3000注文") == []


def test_allocations_may_be_empty() -> None:
    """An optional tuple and an optional time may be left out."""
    assert faults_of(AllocateStock()) == ()
