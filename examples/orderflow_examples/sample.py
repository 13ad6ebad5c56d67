"""A file of varied documents in the library's own layout, drawn from a seed: the same seed gives the same bytes.

Special cases (split shipments, back-orders, odd totals, cancellations, faulty lines) come at fixed intervals; chance
decides who buys what, how much and when.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

from attrs import define, field

from orderflow.adapters.codec import Codec
from orderflow.domain.money.tax import spread
from orderflow.domain.orders.content import LineKind, OrderContent, OrderLine, Policy, line_minor
from orderflow.domain.parties.party import Person
from orderflow.domain.values import DeliveryWish, Gift, PartyRef
from orderflow_examples.sample_data import (
    BOTH_SKUS,
    CATALOGUE,
    COUPON,
    GOODS,
    LAST_ONES,
    LOCATIONS,
    MARKETS,
    SCARCE,
    SERVICES,
    SHIPPING,
    Market,
    Product,
)
from orderflow_examples.sample_payments import Payer

__all__ = ["write_sample"]


Tree: TypeAlias = dict[str, Any]


_BEGIN: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)


_CODEC: Final = Codec(())


_NOSHI: Final = ("御祝", "内祝", "御歳暮")


#: How many orders come between two documents of each other type.
_CANCELLATION_EVERY, _FAULT_EVERY, _ADJUSTMENT_EVERY, _RECEIPT_EVERY = 8, 30, 40, 64


def write_sample(path: Path, orders: int = 320, seed: int = 7, *, payments: bool = False) -> None:
    """Write a file with this many valid orders, and receipts, cancellations, adjustments and faulty lines among them.

    With ``payments`` the orders are paid as a marketplace's are, see :class:`Payer`. From 300 orders on, the file has
    every special case.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in _lines(orders, seed, payments=payments))


