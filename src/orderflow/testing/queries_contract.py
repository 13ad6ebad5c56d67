"""The contract of queries: listings, sums and movements of what a storage holds. Part of ``STORAGE``."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from orderflow.domain.values import stock_key
from orderflow.errors import InputError
from orderflow.ports.storage import Query
from orderflow.testing.contracts import Clause, Expect
from orderflow.testing.storage_material import AT, StorageMaker, placed, received

__all__ = ["QUERIES"]

_A, _B = stock_key("main", "A-1", "TOKYO"), stock_key("main", "B-2", "大阪")


def _find(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for number in range(7):
        received(
            storage, f"c-{number}", stock_key("main", f"S{number}", "TOKYO" if number % 2 else "OSAKA"), number + 1
        )
    skus, cursor = [], 0
    while rows := storage.find(Query("stock", cursor=cursor, limit=3)):
        skus += [row.key.id.partition("@")[0] for row in rows]
        cursor = rows[-1].cursor
        if len(skus) > 7:
            break
    expect.equal("all rows, in order of creation", [f"S{number}" for number in range(7)], skus)
    tokyo = storage.find(Query("stock", where=(("location", "TOKYO"),), status=("StockLevel",)))
    expect.equal("rows at one location", [2, 4, 6], [row.state.on_hand for row in tokyo])
    expect.equal(
        "text in an id, in either case", ["S5@TOKYO"], [r.key.id for r in storage.find(Query("stock", text="s5@t"))]
    )
    expect.equal("a wildcard taken as a plain character", [], list(storage.find(Query("stock", text="%"))))
    expect.equal("another status", [], list(storage.find(Query("stock", status=("Gone",)))))


def _find_dated(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for day in range(3):
        placed(storage, f"SO-{day}", at=AT + timedelta(days=day), tags=("vip",) if day == 1 else ())

    def found(query: Query) -> list[str]:
        return [row.key.id for row in storage.find(query)]

    expect.equal("orders since a moment", ["SO-1", "SO-2"], found(Query("order", since=AT + timedelta(days=1))))
    expect.equal("orders until a moment", ["SO-0"], found(Query("order", until=AT + timedelta(days=1))))
    between = Query("order", since=AT + timedelta(days=1), until=AT + timedelta(days=2))
    expect.equal("orders between two moments", ["SO-1"], found(between))
    expect.equal("orders with a tag", ["SO-1"], found(Query("order", tag="vip")))
    expect.equal("orders with part of a tag", [], found(Query("order", tag="vi")))
    expect.equal("an order by its number", ["SO-2"], found(Query("order", where=(("number", "N-SO-2"),))))
    expect.equal("an order by its channel's id", ["SO-0"], found(Query("order", where=(("external_id", "X-SO-0"),))))
    expect.equal("all of a status", 3, len(found(Query("order", status=("Placed", "Draft")))))
    expect.equal("none of another kind", [], found(Query("stock")))


def _find_refuses(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for query in (
        Query("stock", where=(("no_such", 1),)),
        Query("stock", where=(("on_hand = 1 OR 1", 1),)),
        Query("stock", limit=0),
        Query("stock", limit=1001),
        Query("stock", tag="vip"),
    ):
        expect.raises(f"{query}", InputError, partial(storage.find, query))
    expect.raises("sums of a text", InputError, lambda: storage.sums("stock", ["sku"]))


def _sums(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for number, (sku, place) in enumerate((("A", "T"), ("A", "O"), ("B", "T"))):
        received(storage, f"c-{number}", stock_key("main", sku, place), 10**14 + number)
    expected = {("A",): (2 * 10**14 + 1, 0), ("B",): (10**14 + 2, 0)}
    expect.equal("sums by SKU", expected, dict(storage.sums("stock", ["on_hand", "allocated"], ["sku"])))


def _movements(make: StorageMaker, expect: Expect) -> None:
    storage = make("main")
    for number, key in enumerate((_A, _B, _A)):
        received(storage, f"c-{number}", key, 10 + number)
    expected = {("A-1", "TOKYO", "GoodsReceived"): 22, ("B-2", "大阪", "GoodsReceived"): 11}
    expect.equal("movements", expected, dict(storage.movements()))


QUERIES: Final[tuple[Clause[StorageMaker], ...]] = (
    Clause("STORAGE-FIND-01", "A listing returns all matching rows in order of creation, page by page.", _find),
    Clause("STORAGE-FIND-05", "Rows of the requested kind are found by date, tag, number and status.", _find_dated),
    Clause("STORAGE-FIND-02", "A query for unknown columns or tags, or beyond the limit, is refused.", _find_refuses),
    Clause("STORAGE-FIND-03", "Sums are exact and grouped.", _sums),
    Clause("STORAGE-FIND-04", "Movements are summed by SKU, location and event type.", _movements),
)
