"""Orders, parties and goods come in."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import pytest
from tea_shop import ANN, VAT, Shop, content

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.payments.memory import MemoryProvider
from orderflow.adapters.storage.memory import MemoryStorage, MemoryUnit
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.engine.limits import MAX_NAME
from orderflow.domain.inventory.documents import PostAdjustment, PostReceipt, PostTransfer, SkuChange, SkuQuantity
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.orders.annotating import AnnotateOrder
from orderflow.domain.orders.content import Gate, Hold, HoldReason, OrderLine, Policy
from orderflow.domain.orders.holding import PlaceHold, ReleaseHold
from orderflow.domain.orders.placing import ConfirmOrder, DiscardDraft, EditDraft, OpenDraft, PlaceOrder
from orderflow.domain.parties.party import ErasePartyVersion, Person
from orderflow.domain.payments.applying import ApplyPayment
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.payments.state import ApplicationTarget, PaymentSource
from orderflow.domain.shipping.leaving import HandOver
from orderflow.domain.values import PartyRef
from orderflow.errors import CommandMismatch, CommandRefused, InputError, Key
from orderflow.flows.receive import Changed, Created, Received, Unchanged
from orderflow.shop import OrderFlow


def test_a_draft_is_edited_held_placed_or_thrown_away() -> None:
    """A draft holds nothing but its content and holds; placed without content it takes its own."""
    hold = PlaceHold(Hold(HoldReason.MANUAL, Gate.CONFIRM))
    shop = Shop().tell("O", OpenDraft(content(1)), hold, EditDraft(content(2)), PlaceOrder())
    assert shop.lines[0].open == 2
    assert shop.refusal("O", ConfirmOrder()) == ("on_hold",)
    shop.tell("D", OpenDraft(content(1)), hold, ReleaseHold(HoldReason.MANUAL, Gate.CONFIRM), DiscardDraft())
    assert type(shop.orders.get("D")).__name__ == "Cancelled"
    assert shop.refusal("N", PlaceOrder()) == ("no_content",)


def test_an_order_names_a_time_zone_there_is() -> None:
    """A policy's zone is one that is known, so that documents can be dated."""
    shop = Shop().placed(1, timezone="Asia/Tokyo")
    for zone in ("No/Where", "", "../x"):
        with pytest.raises(InputError) as caught:
            shop.handle("P", PlaceOrder(content(1, policy=Policy(timezone=zone))))
        assert [(fault.path, fault.code) for fault in caught.value.faults] == [
            ("content.policy.timezone", "unknown_timezone")
        ]


def test_the_total_a_channel_claims_is_recomputed() -> None:
    """A claimed total that is not the lines' is refused; the right one is taken."""
    shop = Shop()
    assert shop.refusal("O", PlaceOrder(content(1, expected_total_minor=1_000))) == ("total_differs",)
    shop.tell("O", PlaceOrder(content(1, expected_total_minor=1_190)))


class Queued(MemoryStorage):
    """Somebody acts while another waits for the transaction; nothing is read outside one."""

    rival: Callable[[], object] | None = None
    units = 0

    @contextmanager
    def unit(self) -> Generator[MemoryUnit]:
        """Let the rival go first, once."""
        rival, self.rival = self.rival, None
        if rival:
            rival()
        self.units += 1
        with super().unit() as unit:
            yield unit


@pytest.mark.parametrize("order", ["O", "P"])
@pytest.mark.parametrize("quantity", [1, 2])
def test_a_document_is_looked_up_and_placed_in_one_transaction(order: str, quantity: int) -> None:
    """Whoever gets the lock second, under the same id or another, is told that the document is known, or has changed.

    Nobody sees it as new and is refused.
    """
    storage = Queued()
    shop = Shop(storage=storage)
    storage.rival = lambda: shop.receive("O", content(1, channel="web", external_id="7"))
    storage.units = 0
    received = shop.receive(order, content(quantity, channel="web", external_id="7"))
    assert isinstance(received, Unchanged if quantity == 1 else Changed)
    assert received.key.id == "O"
    assert storage.units == 2
    assert [row.key.id for row in shop.orders.find()] == ["O"]