def _lines(orders: int, seed: int, *, payments: bool) -> Iterator[str]:
    shop, payer = _Shop(Random(seed)), Payer()
    yield _text(shop.opening(orders))
    for n in range(1, orders + 1):
        order = shop.order(n)
        if payments and payer.waits(n):
            order["content"]["policy"] |= {"pay_before": "allocate"}
        yield _text(order)
        if payments:
            yield from map(_text, payer.paid(n, order))
        if n % _CANCELLATION_EVERY == 0 and shop.returnable:
            yield _text(shop.cancellation(n // _CANCELLATION_EVERY))
        if n % _FAULT_EVERY == 0:
            number = n // _FAULT_EVERY
            yield _FAULTS[number % len(_FAULTS)](shop.order_to_spoil(f"F-{number:03}"))
        if n % _ADJUSTMENT_EVERY == 0:
            yield _text(shop.adjustment(n // _ADJUSTMENT_EVERY))
        if n % _RECEIPT_EVERY == 0:
            yield _text(shop.receipt(n // _RECEIPT_EVERY))


def _text(tree: Tree) -> str:
    return json.dumps(tree, ensure_ascii=False)


@define
class _Shop:
    """Draws documents one after another; ``returnable`` are the orders whose goods may come back."""

    random: Random
    now: datetime = _BEGIN
    returnable: list[tuple[Market, OrderContent, Person]] = field(factory=list)

    def opening(self, orders: int) -> Tree:
        """The stock before the first order: enough of the plentiful goods, but only with both locations together."""
        first, second = LOCATIONS
        items: list[list[Any]] = []
        for product in GOODS:
            lot = 80 if product.decimals else 1
            items += [[product.sku, first, lot * (20 + orders // 2)], [product.sku, second, lot * (20 + orders)]]
        items += [[product.sku, place, 20 + orders] for product, place in zip(BOTH_SKUS, LOCATIONS, strict=True)]
        items += [[CATALOGUE.sku, first, 20 + orders], [LAST_ONES.sku, second, 5], [SCARCE.sku, first, 4]]
        return self._document("receipt", "R-000") | {"items": items}

    def receipt(self, number: int) -> Tree:
        """A few of the units that back-orders wait for."""
        items = [[SCARCE.sku, LOCATIONS[number % 2], self.random.randint(6, 9)]]
        return self._document("receipt", f"R-{number:03}") | {"items": items}

    def adjustment(self, number: int) -> Tree:
        """A stock adjustment: some units broke, one was found."""
        broken, found = self.random.sample(GOODS, 2)
        changes = [
            [broken.sku, self.random.choice(LOCATIONS), -self.random.randint(1, 3), "broken"],
            [found.sku, self.random.choice(LOCATIONS), 1, "found at the count"],
        ]
        return self._document("adjustment", f"J-{number:03}") | {"changes": changes}

    def order(self, n: int) -> Tree:
        """The ``n``-th order; its number decides what kind of order it is."""
        number = f"A-{n:05}"
        if n % 50 == 11:
            return self._order(number, [(CATALOGUE, 1)])
        if n % 20 == 7:
            return self._order(number, [(product, self.random.randint(1, 6)) for product in SERVICES])
        if n % 12 == 3:
            return self._order(
                number, [(product, self.random.randint(1, 3)) for product in BOTH_SKUS] + [(SHIPPING, 1)]
            )
        if n % 15 == 5:
            return self._order(number, [(SCARCE, self.random.randint(1, 2)), *self._picked(2), (SHIPPING, 1)])
        if n % 75 == 74:
            return self._order(number, [(LAST_ONES, 2)])
        return self.plain(number, coupon=n % 25 == 13, discount=n % 6 == 1)

    def plain(self, number: str, *, coupon: bool = False, discount: bool = False) -> Tree:
        """An order of plentiful goods, some with shipping; with a coupon, or with a discount shared by its lines."""
        wanted = self._picked(self.random.randint(1, 6))
        wanted += [(SHIPPING, 1)] if self.random.random() < 0.7 else []
        wanted += [(COUPON, 1)] if coupon else []
        return self._order(number, wanted, percent=10 if discount else 0, returnable=not coupon and not discount)

    def order_to_spoil(self, number: str) -> Tree:
        """A valid order with some goods, which never come back."""
        return self._order(number, [*self._picked(2), (SHIPPING, 1)])

    def cancellation(self, number: int) -> Tree:
        """Goods come back: all of an order, more of a line than was bought, or from somebody who never bought any."""
        market, content, person = self.returnable.pop(self.random.randrange(len(self.returnable)))
        lines = [[line.sku, line.quantity, str(line.price), _tax(line), _goods(line)] for line in content.lines]
        customer = content.customer
        if number % 3 == 1:
            lines = [[lines[0][0], content.lines[0].quantity + 2, *lines[0][2:]]]
        elif number % 3 == 2:
            customer, lines = "", lines[:1]
        return self._document("cancellation", f"C-{number:03}") | {
            "customer": customer,
            "currency": market.currency,
            "bill_to": str(content.bill_to),
            "person": _tree(person),
            "location": self.random.choice(LOCATIONS),
            "tax": _tree(content.tax),
            "lines": lines,
        }

    def _picked(self, lines: int) -> list[tuple[Product, int]]:
        picked = self.random.sample(GOODS, lines)
        return [(p, self.random.randint(20, 400) if p.decimals else self.random.randint(1, 4)) for p in picked]

    def _order(
        self, number: str, wanted: Sequence[tuple[Product, int]], *, percent: int = 0, returnable: bool = False
    ) -> Tree:
        market = self.random.choice(MARKETS)
        customer, name, city = self.random.choice(market.people)
        guest = self.random.random() < 0.25
        ref = PartyRef(f"guest-{number}" if guest else customer, 1)
        person = Person(name, city=city, country=market.country, email=f"{ref.id.lower()}@example.org")
        content = OrderContent(
            market.currency,
            _priced(market, wanted, percent),
            market.tax,
            customer="" if guest else customer,
            number=number,
            channel=self.random.choice(("web", "shop", "market")),
            external_id=number,
            bill_to=ref,
            ship_to=ref,
            country=market.country,
            terms=market.terms,
            policy=Policy(timezone=market.zone),
            requested=self._window(market),
            gift=self._gift(market),
            tags=("wholesale",) if market.terms.months else (),
        )
        if returnable and not guest:
            self.returnable.append((market, content, person))
        return self._document("order", number) | {"person": _tree(person), "content": _tree(content)}

    def _window(self, market: Market) -> DeliveryWish | None:
        if self.random.random() < 0.7:
            return None
        return DeliveryWish(
            self.now.date() + timedelta(days=self.random.randint(2, 9)), self.random.choice(market.slots)
        )

    def _gift(self, market: Market) -> Gift | None:
        if self.random.random() < 0.85:
            return None
        return Gift("cloth", self.random.choice(_NOSHI) if market.country == "JP" else "")

    def _document(self, kind: str, number: str) -> Tree:
        self.now += timedelta(minutes=self.random.randint(5, 240))
        return {"type": kind, "number": number, "at": self.now.isoformat().replace("+00:00", "Z")}


def _priced(market: Market, wanted: Sequence[tuple[Product, int]], percent: int) -> tuple[OrderLine, ...]:
    """The lines of an order; a discount of ``percent`` on the goods is shared among them."""
    nets = [line_minor(market.price(product), quantity, market.tax) for product, quantity in wanted]
    goods = [net if product.kind is LineKind.GOODS else 0 for net, (product, _) in zip(nets, wanted, strict=True)]
    discounts = spread(sum(goods) * percent // 100, goods) if sum(goods) else [0] * len(goods)
    return tuple(
        [
            OrderLine.of(
                line,
                product.sku,
                quantity,
                market.price(product),
                market.category(product),
                description=product.description,
                kind=product.kind,
                discount_minor=discount,
                weight_grams=product.weight_grams,
                policy=market.tax,
            )
            for line, ((product, quantity), discount) in enumerate(zip(wanted, discounts, strict=True), start=1)
        ]
    )


def _tree(value: object) -> Any:
    return json.loads(_CODEC.encode(value))


def _tax(line: OrderLine) -> str:
    return str(_tree(line.tax))


def _goods(line: OrderLine) -> bool:
    return line.kind is LineKind.GOODS


def _cut(tree: Tree) -> str:
    return _text(tree)[:-40]


def _foreign(tree: Tree) -> str:
    """A currency that does not exist."""
    return _text(tree).replace(f"{tree['content']['currency']}", "EUX")


def _fractional(tree: Tree) -> str:
    tree["content"]["lines"][0]["quantity"] = 1.5
    return _text(tree)


def _miscounted(tree: Tree) -> str:
    """An amount that does not follow from its price."""
    tree["content"]["lines"][1]["net_minor"] += 1
    return _text(tree)


def _twice(tree: Tree) -> str:
    """A repeated key: most JSON readers would keep the last."""
    return _text(tree)[:-1] + ', "number": "A-00001"}'


def _ringing(tree: Tree) -> str:
    tree["content"]["lines"][0]["description"] = "Tea\acup"
    return _text(tree)


def _unheard(tree: Tree) -> str:
    tree["content"]["priority"] = "high"
    return _text(tree)


def _unbilled(tree: Tree) -> str:
    tree["content"] |= {"bill_to": None, "currency": 978}
    return _text(tree)


def _known(tree: Tree) -> str:
    """The number of an earlier order."""
    return _text(tree | {"number": "A-00002"})


_FAULTS: Final[tuple[Callable[[Tree], str], ...]] = (
    _cut, _foreign, _fractional, _miscounted, _twice, _ringing, _unheard, _unbilled, _known,
)  # fmt: skip
