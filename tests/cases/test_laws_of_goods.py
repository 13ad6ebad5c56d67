"""The laws of goods bite: what one row forgets to tell another is found after the commit, by the law that names it."""

from __future__ import annotations

from typing import Any

import pytest
from goods_shop import ARRIVED, LOST, PACK, REFUSED, SCAN, GoodsShop, item

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.domain.engine.workflow import On, Tells, Workflow, on
from orderflow.domain.inventory import inspected as iv
from orderflow.domain.inventory.stock import Backorder, Release, Restock, Ship
from orderflow.domain.orders import allocating as oa
from orderflow.domain.orders import cancelling as oc
from orderflow.domain.orders import parcels as op
from orderflow.domain.orders import returning as ore
from orderflow.domain.orders import shipping as os
from orderflow.domain.orders.content import CancelledBy
from orderflow.domain.returns import inspecting as ri
from orderflow.domain.returns import receiving as rg
from orderflow.domain.shipping import carriage as sc
from orderflow.domain.shipping import leaving as sv
from orderflow.domain.shipping import planning as sp
from orderflow.domain.shipping import resolving as sw
from orderflow.domain.shipping import returning as sb
from orderflow.domain.values import InspectionOutcome, Pick
from orderflow.domain.workflow.goods_laws import GOODS_LAWS
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import InvariantBroken

STANDARD = standard_workflow()


def everything(shop: GoodsShop) -> None:
    """Parcels that arrive, come back, are lost, replaced, left behind, scanned, given up; units that wait."""
    shop.allocated(1, 9).sent("S", item(1)).tell("S", ARRIVED)
    shop.sent("T", item(1, line=2)).tell("T", REFUSED, sb.ReceiveBack("main"))
    shop.sent("U", item(2, line=2)).tell("U", LOST, sw.WriteOffParcel((item(1, line=2),)), sw.ResupplyParcel())
    shop.sent("V", item(2, line=2)).tell("V", sv.RecordLeftBehind((item(1, line=2),)))
    shop.planned("W", item(1, line=2)).tell("W", PACK, SCAN)
    shop.planned("X", item(2, line=2)).tell("X", sp.DropItems((item(1, line=2),)), sp.VoidShipment())
    shop.allocated(9, order="O2")
    shop.tell("R", rg.ReceiveReturn("main", unmatched=(rg.UnmatchedReturn("TEA", 1),), usable=True))
    told = (rg.ReturnedUnits("O", 1, 2, "S"), rg.ReturnedUnits("O", 2, 1, "V"))
    shop.tell("R2", rg.ReceiveReturn("main", told))
    for line, outcome in enumerate((InspectionOutcome.REJECT, InspectionOutcome.RESTOCK), start=1):
        shop.tell("R2", ri.InspectReturn((ri.InspectedUnits(outcome, "main", "O", line, 1),)))
    shop.tell("O", oa.ReleaseStock((Pick(2, "main", 1),)))
    shop.tell("O2", oc.CancelUnits("no", CancelledBy.CUSTOMER))


#: What is forgotten: the event, the command that it no longer tells, and the law that finds it.
FORGOTTEN: dict[str, tuple[type[Any], type[Any], str]] = {
    "an arrival that the order does not hear of": (sc.ShipmentDelivered, op.RecordDelivery, "A1"),
    "units back that the order does not hear of": (sb.ReceivedBack, op.RecordBack, "A1"),
    "a loss that is written off in the parcel alone": (sw.ParcelWrittenOff, op.RecordLoss, "A1"),
    "a replacement that nobody owes": (sw.ParcelResupplied, op.OweAgain, "A1"),
    "units left behind that nobody owes": (sv.LeftBehindRecorded, op.OweAgain, "A1"),
    "a departure that the order does not hear of": (sv.ShipmentLeft, op.RecordDeparture, "A1"),
    "a hand-over that the order does not hear of": (sv.HandedOver, os.DispatchShipment, "A1"),
    "units dropped that the order still prepares": (sp.ItemsDropped, os.CancelPreparation, "A2"),
    "a parcel given up that the order still prepares": (sp.ShipmentVoided, os.CancelPreparation, "A2"),
    "units sent that are still promised": (os.ShipmentDispatched, Ship, "A3"),
    "units scanned that are still promised": (op.DepartureRecorded, Ship, "A3"),
    "units back that no shelf takes": (op.UnitsReturned, Restock, "A4"),
    "units left behind that no shelf takes": (op.UnitsOwedAgain, Restock, "A4"),
    "unknown goods back that no shelf takes": (rg.ReturnReceived, Restock, "A4"),
    "units that a return has only by name": (sb.ReceivedBack, rg.RecordLoose, "A5"),
    "inspected units that the stock keeps for a return": (ore.UnitsInspected, iv.ReleaseReturned, "A6"),
    "rejected units that the stock keeps for a return": (ore.UnitsRejected, iv.DiscardReturned, "A6"),
    "demand that waits in the order alone": (oa.StockAllocated, Backorder, "A3"),
    "a promise given back by the order alone": (oa.StockReleased, Release, "A3"),
}


def without(event: type[Any], command: type[Any]) -> Workflow:
    """The standard workflow, in which one event no longer tells one command."""

    def told(line: On) -> On:
        hears = [part for part in line.parts if not isinstance(part, Tells) or command not in part.commands]
        return on(line.event, *hears) if line.event is event else line

    return Workflow(STANDARD.machines.values(), [*map(told, STANDARD.table), *STANDARD.looks])


def test_what_is_told_keeps_the_laws() -> None:
    """With nothing forgotten, the whole life passes."""
    everything(GoodsShop(MemoryStorage()))


@pytest.mark.parametrize("event, command, law", FORGOTTEN.values(), ids=FORGOTTEN)
def test_what_is_forgotten_is_found_by_its_law(event: type[Any], command: type[Any], law: str) -> None:
    """The first commit after which two rows disagree names the law."""
    shop = GoodsShop(MemoryStorage(), without(event, command))
    with pytest.raises(InvariantBroken) as caught:
        everything(shop)
    assert f"{law} " in str(caught.value)


def test_something_is_forgotten_for_each_law() -> None:
    """No law of goods stands here untried."""
    assert {law for _, _, law in FORGOTTEN.values()} == set(GOODS_LAWS)