def test_one_document_taken_in_by_many_at_once_becomes_one_order(storage: MemoryStorage | SqliteStorage) -> None:
    """Eight receivers, each with an id of its own: one creates the order, to seven it is known."""
    shop = Shop(storage=storage)
    document = content(1, channel="web", external_id="7")
    ready = Barrier(8)

    def receive(number: int) -> Received:
        ready.wait()
        return shop.receive(f"O-{number}", document)

    with ThreadPoolExecutor(8) as pool:
        received = [*pool.map(receive, range(8))]
    [row] = shop.orders.find()
    assert {result.key for result in received} == {row.key}
    assert sorted(type(result).__name__ for result in received) == ["Created"] + ["Unchanged"] * 7


def test_an_order_is_taken_in_once() -> None:
    """The same document again is Unchanged; other content holds the order and overwrites nothing.

    Without an id of its channel a document is new each time.
    """
    shop, web = Shop(), {"channel": "web", "external_id": "7"}
    assert isinstance(shop.receive("O", content(1, **web)), Created)
    assert isinstance(shop.receive("P", content(1, **web)), Unchanged)
    changed = shop.receive("P", content(2, **web))
    assert isinstance(changed, Changed)
    assert changed.key.id == "O"
    assert [name for name, _, _ in changed.differences] == ["lines"]
    assert shop.progress().holds == (Hold(HoldReason.CHANNEL_CHANGED, Gate.PREPARE),)
    assert isinstance(shop.receive("P", content(2, **web)), Changed)
    assert isinstance(shop.receive("Q", content(1)), Created)
    assert isinstance(shop.receive("P", content(1)), Created)
    with pytest.raises(CommandRefused):
        shop.receive("O", content(1, channel="web", external_id="8"))
    with pytest.raises(InputError):
        shop.receive("R", content(1, currency="ZZZ"))


@pytest.mark.parametrize("given, absent", [("channel", "external_id"), ("external_id", "channel")])
def test_a_document_is_named_by_its_channel_and_its_id_there(given: str, absent: str) -> None:
    """One without the other would be taken in again and again, so it is a fault."""
    with pytest.raises(InputError) as caught:
        Shop().receive("O", content(1, **{given: "web"}))
    assert [(fault.path, fault.code) for fault in caught.value.faults] == [(f"content.{absent}", "missing")]


def test_what_is_not_there_is_named() -> None:
    """The row, not the command that another row would have been told."""
    shop = Shop().placed(1)
    shop.tell("bank/1", RecordPayment(PaymentSource("bank", "1", "ann"), Money(100, "EUR")))
    [refusal] = shop.explain("bank/1", ApplyPayment(ApplicationTarget.INVOICE, "000001", Money(100, "EUR")))
    assert (refusal.message, refusal["id"]) == ("there is no invoice '000001'", "000001")
    with pytest.raises(CommandRefused, match="there is no shipment 'O'"):
        shop.handle("O", HandOver())


def test_a_line_of_no_number_of_units_is_a_fault() -> None:
    """And a price of a float, with what it should be."""
    with pytest.raises(InputError, match="quantity: must be "):
        OrderLine.of(1, "TEA", "3", Price.of("2.55", "EUR"), VAT)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a float is not exact"):
        Price.of(2.55, "EUR")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wired, message",
    [
        ({"storage": "shop.db"}, r"storage: must be a storage, such as SqliteStorage\('shop.db'\)"),
        ({"storage": MemoryStorage}, r"storage: must be an object: MemoryStorage\(\)"),
        ({"carriers": MemoryCarrier()}, "carriers: must be a list"),
        ({"carriers": [MemoryCarrier]}, r"carriers\[0\]: must be an object: MemoryCarrier\(\)"),
        ({"providers": MemoryProvider("card")}, "providers: must be a list"),
        ({"notifier": MemoryNotifier}, r"notifier: must be an object: MemoryNotifier\(\)"),
    ],
)
def test_what_a_shop_is_wired_with_is_checked_at_once(wired: dict[str, Any], message: str) -> None:
    """Not when the first label is bought."""
    with pytest.raises(InputError, match=message):
        OrderFlow(**{"storage": MemoryStorage(), **wired})


