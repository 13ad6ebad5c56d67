"""What customers are told, and to whom."""

from __future__ import annotations

import pytest
from attrs import evolve
from tea_shop import ANN, ARRIVE, CANCEL, GO, NOON, VAT, Shop, content, note

from orderflow.domain.billing.credit_note import AccountLine
from orderflow.domain.billing.invoice import VoidInvoice
from orderflow.domain.billing.invoice_state import Amounts
from orderflow.domain.orders.billing import BillUnits
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import CancelledBy, InvoiceBasis, Policy
from orderflow.domain.orders.placing import OpenDraft, PlaceOrder
from orderflow.domain.parties.party import ErasePartyVersion, Person
from orderflow.domain.values import LineQuantity
from orderflow.errors import Key
from orderflow.flows.advance import ShopSettings
from orderflow.flows.impersonal import without_values
from orderflow.flows.notices import TEMPLATES, compose
from orderflow.flows.prepare import ShippingSettings


def told(shop: Shop) -> dict[str, tuple[str, str]]:
    """What was said by template: subject and body."""
    return {notice.template: (notice.subject, notice.body) for notice in shop.settle().mail.delivered}


def test_each_notice_names_what_it_is_about() -> None:
    """Numbers and totals of the order and its documents, the due date, the tracking number; nothing is left open."""
    shop = Shop(ShopSettings(shipping=ShippingSettings("post"))).stocked(main=2)
    shop.tell("O", PlaceOrder(content(2, number="A-7"))).advance("O")
    shop.settle().tell("O/1", GO, ARRIVE).advance("O")
    shop.tell("n", note(AccountLine(1, "TEA", 1, 500, VAT)))
    shop.tell("P", PlaceOrder(content(1)), CANCEL)
    said, tracking = told(shop), shop.post.sold[0].tracking_number
    assert said.keys() == TEMPLATES.keys()
    assert said["order_confirmed"] == (
        "Order A-7 is confirmed",
        "We have accepted your order A-7 for 23.80 EUR.",
    )
    assert said["shipment_sent"] == (
        "Your order A-7 is on its way",
        f"Shipment O/1 has left us. Tracking: {tracking}.",
    )
    assert said["invoice_issued"] == (
        "Invoice 000001",
        "Your invoice 000001 for 23.80 EUR is due on 2026-04-01.",
    )
    assert said["credit_note_issued"] == (
        "Credit note cn#000001",
        "We have credited 5.95 EUR to you by credit note cn#000001.",
    )
    assert said["order_completed"][1] == "Your order A-7 is complete, for 23.80 EUR in all."
    assert said["order_cancelled"] == ("Order P is cancelled", "Your order P has been cancelled.")
    assert {notice.to for notice in shop.mail.delivered} == {"ann@example.org"}


def test_who_is_not_billed_is_told_where_the_goods_go() -> None:
    """An order without a bill-to party is told to its ship-to party."""
    shop = Shop()
    shop.tell("O", PlaceOrder(content(1, bill_to=None, policy=Policy(billed_elsewhere=True)))).settle()
    assert [notice.to for notice in shop.mail.delivered] == ["ann@example.org"]


def test_what_goes_without_a_label_has_no_tracking() -> None:
    """A shipment that is fetched is told of all the same."""
    shop = Shop().stocked(main=1).placed(1)
    shop.advance("O")
    shop.tell("O/1", GO)
    assert told(shop)["shipment_sent"][1] == "Shipment O/1 has left us. Tracking: none."


