"""E05: two tenants in one file, with one carrier, one notifier and one payment provider, and the same order numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from small_shop import NOON, content, small_shop

from orderflow import FixedClock, InputError, MemoryCarrier, MemoryNotifier, MemoryStorage, OrderFlow, SqliteStorage
from orderflow.adapters.notifiers.jsonl import JsonLinesNotifier
from orderflow.adapters.notifiers.maildir import MaildirNotifier
from orderflow.adapters.payments.memory import MemoryProvider
from orderflow.domain.money.money import Money
from orderflow.domain.payments.collecting import ExpectPayment
from orderflow.domain.payments.pending import RequestOperation
from orderflow.domain.payments.state import Operation, PaymentSource

TENANTS = ("tokyo", "osaka")


@pytest.fixture(params=["memory", "sqlite"])
def storages(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Any]]:
    """A storage for each tenant; those on SQLite share a file."""
    if request.param == "memory":
        yield [MemoryStorage(tenant) for tenant in TENANTS]
    else:
        with closing(SqliteStorage(tmp_path / "shop.db", tenant=TENANTS[0])) as storage:
            yield [storage, storage.for_tenant(TENANTS[1])]


def settle(shop: OrderFlow) -> None:
    """Carry out effects until none is due."""
    while shop.relay().taken:
        pass


def worked(storages: list[Any], **wired: Any) -> list[OrderFlow]:
    """Both tenants take order o-1, paid by card 1, and carry out its effects."""
    shops = [small_shop(storage, clock=FixedClock(NOON), **wired) for storage in storages]
    for shop in shops:
        shop.receive("o-1", content(external_id="o-1"))
        shop.advance("o-1")
        source = PaymentSource("card", "1", "ann", authorises=True, order="o-1")
        shop.handle("card/1", ExpectPayment(source, Money.of("3.06", "GBP")))
        for operation in (Operation.AUTHORISE, Operation.CAPTURE):
            shop.handle("card/1", RequestOperation(operation))
            settle(shop)
    return shops


def test_e05_two_labels_two_mails_two_captures(storages: list[Any]) -> None:
    """Nothing of the one tenant is taken for a repetition of the other's."""
    carrier, post, card = MemoryCarrier(), MemoryNotifier(), MemoryProvider("card")
    shops = worked(storages, carriers=[carrier], notifier=post, providers=[card])
    labels = [shop.shipments.get("o-1/1").label for shop in shops]  # type: ignore[union-attr]
    assert len({label.tracking_number for label in labels}) == len(carrier.sold) == 2
    assert [notice.template for notice in post.delivered].count("order_received") == 2
    captures = [request for request in card.requests if request.operation is Operation.CAPTURE]
    assert len({request.idempotency_key for request in captures}) == len(captures) == 2
    payments: list[Any] = [shop.payments.get("card/1") for shop in shops]
    assert [payment.funds.received for payment in payments] == [306, 306]
    assert {notice.tenant for notice in post.delivered} == {request.tenant for request in card.requests} == {*TENANTS}
    assert {request.tenant for request, _ in carrier._by_key.values()} == {*TENANTS}
    assert [shop.storage.dead_letters() for shop in shops] == [[], []]


@pytest.mark.parametrize("kind", ["maildir", "jsonl"])
def test_e05_two_mails_in_one_folder_or_file(storages: list[Any], tmp_path: Path, kind: str) -> None:
    """The notifiers that ship with the library tell the tenants apart by the notice's id."""
    place = tmp_path / "post"
    post = MaildirNotifier(place, "shop@shop.example") if kind == "maildir" else JsonLinesNotifier(place)
    worked(storages, notifier=post, providers=[MemoryProvider("card")])
    texts = [path.read_text() for path in (place / "new").iterdir()] if kind == "maildir" else [place.read_text()]
    assert (
        sum(
            text.count("Subject: We have received order" if kind == "maildir" else '"We have received')
            for text in texts
        )
        == 2
    )


def test_e05_every_id_of_an_effect_begins_with_its_tenant(storages: list[Any]) -> None:
    """So does the key of each request to a carrier or a payment provider, whoever looks into their books."""
    carrier, post, card = MemoryCarrier(), MemoryNotifier(), MemoryProvider("card")
    worked(storages, carriers=[carrier], notifier=post, providers=[card])
    keys = [*carrier._by_key, *(notice.id for notice in post.delivered), *(r.idempotency_key for r in card.requests)]
    assert {key.split("/")[0] for key in keys} == {*TENANTS}
    assert sorted(key.removeprefix("tokyo/") for key in keys if key.startswith("tokyo/")) == sorted(
        key.removeprefix("osaka/") for key in keys if key.startswith("osaka/")
    )


@pytest.mark.parametrize("tenant", ["a/order/b", "/", "", 7, "a\nb"])
def test_e05_a_tenant_whose_name_could_run_into_a_row_of_another(tenant: Any) -> None:
    """Order ``b/order/c`` of tenant ``a`` and order ``c`` of ``a/order/b`` would share the ids of their effects."""
    with pytest.raises(InputError) as caught:
        OrderFlow(MemoryStorage(tenant))
    assert [fault.path for fault in caught.value.faults] == ["tenant"]
