"""Search keys in SQLite: one table, written in the transaction that writes the rows they derive from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from orderflow.adapters.storage.session import Session
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.parties.searching import SEARCHED_KINDS, USES, SearchTerm, search_keys
from orderflow.errors import Key
from orderflow.ports.storage import VAULT

#: After every text that begins with what it follows.
_LAST: Final = "\U0010ffff"

#: All keys of a row, whatever they are: another release may have written them by other rules.
DELETE: Final = "DELETE FROM search_keys WHERE tenant = ? AND kind = ? AND id = ?"
INSERT: Final = "INSERT INTO search_keys (tenant, kind, id, field, value) VALUES (?, ?, ?, ?, ?)"

_SEARCH: Final = """
    SELECT DISTINCT used.id FROM search_keys AS person
    JOIN search_keys AS used ON used.tenant = person.tenant AND used.field = '{uses}' AND used.value = person.id
    WHERE person.tenant = ? AND person.field = ? AND {test} AND used.id > ? ORDER BY used.id LIMIT ?
"""
EXACT: Final = _SEARCH.format(uses=USES, test="person.value = ?")
PREFIX: Final = _SEARCH.format(uses=USES, test="person.value >= ? AND person.value < ?")


def write_keys(session: Session, changes: Iterable[tuple[Key, Any, Any]]) -> None:
    """Bring the search keys of rows up to date; a change is a row's key, and its state before and after."""
    for key, before, after in changes:
        if key.kind in SEARCHED_KINDS and (
            key.kind in VAULT or search_keys(key.kind, before) != search_keys(key.kind, after)
        ):
            if before is not ABSENT:
                session.run(DELETE, key)
            for field, value in sorted(search_keys(key.kind, after)):
                session.run(INSERT, (*key, field, value))


def search(session: Session, tenant: str, terms: Iterable[SearchTerm], after: str, limit: int) -> list[Key]:
    """Customers who use a party with any of the terms, by id."""
    found: set[str] = set()
    for field, value, prefix in terms:
        bounds = (value, value + _LAST) if prefix else (value,)
        rows = session.rows(PREFIX if prefix else EXACT, (tenant, field, *bounds, after, limit))
        found.update(id_ for (id_,) in rows)
    return [Key(tenant, "customer", id_) for id_ in sorted(found)[:limit]]
