"""Customers: found by who they are, merged, and read in one go, in memory and on SQLite."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from money_shop import MoneyShop

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.billing.account import SetCreditLimit
from orderflow.domain.engine.decide import Loaded
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.parties.customer import (
    BlockCustomer,
    ChangeParty,
    CloseCustomer,
    RegisterCustomer,
)
from orderflow.domain.parties.merging import MergeCustomers
from orderflow.domain.parties.party import ErasePartyVersion, Person, RecordParty, Restricted
from orderflow.domain.parties.profile import RecordConsent, RemoveContact, SetAddress, SetContact
from orderflow.domain.values import PartyRef
from orderflow.errors import CommandRefused, InputError, Key, NotFound
from orderflow.shop import OrderFlow
from orderflow.testing.storage_material import holds

NAMES = ("ann", "bob", "cy", "dee")
TANAKA = Person("田中 花子", kana="タナカ ハナコ", phone="090-1234-5678", email="hanako@example.jp")


@pytest.fixture(params=["memory", "sqlite"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MoneyShop]:
    """A shop with two customers, ann and bob."""
    if request.param == "memory":
        yield registered(MoneyShop(MemoryStorage()))
        return
    with closing(SqliteStorage(tmp_path / "shop.db")) as storage:
        yield registered(MoneyShop(storage))


def registered(shop: MoneyShop, *names: str) -> MoneyShop:
    """With these customers, ann and bob by default."""
    for name in names or NAMES[:2]:
        shop.record_party(name, Person(name.title()))
        shop.handle(name, RegisterCustomer(PartyRef(name, 1)))
    return shop


def found(shop: OrderFlow, text: str) -> list[str]:
    """The customers that a text finds."""
    return [row.key.id for row in shop.customers.search(text)]


def codes(shop: OrderFlow, row: str, command: Any) -> tuple[str, ...]:
    """What a command is refused with."""
    with pytest.raises(CommandRefused) as caught:
        shop.handle(row, command)
    return caught.value.codes


# -- search


def test_a_customer_is_found_by_whom_it_uses(shop: MoneyShop) -> None:
    """Its party, its contacts and its addresses lead to it, as long as it uses them."""
    shop.handle("ann", SetContact("boss", shop.record_party("hanako", TANAKA)))
    shop.handle("bob", SetAddress("depot", shop.record_party("depot", Person(company="Depot 24"))))
    texts = ("たなか", "ﾊﾅｺ", "田中", "09012345678", "HANAKO@example.jp")
    assert [found(shop, text) for text in texts] == [["ann"]] * len(texts)
    assert [found(shop, text) for text in ("depot 2", "Bob", "24", "%", "b_b", " ")] == [
        ["bob"],
        ["bob"],
        ["bob"],
        [],
        [],
        [],
    ]
    shop.handle("ann", RemoveContact("boss"))
    shop.handle("bob", ChangeParty(PartyRef("ann", 1)))
    assert [found(shop, text) for text in ("たなか", "bob", "ann")] == [[], [], ["ann", "bob"]]


def test_a_search_is_bounded_and_goes_on(shop: MoneyShop) -> None:
    """Customers come by id, page by page; a bad argument is named."""
    shop.handle("bob", ChangeParty(PartyRef("ann", 1)))
    assert [row.key.id for row in shop.customers.search("ann", limit=1)] == ["ann"]
    assert [row.key.id for row in shop.customers.search("ann", after="ann")] == ["bob"]
    for limit in (0, 1001):
        with pytest.raises(InputError):
            shop.customers.search("ann", limit=limit)


WORDS = st.text("aB é㌔カがｶ゙んー9-'", max_size=8)
MAILS = st.builds("{}@Example.jp".format, WORDS) | st.just("")
PEOPLE = st.builds(Person, name=WORDS, kana=WORDS, company=WORDS, phone=st.text("0９-+ ", max_size=8), email=MAILS)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@given(people=st.lists(PEOPLE, min_size=1, max_size=4), erased=st.sets(st.integers(0, 3)))
def test_erasure_leaves_no_search_hit(
    tmp_path_factory: pytest.TempPathFactory, kind: str, people: list[Person], erased: set[int]
) -> None:
    """Everybody is found by every value, until erased; then by none that nobody else has."""
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    storage: Any = MemoryStorage() if kind == "memory" else SqliteStorage(path, exclusive=True)
    shop = OrderFlow(storage)
    for at, person in enumerate(people):
        shop.handle(f"C{at}", RegisterCustomer(shop.record_party(f"P{at}", person)))
    texts = [
        (at, text) for at, p in enumerate(people) for text in (p.name, p.kana, p.company, p.phone, p.email) if text
    ]
    before = {text: found(shop, text) for _, text in texts}
    for at in erased & {*range(len(people))}:
        shop.handle(f"P{at}@1", ErasePartyVersion())
    for text, hits in before.items():
        assert found(shop, text) == [hit for hit in hits if int(hit[1:]) not in erased]
    for at, text in texts:
        if any(each.isalpha() for each in text) and at not in erased:
            assert f"C{at}" in found(shop, text)
    if kind == "sqlite":
        storage.close()


def test_no_search_key_outlives_its_party(tmp_path: Path) -> None:
    """Not one is in the table, and the journal never had any."""
    with closing(SqliteStorage(tmp_path / "shop.db")) as storage:
        shop = OrderFlow(storage)
        shop.handle("C", RegisterCustomer(shop.record_party("hanako", TANAKA)))
        count = "SELECT count(*) FROM search_keys WHERE kind = 'party'"
        with storage._sessions.reading() as session:
            assert session.rows(count) == [(6,)]
        # As another release may have normalised it.
        with storage._sessions.writing() as session:
            session.run("INSERT INTO search_keys VALUES ('main', 'name', 'hanako-san', 'party', 'hanako@1')")
        shop.handle("hanako@1", ErasePartyVersion())
        with storage._sessions.reading() as session:
            assert session.rows(count) == [(0,)]
        assert not any(holds(entry, "hanako@example.jp") for entry in storage.entries(0, 100))


def test_a_restricted_party_is_out_of_use(shop: MoneyShop) -> None:
    """What must be kept by law only is not found either."""
    shop.handle("hanako@1", RecordParty(TANAKA, retain_until=date(2036, 1, 1)))
    shop.handle("ann", ChangeParty(PartyRef("hanako", 1)))
    assert found(shop, "たなか") == ["ann"]
    shop.handle("hanako@1", ErasePartyVersion())
    assert isinstance(shop.parties.get("hanako@1"), Restricted)
    assert found(shop, "たなか") == []


# -- merging


class Watched(MemoryStorage):
    """Notes which rows each unit asked for, load by load."""

    loads: ClassVar[list[list[str]]] = []

    @contextmanager
    def unit(self) -> Generator[Any]:
        with super().unit() as unit:
            load = unit.load

            def watched(keys: Collection[Key]) -> Mapping[Key, Loaded]:
                self.loads.append([key.id for key in keys])
                return load(keys)

            unit.__dict__["load"] = watched
            yield unit


@pytest.mark.parametrize("kept, merged", [("ann", "bob"), ("bob", "ann")])
def test_both_customers_are_locked_together(kept: str, merged: str) -> None:
    """Two merges of the same two, each the other way round, cannot wait for each other."""
    shop = registered(MoneyShop(Watched()))
    Watched.loads.clear()
    shop.handle(kept, MergeCustomers(merged))
    assert ["ann", "bob"] in Watched.loads


def test_a_duplicate_orders_no_more(shop: MoneyShop) -> None:
    """What it had confirmed goes on; nothing new is confirmed for it, and the kept one orders as before."""
    shop.confirmed("O1", (1, 100), customer="bob").placed("O2", (1, 100), customer="bob")
    shop.handle("ann", MergeCustomers("bob"))
    assert codes(shop, "O2", ConfirmOrder()) == ("customer_blocked",)
    shop.send("O1", 1)
    shop.bill("O1")
    shop.confirmed("O3", (1, 100))
    assert [shop.customers.summary(name).merged_into for name in NAMES[:2]] == ["", "ann"]
    assert [shop.customers.summary(name).blocked for name in NAMES[:2]] == [False, True]


def test_who_may_be_merged(shop: MoneyShop) -> None:
    """Not a customer with itself, nor one that is not there, nor twice, nor a blocked one into one who may order."""
    assert codes(shop, "ann", MergeCustomers("ann")) == ("same_customer",)
    assert codes(shop, "ann", MergeCustomers("zoe")) == ("not_found",)
    shop.handle("bob", BlockCustomer("unpaid"))
    assert codes(shop, "ann", MergeCustomers("bob")) == ("merged_is_blocked",)
    assert [reason.code for reason in shop.explain("ann", MergeCustomers("bob"))] == ["merged_is_blocked"]
    shop.handle("ann", BlockCustomer("unpaid"))
    shop.handle("ann", MergeCustomers("bob"))
    assert codes(shop, "ann", MergeCustomers("bob")) == ("already_merged",)
    assert codes(shop, "bob", MergeCustomers("ann")) == ("not_now",)
    assert codes(shop, "bob", SetContact("boss", PartyRef("ann", 1))) == ("not_now",)


def test_a_withdrawal_is_heard_in_every_state(shop: MoneyShop) -> None:
    """Consent is a fact: who is closed or merged may still withdraw."""
    shop.handle("ann", RecordConsent("news", granted=True, source="web_form"))
    shop.handle("ann", CloseCustomer())
    shop.handle("bob", MergeCustomers("ann"))
    assert shop.customers.get("ann").profile.consents_to("news")
    shop.handle("ann", RecordConsent("news", granted=False, source="mail"))
    assert not shop.customers.get("ann").profile.consents_to("news")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["order", "bill", "pay", "merge"]), st.integers(0, 3), st.integers(0, 3), st.integers(1, 99)
    ),
    max_size=10,
)


@given(STEPS)
def test_merging_never_changes_the_sum_of_balances(steps: list[tuple[str, int, int, int]]) -> None:
    """Whatever is merged into whom, the customers that are left owe together what all accounts say, and no less."""
    shop = registered(MoneyShop(MemoryStorage()), *NAMES)
    for number, (step, one, other, minor) in enumerate(steps):
        if step in {"order", "bill"} and not shop.customers.summary(NAMES[one]).blocked:
            shop.confirmed(f"O{number}", (1, minor), customer=NAMES[one])
            if step == "bill":
                shop.send(f"O{number}", 1)
                shop.bill(f"O{number}")
        elif step == "pay":
            shop.pay(minor, customer=NAMES[one])
        elif step == "merge" and not shop.explain(NAMES[one], MergeCustomers(NAMES[other])):
            shop.handle(NAMES[one], MergeCustomers(NAMES[other]))
        summaries = [shop.customers.summary(name) for name in NAMES]
        left = [summary for summary in summaries if not summary.merged_into]
        assert sum(s.of("GBP").balance_minor for s in left) == sum(shop.balance(name, "GBP") for name in NAMES)
        assert sum(sum(s.orders.values()) for s in left) == len(shop.orders.find())
        assert sorted(name for s in left for name in (s.id, *s.duplicates)) == sorted(NAMES)


# -- the summary


def test_one_read_gives_history_and_figures(shop: MoneyShop) -> None:
    """Orders by state, what was charged and credited, what is open; a duplicate's counts with the kept one's."""
    shop.confirmed("O1", (2, 100)).confirmed("O2", (1, 500), customer="bob").placed("O3", (1, 100))
    shop.send("O1", 2)
    shop.credit(shop.bill("O1"), 1)
    shop.take_back("O1", 1)
    shop.pay(50, customer="bob")
    shop.handle("ann", SetCreditLimit(shop.money(10_000)))
    shop.handle("ann", MergeCustomers("bob"))
    summary = shop.customers.summary("ann")
    assert summary.orders == {"Confirmed": 1, "Placed": 1, "Shipped": 1}
    assert (summary.duplicates, summary.open_invoices, summary.returns) == (("bob",), ("O1/1",), 1)
    assert {*summary.last_orders} == {"O1", "O2", "O3"}
    assert summary.last_order_at == shop.time.now()
    figures = summary.of("GBP")
    assert (figures.charged_minor, figures.credited_minor, figures.value_minor) == (240, 120, 120)
    assert (figures.paid_minor, figures.balance_minor, figures.open_minor) == (50, 70, 120)
    assert figures.exposure_minor == 70 + 600
    assert (summary.limit, summary.blocked) == (shop.money(10_000), False)
    assert summary.of("JPY").balance_minor == 0
    assert shop.customers.summary("bob").of("GBP").balance_minor == -50
    with pytest.raises(NotFound):
        shop.customers.summary("zoe")