def test_the_bill_goes_to_who_pays_and_the_parcel_to_who_gets_it() -> None:
    """A notice of an order or an invoice is for the bill-to party, that of a shipment for the ship-to party."""
    shop = Shop().stocked(main=1)
    bob = shop.record_party("bob", Person("Bob", email="bob@example.org"))
    shop.tell("O", PlaceOrder(content(1, bill_to=bob, ship_to=ANN))).advance("O")
    shop.tell("O/1", GO, ARRIVE).advance("O")
    shop.settle()
    to = {notice.template: notice.to for notice in shop.mail.delivered}
    assert to == {
        "order_received": "bob@example.org",
        "order_confirmed": "bob@example.org",
        "shipment_sent": "ann@example.org",
        "invoice_issued": "bob@example.org",
        "order_completed": "bob@example.org",
    }


def test_whose_address_was_erased_is_told_by_customer_id() -> None:
    """As is who has no address, or no party at all; a draft is told to nobody."""
    shop = Shop()
    bob = shop.record_party("bob", Person("Bob"))
    shop.tell("D", OpenDraft(content(1))).placed(1).tell("ann@1", ErasePartyVersion())
    elsewhere = Policy(billed_elsewhere=True, shipped_elsewhere=True)
    shop.tell("P", PlaceOrder(content(1, bill_to=None, ship_to=None, policy=elsewhere)))
    shop.tell("Q", PlaceOrder(content(1, customer="robert", bill_to=bob, ship_to=bob)))
    shop.settle()
    assert {notice.order: notice.to for notice in shop.mail.delivered} == {"O": "ann", "P": "ann", "Q": "robert"}


def test_an_error_names_fields_and_not_their_values() -> None:
    """The longest value first, so that none is left in part; what has two letters tells nothing of a person."""
    ann = Person("Ann Lee", company="Lee", lines=("1 Lee St",), country="GB", email="ann@example.org")
    assert without_values("to Ann Lee of Lee, 1 Lee St, GB", [ann]) == "to <name> of <name>, <lines>, GB"
    assert without_values("Annual fees sleep", [ann]) == "Annual fees sleep"
    assert without_values("to Ann Lee", []) == "to Ann Lee"


def test_who_cancelled_part_is_told_of_the_rest() -> None:
    """Of three units two are sent and charged."""
    shop = Shop(ShopSettings(shipping=ShippingSettings("post"))).stocked(main=3).placed(3)
    shop.tell("O", CancelUnits("not wanted", CancelledBy.CUSTOMER, (LineQuantity(1, 1),))).advance("O")
    shop.settle().tell("O/1", GO, ARRIVE).advance("O")
    assert told(shop)["order_completed"][1] == "Your order O is complete, for 23.80 EUR in all."


def test_of_an_invoice_that_was_voided_before_nobody_is_told() -> None:
    """The row says nothing any more that a customer could want."""
    shop = Shop().confirmed(1, invoice_basis=InvoiceBasis.ORDERED)
    shop.tell("O", BillUnits("O/1", "inv")).tell("O/1", VoidInvoice("wrong"))
    assert "invoice_issued" not in told(shop)


@pytest.mark.parametrize(
    "amounts, said",
    [
        (Amounts(credited=1190), "has been credited in full"),
        (Amounts(prepaid=1190), "is paid"),
        (Amounts(credited=190, prepaid=1000), "is paid"),
        (Amounts(written_off=1, prepaid=1189), "is settled"),
    ],
)
def test_the_word_for_an_invoice_with_nothing_open(amounts: Amounts, said: str) -> None:
    """Paid is what somebody has paid."""
    shop = Shop().confirmed(1, invoice_basis=InvoiceBasis.ORDERED).tell("O", BillUnits("O/1", "inv"))
    state = evolve(shop.invoice(), amounts=amounts)
    notice = compose("m", "invoice_issued", Key("main", "invoice", "O/1"), state, None, NOON)
    assert notice.body == f"Your invoice inv#000001 for 11.90 EUR {said}."


def test_a_row_of_any_other_kind_is_named_by_its_id() -> None:
    """A host's own rows may have notices too."""
    notice = compose("m", "order_cancelled", Key("main", "visit", "V-1"), object(), None, NOON)
    assert notice.body == "Your order V-1 has been cancelled."
