"""What a shop knows of a customer and its duplicates, in one read: history, balance, exposure and figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from orderflow.domain.billing.account import Account, Sums
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.record import Record
from orderflow.domain.money.money import Money
from orderflow.domain.parties.customer import CustomerState, Merged
from orderflow.domain.parties.searching import terms_of
from orderflow.errors import Key, NotFound
from orderflow.ports.storage import MAX_FOUND, Query, Row, Storage

__all__ = ["CustomerFigures", "CustomerSummary"]

#: Orders, invoices and so on that the summary names; the others are counted.
NAMED: Final = 20


class CustomerFigures(Record):
    """Sums of one currency over a customer and its duplicates, in minor units.

    ``charged_minor`` and ``credited_minor`` are of all time, and their difference is what the customer was worth.
    ``open_minor`` is what its invoices have open.
    """

    currency: str
    charged_minor: int
    credited_minor: int
    paid_minor: int
    written_off_minor: int
    balance_minor: int
    exposure_minor: int
    open_minor: int

    @property
    def value_minor(self) -> int:
        """What was charged, less what was credited."""
        return self.charged_minor - self.credited_minor


class CustomerSummary(Record):
    """A customer and its duplicates, without personal data.

    ``limit`` and ``blocked`` are the account's own: the limit bounds the exposure of this account alone.
    """

    id: str
    state: CustomerState
    duplicates: tuple[str, ...]
    merged_into: str
    orders: Mapping[str, int]
    last_order_at: datetime | None
    last_orders: tuple[str, ...]
    open_invoices: tuple[str, ...]
    returns: int
    figures: tuple[CustomerFigures, ...]
    limit: Money | None
    blocked: bool

    def of(self, currency: str) -> CustomerFigures:
        """The figures of one currency, zero where there are none."""
        found = (figures for figures in self.figures if figures.currency == currency)
        return next(found, CustomerFigures(currency, 0, 0, 0, 0, 0, 0, 0))


def summary(storage: Storage, id: str) -> CustomerSummary:  # noqa: A002 - the field's own name
    """One read; its cost grows with the documents of this customer, not with what is stored.

    Raises:
        NotFound: there is no such customer.
    """
    states = _with_duplicates(storage, id)
    orders = [row for each in states for row in _documents(storage, "order", "customer", each)]
    placed = sorted([row for row in orders if _placed_at(row)], key=_placed_at, reverse=True)
    invoices = [row for each in states for row in _documents(storage, "invoice", "customer", each, ("open", 1))]
    accounts = _accounts(storage, states)
    own, state = accounts[0], states[id]
    return CustomerSummary(
        id=id,
        state=state,
        duplicates=tuple(each for each in states if each != id),
        merged_into=state.into if isinstance(state, Merged) else "",
        orders=dict(sorted(Counter(type(row.state).__name__ for row in orders).items())),
        last_order_at=_placed_at(placed[0]) if placed else None,
        last_orders=tuple(row.key.id for row in placed[:NAMED]),
        open_invoices=tuple(row.key.id for row in invoices),
        returns=len(_returns(storage, states, orders)),
        figures=tuple(_figures(accounts, invoices)),
        limit=own.limit,
        blocked=own.blocked,
    )


def search(storage: Storage, text: str, after: str, limit: int) -> Sequence[Row[CustomerState]]:
    """Customers whose name, reading, telephone number or mail address the text may be, by id."""
    terms = terms_of(text)
    keys = storage.search(terms, after, limit) if terms else ()
    return [Row(0, key, found.version, found.state) for key, found in storage.read(keys).items()]


def _with_duplicates(storage: Storage, id: str) -> dict[str, CustomerState]:  # noqa: A002
    """The customer, those merged into it, those merged into these, and so on."""
    found: dict[str, CustomerState] = {}
    wanted = [id]
    while wanted:
        rows = storage.read([Key(storage.tenant, "customer", each) for each in wanted])
        for key, row in rows.items():
            if row.state is ABSENT:
                raise NotFound(key)
            found[key.id] = row.state
        wanted = [each for row in rows.values() for each in row.state.profile.merged if each not in found]
    return found


def _returns(storage: Storage, customers: Iterable[str], orders: Iterable[Row[Any]]) -> set[str]:
    """Returns that name a customer, and those of orders of which something has left."""
    sent = [row.key.id for row in orders if _has_left(row.state)]
    named = (row for each in customers for row in _documents(storage, "return", "customer", each))
    known = (row for order in sent for row in _documents(storage, "return", "order_id", order))
    return {row.key.id for row in (*named, *known)}


def _has_left(state: Any) -> bool:
    progress = getattr(state, "progress", None)
    return progress is not None and any(vector.dispatched for vector in progress.lines)


def _documents(storage: Storage, kind: str, by: str, id: str, *where: tuple[str, int]) -> Iterator[Row[Any]]:  # noqa: A002
    cursor = 0
    while page := storage.find(Query(kind, where=((by, id), *where), cursor=cursor, limit=MAX_FOUND)):
        yield from page
        cursor = page[-1].cursor


def _placed_at(row: Row[Any]) -> Any:
    return getattr(row.state, "placed_at", None)


def _accounts(storage: Storage, customers: Mapping[str, CustomerState]) -> list[Account]:
    """The accounts, the customer's own first; a new one where nothing was posted."""
    keys = [Key(storage.tenant, "account", each) for each in customers]
    rows = storage.read(keys)
    return [Account() if rows[key].state is ABSENT else rows[key].state for key in keys]


def _figures(accounts: Sequence[Account], invoices: Sequence[Row[Any]]) -> Iterator[CustomerFigures]:
    opened: Counter[str] = Counter()
    for row in invoices:
        opened[row.state.content.currency] += getattr(row.state, "open_minor", 0)
    posted = [sums for account in accounts for sums in account.sums]
    for currency in sorted({sums.currency for sums in posted} | opened.keys()):
        total = _total(currency, posted)
        yield CustomerFigures(
            currency,
            total.invoiced,
            total.credited,
            total.paid,
            total.written_off,
            total.balance,
            total.exposure,
            opened[currency],
        )


def _total(currency: str, posted: Sequence[Sums]) -> Sums:
    of = [sums for sums in posted if sums.currency == currency]
    return Sums(
        currency,
        sum(sums.ordered for sums in of),
        sum(sums.invoiced for sums in of),
        sum(sums.credited for sums in of),
        sum(sums.paid for sums in of),
        sum(sums.written_off for sums in of),
    )