def test_an_order_without_a_channel_is_taken_in_once_by_its_own_id() -> None:
    """The same again changes nothing, however far the order has come; other content under its id is refused."""
    shop = Shop().stocked(main=1)
    assert isinstance(shop.receive("O", content(1)), Created)
    shop.advance("O")
    before = shop.storage.entries(0, 1_000)
    assert shop.receive("O", content(1)) == Unchanged(Key("main", "order", "O"))
    with pytest.raises(CommandRefused) as refused:
        shop.receive("O", content(2))
    assert refused.value.codes == ("not_now",)
    assert shop.storage.entries(0, 1_000) == before
    with pytest.raises(CommandRefused, match="total_differs"):
        shop.receive("N", content(1, expected_total_minor=1))


def test_an_annotation_adds_and_removes() -> None:
    """Tags are added once and removed, notes are kept in order."""
    shop = Shop().placed(1).tell("O", AnnotateOrder("first", ("a", "b", "a")), AnnotateOrder(remove=("a",)))
    assert (shop.progress().tags, shop.progress().notes) == (("b",), ("first",))


def test_a_party_version_is_recorded_once() -> None:
    """The same person again is the same version, another one the next; a version is never other data, nor erased."""
    shop = Shop()
    assert shop.record_party("ann", Person("Ann", email="ann@example.org")) == ANN
    with pytest.raises(CommandMismatch):
        shop.record_party("ann", Person("Anne"), version=1)
    assert shop.record_party("ann", Person("Anne")) == PartyRef("ann", 2)
    assert shop.record_party("ann", Person("Anne")) == PartyRef("ann", 2)
    shop.tell("ann@2", ErasePartyVersion())
    with pytest.raises(CommandMismatch):
        shop.record_party("ann", Person("Anne"), version=2)
    assert shop.record_party("ann", Person("Anne")) == PartyRef("ann", 3)
    with pytest.raises(InputError):
        shop.record_party("ann", Person("Anne"), version=-1)


def test_a_changed_document_under_a_bad_id_is_bad_input() -> None:
    """The hold that a changed document places is a command like any other."""
    shop, web = Shop(), {"channel": "web", "external_id": "7"}
    shop.receive("O", content(1, **web))
    with pytest.raises(InputError):
        shop.receive("O", content(2, **web), command_id="\n")


def test_stock_documents_move_many_skus() -> None:
    """A receipt, an adjustment and a transfer each move stock of many SKUs in one document."""
    shop = Shop()
    shop.tell(
        "r", PostReceipt((SkuQuantity("TEA", "main", 2), SkuQuantity("TEA", "main", 1), SkuQuantity("CUP", "main", 1)))
    )
    shop.tell("a", PostAdjustment((SkuChange("TEA", "main", -1, "broken"),), reason="count", memo=2))
    shop.tell("t", PostTransfer((SkuQuantity("TEA", "main", 1),), "shop"))
    assert shop.refusal("u", PostTransfer((SkuQuantity("TEA", "main", 1),), "main")) == ("same_location",)
    assert (
        shop.stock.level("TEA").on_hand,
        shop.stock.level("TEA", "shop").on_hand,
        shop.stock.level("CUP").on_hand,
    ) == (1, 1, 1)
    assert shop.rows("stock_document").get("a").lines == 3


def test_stock_is_named_with_its_location() -> None:
    """A stock row without a location would never be found again, so it is not made."""
    with pytest.raises(InputError) as told:
        Shop().handle("TEA", ReceiveGoods(1))
    assert [str(fault) for fault in told.value.faults] == [
        "key.id: a stock row is named SKU@location, such as TEA@main"
    ]


@pytest.mark.parametrize("channel", ["/" * MAX_NAME, "%" * MAX_NAME, "x" * MAX_NAME])
def test_the_intake_of_every_channel_can_be_read(channel: str) -> None:
    """A channel's name may be written in three times its length; its intake row is found all the same."""
    shop, wanted = Shop(), content(1, channel=channel, external_id="y" * MAX_NAME)
    shop.receive("O", wanted)
    assert shop.receive("P", wanted) == Unchanged(shop.key("order", "O"))
    [row] = shop.rows("intake").find()
    assert shop.rows("intake").get(row.key.id) == row.state
    assert [entry.version for entry in shop.rows("intake").history(row.key.id)] == [1]
