"""The law that nothing is in limbo bites: what a forgotten line of attention leaves behind is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from goods_shop import ARRIVED, GO, LOST, NOON, PACK, REFUSED, SCAN, GoodsShop, item

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.inventory.counting import Quarantine, ReleaseQuarantine
from orderflow.domain.inventory.reordering import SetReorderLevels
from orderflow.domain.inventory.stock import ExpectGoods
from orderflow.domain.money.money import Money
from orderflow.domain.orders.billing import BillUnits
from orderflow.domain.orders.content import CompleteOn, Gate, Hold, HoldReason, PayBefore
from orderflow.domain.orders.holding import PlaceHold, ReleaseHold
from orderflow.domain.orders.placing import OpenDraft
from orderflow.domain.payments.collecting import ExpectPayment, RecordPayment
from orderflow.domain.payments.state import PaymentSource
from orderflow.domain.returns import requesting as rq
from orderflow.domain.returns.inspecting import InspectedUnits, InspectReturn
from orderflow.domain.returns.receiving import ReceiveReturn, ReturnedUnits
from orderflow.domain.shipping.labelling import VoidLabel
from orderflow.domain.shipping.planning import PlanShipment, RecordShortPick, VoidShipment
from orderflow.domain.shipping.returning import ReceiveBack
from orderflow.domain.shipping.state import Plan
from orderflow.domain.values import InspectionOutcome, LineQuantity
from orderflow.domain.workflow import attention as at
from orderflow.domain.workflow.limbo import LIMBO_LAWS
from orderflow.errors import InvariantBroken

Story: TypeAlias = Callable[[GoodsShop], object]


def held(gate: Gate) -> PlaceHold:
    """A hold at a gate."""
    return PlaceHold(Hold(HoldReason.MANUAL, gate))


def freed(gate: Gate) -> ReleaseHold:
    """No hold any more."""
    return ReleaseHold(HoldReason.MANUAL, gate)


def draft(shop: GoodsShop) -> None:
    """Begun, and not placed."""
    place, _ = shop.order(2)
    assert place.content is not None
    shop.tell("O", OpenDraft(place.content))


def placed(shop: GoodsShop) -> None:
    """To be confirmed."""
    shop.tell("O", shop.order(2)[0])


def held_at_confirm(shop: GoodsShop) -> None:
    """Held, and not confirmed."""
    shop.tell("O", shop.order(2)[0], held(Gate.CONFIRM))


def confirmed(shop: GoodsShop) -> None:
    """To be allocated."""
    shop.tell("O", *shop.order(2))


def held_at_allocate(shop: GoodsShop) -> None:
    """Held, and not allocated."""
    confirmed(shop)
    shop.tell("O", held(Gate.ALLOCATE))


def backordered(shop: GoodsShop) -> None:
    """Waits for more than there is."""
    shop.allocated(12)
    shop.planned("S", item(10))


def waiting(shop: GoodsShop) -> None:
    """Nothing is there."""
    shop.allocated(10, order="O2").allocated(2)


def allocated(shop: GoodsShop) -> None:
    """To be prepared."""
    shop.allocated(2)


def held_at_prepare(shop: GoodsShop) -> None:
    """Held, and not prepared."""
    shop.allocated(2).tell("O", held(Gate.PREPARE))


def unpaid(shop: GoodsShop) -> None:
    """Waits for money."""
    shop.tell("O", shop.order(2, pay_before=PayBefore.CONFIRM)[0])


def planned(shop: GoodsShop) -> None:
    """In a parcel that is to be packed."""
    shop.allocated(2).planned("S", item(2))


def packed(shop: GoodsShop) -> None:
    """In a parcel that is to leave."""
    planned(shop)
    shop.tell("S", PACK)


def labelless(shop: GoodsShop) -> None:
    """Packed, its label wanted; then given back."""
    shop.allocated(2).tell("S", PlanShipment((item(2),), Plan(carrier="memory")), PACK).relay()
    shop.tell("S", VoidLabel())


def sent(shop: GoodsShop) -> None:
    """On its way, and billed."""
    packed(shop)
    shop.tell("S", GO).tell("O", BillUnits("I", "invoice"))


def arrived(shop: GoodsShop) -> None:
    """Delivered, billed, and to be completed."""
    sent(shop)
    shop.tell("S", ARRIVED)


def held_at_complete(shop: GoodsShop) -> None:
    """Held at the end."""
    arrived(shop)
    shop.tell("O", held(Gate.COMPLETE))


def to_be_paid(shop: GoodsShop) -> None:
    """Delivered and billed, and to be paid before it is completed."""
    shop.allocated(2, complete_on=CompleteOn.PAID).sent("S", item(2)).tell("S", ARRIVED)
    shop.tell("O", BillUnits("I", "invoice"))


def to_be_billed(shop: GoodsShop) -> None:
    """Delivered, and not billed."""
    shop.allocated(2).sent("S", item(2)).tell("S", ARRIVED)


def to_be_credited(shop: GoodsShop) -> None:
    """Completed, and then it came back."""
    arrived(shop)
    shop.advance("O")
    assert shop.status() == "Completed"
    shop.tell("S", ReceiveBack("main"))


def refused(shop: GoodsShop) -> None:
    """Said to be coming back."""
    arrived(shop)
    shop.tell("S", REFUSED)


def lost(shop: GoodsShop) -> None:
    """Missing."""
    sent(shop)
    shop.tell("S", LOST)


def voided_and_scanned(shop: GoodsShop) -> None:
    """Given up, and seen by its carrier."""
    packed(shop)
    shop.tell("S", VoidShipment(), SCAN)


def supposed(shop: GoodsShop) -> None:
    """Back, perhaps of another parcel."""
    sent(shop)
    shop.tell("S", ReceiveBack("main", supposed=True))


def short(shop: GoodsShop) -> None:
    """Not found where the picker looked."""
    planned(shop)
    shop.tell("S", RecordShortPick((item(1),)))


def set_aside(shop: GoodsShop) -> None:
    """In quarantine."""
    shop.tell("TEA@main", Quarantine(1))


def announced(shop: GoodsShop) -> None:
    """To come, nobody knows when."""
    shop.tell("TEA@main", ExpectGoods(1))


def late(shop: GoodsShop) -> None:
    """To come by a day."""
    shop.tell("TEA@main", ExpectGoods(1, expected_by=NOON + timedelta(days=1)))


def few(shop: GoodsShop) -> None:
    """At its reorder point."""
    shop.tell("TEA@main", SetReorderLevels(10, 20))


def not_served(shop: GoodsShop) -> None:
    """Who waits is held, and something is there again."""
    shop.tell("TEA@main", Quarantine(10)).allocated(2).tell("O", held(Gate.ALLOCATE))
    shop.tell("TEA@main", ReleaseQuarantine(10))


def asked_to_return(shop: GoodsShop) -> None:
    """A wish that nobody has decided on."""
    arrived(shop)
    shop.tell("R", rq.RequestReturn("O", (LineQuantity(1, 1),)))


def authorised(shop: GoodsShop) -> None:
    """To be sent by a day."""
    asked_to_return(shop)
    shop.tell("R", rq.AuthoriseReturn(NOON + timedelta(days=9)))


def received(shop: GoodsShop) -> None:
    """To be inspected."""
    arrived(shop)
    shop.tell("R", ReceiveReturn("main", (ReturnedUnits("O", 1, 1),)))


def inspected(shop: GoodsShop) -> None:
    """To be settled."""
    received(shop)
    shop.tell("R", InspectReturn((InspectedUnits(InspectionOutcome.RESTOCK, "main", "O", 1, 1),)))


def claimed(shop: GoodsShop) -> None:
    """Nothing is to come."""
    arrived(shop)
    shop.tell("R", rq.RequestReturn("O", (LineQuantity(1, 1),), goods_come_back=False))
    shop.tell("R", rq.AuthoriseReturn(NOON + timedelta(days=9)))


def expected(shop: GoodsShop) -> None:
    """Money that is to come."""
    shop.tell("konbini/1", ExpectPayment(PaymentSource("konbini", "1", "ann"), Money(100, "EUR")))


def free(shop: GoodsShop) -> None:
    """Money that pays nothing."""
    shop.tell("bank/1", RecordPayment(PaymentSource("bank", "1", "ann"), Money(100, "EUR")))


#: What is forgotten, by kind and code of the line; and the story in which nothing else is waited for.
FORGOTTEN: dict[tuple[str, str], tuple[Story, str]] = {
    ("order", "draft"): (draft, "Draft"),
    ("order", "ready"): (placed, "Placed"),
    ("order", "on_hold"): (held_at_confirm, "Placed"),
    ("order", "unpaid"): (unpaid, "Placed"),
    ("order", "backordered"): (waiting, "AwaitingStock"),
    ("order", "in_parcels"): (planned, "Preparing"),
    ("order", "to_bill"): (to_be_billed, "Shipped"),
    ("order", "to_credit"): (to_be_credited, "Completed"),
    ("shipment", "to_pack"): (planned, "Planned"),
    ("shipment", "ready"): (packed, "Packed"),
    ("shipment", "label_awaited"): (labelless, "Packed"),
    ("shipment", "no_label"): (labelless, "Packed"),
    ("shipment", "no_news"): (sent, "InTransit"),
    ("shipment", "not_back"): (refused, "Delivered"),
    ("shipment", "missing"): (lost, "Lost"),
    ("shipment", "scanned_but_voided"): (voided_and_scanned, "Voided"),
    ("shipment", "which_shipment"): (supposed, "ReturnedToSender"),
    ("stock", "to_count"): (short, "StockLevel"),
    ("stock", "to_inspect"): (set_aside, "StockLevel"),
    ("stock", "announced"): (announced, "StockLevel"),
    ("stock", "late"): (late, "StockLevel"),
    ("stock", "to_reorder"): (few, "StockLevel"),
    ("stock", "not_served"): (not_served, "StockLevel"),
    ("return", "to_decide"): (asked_to_return, "Requested"),
    ("return", "not_sent_back"): (authorised, "Authorised"),
    ("return", "to_inspect"): (received, "Received"),
    ("return", "ready"): (inspected, "Inspected"),
    ("return", "claimed"): (claimed, "Inspected"),
    ("invoice", "open"): (sent, "Issued"),
    ("payment", "not_come"): (expected, "Expected"),
    ("payment", "to_apply"): (free, "Received"),
}

#: Other stories of lines that share a code.
ALSO: list[tuple[str, str, str, Story, str]] = [
    ("order", "ready", "awaiting_stock", confirmed, "Confirmed"),
    ("order", "ready", "to_prepare", allocated, "Allocated"),
    ("order", "ready", "to_complete", arrived, "Shipped"),
    ("order", "on_hold", "awaiting_stock", held_at_allocate, "Confirmed"),
    ("order", "on_hold", "to_prepare", held_at_prepare, "Allocated"),
    ("order", "on_hold", "to_complete", held_at_complete, "Shipped"),
    ("order", "unpaid", "unpaid", to_be_paid, "Shipped"),
]


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str, str], None]]:
    """Takes lines out of the table, by kind, code and worklist; an empty worklist means any."""

    def forgotten(kind: str, code: str, worklist: str) -> None:
        lines = at.TABLE[kind]
        kept = tuple([line for line in lines if not (line.code == code and worklist in ("", line.worklist))])
        assert len(kept) < len(lines)
        monkeypatch.setattr(at, "TABLE", {**at.TABLE, kind: kept})
        at.lines_for.cache_clear()

    yield forgotten
    monkeypatch.undo()
    at.lines_for.cache_clear()


CASES: list[tuple[str, str, str, Story, str]] = [
    *[(kind, code, "", story, state) for (kind, code), (story, state) in FORGOTTEN.items()],
    *ALSO,
]


@pytest.mark.parametrize("kind, code, worklist, story, state", CASES, ids=lambda part: getattr(part, "__name__", part))
def test_a_line_that_is_forgotten_is_found(
    forget: Any, kind: str, code: str, worklist: str, story: Story, state: str
) -> None:
    """The row that waits for nothing is named, in the commit that leaves it so."""
    forget(kind, code, worklist)
    with pytest.raises(InvariantBroken, match=f"D1 .*{kind}.* a {state} that waits for nothing"):
        story(GoodsShop(MemoryStorage()))


@pytest.mark.parametrize("story", {story for _, _, _, story, _ in CASES}, ids=lambda story: story.__name__)
def test_with_nothing_forgotten_nothing_is_in_limbo(story: Story) -> None:
    """The same stories keep the law."""
    story(GoodsShop(MemoryStorage()))


def test_the_law_is_the_one_planted() -> None:
    """There is one law, of which every line is a part."""
    assert set(LIMBO_LAWS) == {"D1"}
