"""U13: a buyer with several addresses; a version of a party is found by its content."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from small_shop import HOME, content, small_shop

from orderflow import Created, MemoryStorage, PartyRef, Person, SqliteStorage, Unchanged

WORK = Person("Ann", lines=("2 Mill Lane",), city="York")

Storage = MemoryStorage | SqliteStorage


def test_u13_two_addresses_and_three_polls(storage: Storage) -> None:
    """Two open orders to two addresses, polled three times: created, then unchanged; two versions in all."""
    shop = small_shop(storage)
    polls = []
    for _ in range(3):
        for order, person in (("A", HOME), ("B", WORK)):
            ref = shop.record_party("ann", person)
            polls.append(type(shop.receive(order, content(external_id=order, bill_to=ref, ship_to=ref))))
    assert polls == [Created] * 2 + [Unchanged] * 4
    assert len(shop.rows("party").find()) == 2


def test_u13_many_record_one_party_at_once(storage: Storage) -> None:
    """Eight threads record two addresses in turn: none fails, two versions in all."""
    shop = small_shop(storage)
    ready = Barrier(8)

    def record(number: int) -> list[PartyRef]:
        ready.wait()
        return [shop.record_party("ann", (HOME, WORK)[(number + turn) % 2]) for turn in range(4)]

    with ThreadPoolExecutor(8) as pool:
        found = {ref for refs in pool.map(record, range(8)) for ref in refs}
    assert found == {PartyRef("ann", 1), PartyRef("ann", 2)}
    assert len(shop.rows("party").find()) == 2
