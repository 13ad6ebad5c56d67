"""Reading the rows of one kind: their present state, listings and history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from orderflow.domain.engine.bounds import Between, Length, Name, Text
from orderflow.domain.engine.decide import Loaded
from orderflow.domain.engine.limits import MAX_NAME
from orderflow.domain.engine.machine import Absent, Machine
from orderflow.domain.engine.schema import check, checked, faults_at
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.values import Location, Sku, StockRef
from orderflow.errors import InputError, Key, NotFound
from orderflow.ports.storage import MAX_FOUND, Query, Recorded, Row, Storage

if TYPE_CHECKING:
    from orderflow.customers import CustomerSummary
    from orderflow.domain.billing.account import Account
    from orderflow.domain.billing.credit_note import DraftedNote, IssuedNote
    from orderflow.domain.billing.invoice_state import InvoiceState
    from orderflow.domain.inventory.level import StockLevel
    from orderflow.domain.orders.amending import Difference
    from orderflow.domain.orders.state import OrderState
    from orderflow.domain.parties.customer import CustomerState
    from orderflow.domain.parties.party import Erased, PartyVersion, Restricted
    from orderflow.domain.payments.state import PaymentState
    from orderflow.domain.returns.state import ReturnState
    from orderflow.domain.shipping.state import ShipmentState

__all__ = ["CustomerRows", "OrderRows", "RowId", "Rows", "StockRows", "Subjects"]

S = TypeVar("S")

RowId = Annotated[str, Text(4 * MAX_NAME + 1, least=1)]
Found = Annotated[int, Between(1, MAX_FOUND)]
Columns = Annotated[tuple[Name, ...], Length(0, 20)]


class Rows(Generic[S]):
    """The rows of one kind. ``S`` is the type of their states. No method changes anything.

    Every method raises :class:`InputError` for an argument that does not fit its annotation.
    """

    def __init__(self, storage: Storage, machine: Machine) -> None:
        self._storage, self._machine = storage, machine

    @checked
    def get(self, id: RowId) -> S:  # noqa: A002 - the field's own name
        """The state of a row.

        Raises:
            NotFound: there is no such row.
        """
        key = self.key(id)
        version, state, _ = self._storage.read([key])[key]
        if version == 0:
            raise NotFound(key)
        found: S = state
        return found

    def find(
        self,
        *,
        status: Sequence[str] = (),
        where: Mapping[str, str | int] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        due_by: datetime | None = None,
        tag: str = "",
        text: str = "",
        cursor: int = 0,
        limit: int = 100,
    ) -> Sequence[Row[S]]:
        """Up to ``limit`` rows that meet all conditions, in order of creation.

        Args:
            status: names of states; rows in every state if there is none.
            where: columns of the kind, each with the value it must have.
            since: from this time on, by the row's own date, such as the day an order was placed.
            until: only what is dated before this time.
            due_by: only what falls due by this time: an order's first allocation to expire, an invoice's due date.
            tag: one of its tags.
            text: a part of its number, external id, tags or customer.
            cursor: only rows after the one that had this cursor.
            limit: 1 to 1000.

        Raises:
            InputError: also if the kind has no such state or column.
        """
        query = Query(
            self._machine.kind, _tuple("status", status), _items(where), since, until, due_by, tag, text, cursor, limit
        )
        check(query)
        self._check_status(query.status)
        return self._storage.find(query)

    @checked
    def history(self, id: RowId) -> Iterator[Recorded]:  # noqa: A002
        """Every event of a row, oldest first; empty if there is no such row."""
        return self._storage.history(self.key(id))

    def sums(self, columns: Sequence[str], by: Sequence[str] = ()) -> Mapping[tuple[str, ...], tuple[int, ...]]:
        """Exact sums of integer columns over all rows, grouped by other columns; the column ``*`` counts rows."""
        return self._sums(_tuple("columns", columns), _tuple("by", by))

    @checked
    def _sums(self, columns: Columns, by: Columns) -> Mapping[tuple[str, ...], tuple[int, ...]]:
        return self._storage.sums(self._machine.kind, columns, by)

    def key(self, id: str) -> Key:  # noqa: A002 - the field's own name
        """The key of a row."""
        return Key(self._storage.tenant, self._machine.kind, id)

    def _check_status(self, status: tuple[str, ...]) -> None:
        known = [state.__name__ for state in self._machine.states if state is not Absent]
        unknown = [name for name in status if name not in known]
        if unknown:
            message = f"{', '.join(unknown)}: a state of {self._machine.kind!r} is one of {', '.join(known)}"
            raise InputError.at("status", "not_a_choice", message)


class OrderRows(Rows["OrderState"]):
    """Orders."""

    @checked
    def amendment(self, id: RowId) -> Difference | None:  # noqa: A002
        """What the order costs before and after its proposed amendment; None where none can be confirmed now.

        Raises:
            NotFound: there is no such order.
        """
        from orderflow.domain.orders.amending import difference

        order: OrderState = self.get(id)
        return difference(order)


class StockRows(Rows["StockLevel"]):
    """Stock: one row for each SKU at each location, with the id ``SKU@location``."""

    @checked
    def level(self, sku: Sku, location: Location = "main") -> StockLevel:
        """The stock of a SKU at a location; its ``available`` units may be promised.

        Raises:
            NotFound: none was ever received there.
        """
        return self.get(str(StockRef(sku, location)))

    def movements(self) -> Mapping[tuple[str, str, str], int]:
        """All stock movements, summed: (SKU, location, event type) to units."""
        return self._storage.movements()


class CustomerRows(Rows["CustomerState"]):
    """Customers. Whom they are is in the vault (``shop.parties``); these reads give no personal data."""

    @checked
    def summary(self, id: RowId) -> CustomerSummary:  # noqa: A002
        """A customer with its duplicates: orders by state, figures by currency, open invoices, returns.

        Raises:
            NotFound: there is no such customer.
        """
        from orderflow.customers import summary

        return summary(self._storage, id)

    @checked
    def search(self, text: Name, *, after: Name = "", limit: Found = 100) -> Sequence[Row[CustomerState]]:
        """Customers found by the beginning of a name or of its reading, or by a telephone number or mail address.

        Spelling does not matter: neither case, nor width, nor kind of kana, nor how a number is grouped. They come by
        id, at most ``limit``, those after the id ``after``.
        """
        from orderflow.customers import search

        return search(self._storage, text, after, limit)


class Subjects:
    """The readers of a shop's rows: one for each subject, typed by the states it returns."""

    workflow: Workflow
    storage: Storage

    @property
    def orders(self) -> OrderRows:
        return OrderRows(self.storage, self.workflow.machines["order"])

    @property
    def stock(self) -> StockRows:
        return StockRows(self.storage, self.workflow.machines["stock"])

    @property
    def shipments(self) -> Rows[ShipmentState]:
        return self.rows("shipment")

    @property
    def invoices(self) -> Rows[InvoiceState]:
        return self.rows("invoice")

    @property
    def credit_notes(self) -> Rows[DraftedNote | IssuedNote]:
        return self.rows("credit_note")

    @property
    def payments(self) -> Rows[PaymentState]:
        return self.rows("payment")

    @property
    def returns(self) -> Rows[ReturnState]:
        return self.rows("return")

    @property
    def customers(self) -> CustomerRows:
        return CustomerRows(self.storage, self.workflow.machines["customer"])

    @property
    def accounts(self) -> Rows[Account]:
        return self.rows("account")

    @property
    def parties(self) -> Rows[PartyVersion | Restricted | Erased]:
        """The vault: the only rows that hold personal data, with the id ``party@version``."""
        return self.rows("party")

    def rows(self, kind: str) -> Rows[Any]:
        """The rows of any kind of the workflow, including a host's own kinds.

        Raises:
            InputError: the workflow has no such kind.
        """
        machine = self.workflow.machines.get(kind) if isinstance(kind, str) else None
        if machine is None:
            raise InputError.at("kind", "unknown_kind", f"must be one of {', '.join(self.workflow.machines)}")
        return Rows(self.storage, machine)

    def key(self, kind: str, id: str) -> Key:  # noqa: A002 - the row's id
        """The key of a row of this shop."""
        return Key(self.storage.tenant, kind, id)

    def read(self, keys: Sequence[Key]) -> Mapping[Key, Loaded]:
        """Rows as they stand: version 0 and ``ABSENT`` where nothing is stored."""
        if not isinstance(keys, list | tuple):
            raise InputError.at("keys", "wrong_type", "must be a list or tuple of Key")
        faults = [fault for at, key in enumerate(keys) for fault in faults_at(f"keys[{at}]", Key, key)]
        if faults:
            raise InputError(faults)
        return self.storage.read(keys)


def _tuple(path: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, list | tuple):
        return tuple(value)
    raise InputError.at(path, "wrong_type", f"must be a list or tuple of texts, not {type(value).__name__}")


def _items(where: Any) -> tuple[tuple[Any, Any], ...]:
    if where is None:
        return ()
    if not isinstance(where, Mapping):
        raise InputError.at("where", "wrong_type", f"must map columns to values, not {type(where).__name__}")
    return tuple(where.items())
