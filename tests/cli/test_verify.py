"""The verifier: silent on a sound database, and each planted fault is found under its invariant."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from orderflow.adapters.storage.audit import SqliteAudit
from orderflow.domain.standard import MACHINES, standard_book
from orderflow.verify import Report, verify


def audited(path: Path, tenant: str = "main") -> Report:
    with SqliteAudit(path, MACHINES, tenant=tenant) as source:
        return verify(source, standard_book(source.templates()))


def test_a_sound_database_has_no_violation(history_file: Path) -> None:
    """A rich history, worked through the facade, breaks no invariant, and every one of them is looked at."""
    report = audited(history_file)
    assert [finding for finding in report.findings if finding.violations] == []
    assert [finding.invariant for finding in report.findings if not finding.checked] == []
    assert report.unknown == ()


def test_tenants_of_one_file_are_verified_apart(history_file: Path) -> None:
    """Two tenants share ids in one file; each is sound on its own."""
    assert audited(history_file, "other").violations == 0


#: What is planted, with SQL, and the invariant it must be found under.
PLANTED = {
    "oversold counter": ("I02", "UPDATE stock SET state = json_set(state, '$.allocated', 900) WHERE id = 'TEA@main'"),
    "oversold column": ("I26", "UPDATE stock SET allocated = 900 WHERE id = 'TEA@main'"),
    "counter that no order holds": ("I03", "UPDATE stock SET state = json_set(state, '$.allocated', 4) WHERE id = 'TEA@main'"),
    "units on hand": ("I07", "UPDATE stock SET state = json_set(state, '$.on_hand', 99) WHERE id = 'TEA@main'"),
    "movement without its document": ("I08", "UPDATE journal SET data = json_set(data, '$.document', '') WHERE type = 'UnitsShipped'"),
    "movement of another quantity": ("I08", "UPDATE journal SET data = json_set(data, '$.quantity', 2) WHERE type = 'UnitsAllocated'"),
    "missing journal row": ("I41", "DELETE FROM journal WHERE kind = 'order' AND id = 'o-1' AND version = 3"),
    "missing last journal row": (
        "I41",
        "DELETE FROM journal WHERE kind = 'order' AND id = 'o-1' AND version = (SELECT max(version) FROM journal WHERE id = 'o-1' AND kind = 'order')",
    ),
    "row without journal": ("I43", "DELETE FROM journal WHERE kind = 'party' AND id = 'ann@1'"),
    "journal without row": ("I43", "DELETE FROM orders WHERE id = 'o-5'"),
    "changed invoice amount": ("I22", "UPDATE invoices SET state = json_set(state, '$.totals.gross_minor', 1) WHERE id = 'o-1/1'"),
    "changed invoice line": ("I21", "UPDATE invoices SET state = json_set(state, '$.content.lines[0][3]', 764) WHERE id = 'o-1/1'"),
    "changed due date": ("I21", "UPDATE invoices SET state = json_set(state, '$.due', '2030-01-01') WHERE id = 'o-1/1'"),
    "credits beyond the invoice": (
        "I21",
        "UPDATE invoices SET state = json_set(state, '$.amounts.credited', 99999) WHERE id = 'o-1/1'",
    ),
    "number gap": (
        "I18",
        "UPDATE journal SET data = json_set(data, '$.number', 105) WHERE type = 'NumberAllotted' AND version = 3",
    ),
    "duplicate number": ("I17", "UPDATE invoices SET state = json_set(state, '$.number', 'INV-000100') WHERE id = 'o-2/1'"),
    "number of another document": (
        "I17",
        "UPDATE journal SET data = json_set(data, '$.document', 'o-9/1') WHERE type = 'NumberAllotted' AND version = 2",
    ),
    "numbers out of time": (
        "I19",
        "UPDATE commands SET at = '2020-01-01T00:00:00' WHERE n = (SELECT command_n FROM journal WHERE kind = 'series' AND id = 'invoice' AND version = 3)",
    ),
    "order state changed": ("I11", "UPDATE orders SET status = 'Shipped' WHERE id = 'o-4'"),
    "order state of another class": ("I43", "UPDATE orders SET status = 'Placed', state = json_remove(state, '$.confirmed_at') WHERE id = 'o-4'"),
    "vector changed": ("L1", "UPDATE orders SET state = json_set(state, '$.progress.lines[0].delivered', 7) WHERE id = 'o-1'"),
    "more returned than shipped": (
        "I43",
        "UPDATE orders SET state = json_set(state, '$.progress.lines[0]', json('{\"returned\":3,\"invoiced\":3,\"credited\":1}')) WHERE id = 'o-1'",
    ),
    "more shipped than is left": ("I06", "UPDATE orders SET state = json_set(state, '$.progress.lines[0].cancelled', 2) WHERE id = 'o-1'"),
    "billed beyond its invoices": ("I20", "UPDATE orders SET state = json_set(state, '$.progress.lines[0].invoiced', 9) WHERE id = 'o-1'"),
    "order totals": ("I13", "UPDATE orders SET state = json_set(state, '$.totals.net_minor', 1) WHERE id = 'o-1'"),
    "basket changed after it was placed": ("I13", "UPDATE baskets SET basket = json_set(basket, '$.lines[0].net_minor', 1) WHERE id = 'o-1'"),
    "line numbers": ("I12", "UPDATE baskets SET basket = json_set(basket, '$.lines[0].line', 5) WHERE id = 'o-1'"),
    "quantity out of bounds": ("I16", "UPDATE baskets SET basket = json_set(basket, '$.lines[0].quantity', 0) WHERE id = 'o-1'"),
    "cancelled order with exposure": ("I15", "UPDATE orders SET state = json_set(state, '$.progress.exposed_minor', 5) WHERE id = 'o-5'"),
    "account sum off": ("I24", "UPDATE accounts SET state = json_set(state, '$.sums[0].invoiced', 1) WHERE id = 'ann'"),
    "payment refunded twice": ("I25", "UPDATE payments SET state = json_set(state, '$.funds.refunded', 2000)"),
    "exposure beyond the limit": ("I27", "UPDATE journal SET data = json_set(data, '$.limit.minor', 5) WHERE type = 'CreditLimitSet'"),
    "column off": ("I26", "UPDATE orders SET total_minor = 1 WHERE id = 'o-1'"),
    "outbox row missing": ("I32", "DELETE FROM outbox WHERE id = 'order/o-1/1/notify/0'"),
    "ghost outbox row": (
        "I32",
        "INSERT INTO outbox (tenant, id, topic, lane_kind, lane_id, data) VALUES ('main', 'order/o-77/1/notify/0', 'notify', 'order', 'o-77', '[]')",
    ),
    "outbox row of an event that asks for nothing": (
        "I32",
        "INSERT INTO outbox (tenant, id, topic, lane_kind, lane_id, data) VALUES ('main', 'order/o-1/3/unbill/0', 'unbill', 'order', 'o-1', '[]')",
    ),
    "outbox row that says something else": ("I32", "UPDATE outbox SET data = '[[\"template\",\"invoice_issued\"]]' WHERE id = 'order/o-1/1/notify/0'"),
    "time going back": ("I46", "UPDATE commands SET at = '2020-01-01T00:00:00' WHERE n = (SELECT max(command_n) FROM journal WHERE id = 'o-1' AND kind = 'order' AND tenant = 'main')"),
    "event of a wrong type": ("I09", "UPDATE journal SET type = 'DraftDiscarded', data = '{\"at\":\"2026-04-01T09:00:00Z\"}' WHERE kind = 'order' AND id = 'o-1' AND version = 2"),
    "event that makes no sense": ("I54", "UPDATE journal SET data = '{}' WHERE kind = 'order' AND id = 'o-1' AND version = 2"),
    "state that makes no sense": ("I54", "UPDATE invoices SET state = '{}' WHERE id = 'o-1/1'"),
    "command missing": ("I38", "DELETE FROM commands WHERE n = (SELECT command_n FROM journal WHERE id = 'o-1' AND kind = 'order' AND version = 2)"),
    "command without events": (
        "I38",
        "INSERT INTO commands (tenant, id, fingerprint, kind, row_id, version, command, actor, at, cause, workflow) VALUES ('main', 'x', 'x', 'order', 'o-1', 1, 'x', 'x', '2026-04-01T09:00:00', '', 'x')",
    ),
    "nobody's command": ("I47", "UPDATE commands SET actor = '' WHERE n = 5"),
    "reaction that nobody caused": (
        "I42",
        "UPDATE journal SET data = json_set(data, '$.document', 'o-77') WHERE type = 'ExposureTaken'",
    ),
    "shipment item changed": ("I29", "UPDATE shipments SET state = json_set(state, '$.items[0][3]', 1) WHERE id = 'o-1/1'"),
    "tracking number twice": ("I30", "UPDATE shipments SET state = json_set(state, '$.carriage[1].tracking_number', 'memory-2') WHERE id = 'o-1/1'"),
    "reference to nothing": ("DB", "UPDATE journal SET command_n = 9999 WHERE position = 7"),
    "entry of another tenant": ("I49", "UPDATE journal SET command_n = (SELECT n FROM commands WHERE tenant = 'other' LIMIT 1) WHERE kind = 'order' AND id = 'o-1' AND version = 2 AND tenant = 'main'"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_is_found_under_its_invariant(name: str, history_copy: Path) -> None:
    """What is changed behind the library's back is found, under the invariant it breaks."""
    invariant, statement = PLANTED[name]
    connection = sqlite3.connect(history_copy)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    assert connection.execute(statement).rowcount > 0
    connection.commit()
    connection.close()
    broken = {finding.invariant for finding in audited(history_copy).findings if finding.violations}
    assert invariant in broken
