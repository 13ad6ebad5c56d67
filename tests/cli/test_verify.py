"""The verifier: silent on a sound database, and each planted fault is found under its invariant."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from orderflow.adapters.storage.audit import SqliteAudit
from orderflow.audit.invariants import INVARIANTS, UNCHECKED
from orderflow.audit.verify import Report, verify
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.workflow.table import MACHINES, standard_workflow
from orderflow.errors import StorageError

STANDARD = standard_workflow()
#: A workflow of another fingerprint: it tells customers nothing.
SILENT = standard_workflow(())


def audited(path: Path, *workflows: Workflow, tenant: str = "main") -> Report:
    """The verifier's report on a file, by the standard workflow where none is given."""
    with SqliteAudit(path, MACHINES, tenant=tenant) as source:
        return verify(source, *(workflows or (STANDARD,)))


def plant(path: Path, statement: str) -> None:
    """Change a file behind the library's back, so that at least one row is another."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("PRAGMA writable_schema = ON")
    assert connection.execute(statement).rowcount > 0
    connection.commit()
    connection.close()


def broken(report: Report) -> set[str]:
    """The invariants of which a violation was found."""
    return {finding.invariant for finding in report.findings if finding.violations}


def test_a_sound_database_has_no_violation(history_file: Path) -> None:
    """A rich history, worked through the facade, breaks no invariant, and every one of them is looked at."""
    report = audited(history_file)
    assert [finding for finding in report.findings if finding.violations] == []
    assert [finding.invariant for finding in report.findings if not finding.checked] == []
    assert report.unknown == ()


def test_tenants_of_one_file_are_verified_apart(history_file: Path) -> None:
    """Two tenants share ids in one file; each is sound on its own."""
    assert audited(history_file, tenant="other").violations == 0


def state(table: str, row: str, path: str, value: str) -> str:
    """A statement that changes one place of a stored state."""
    return f"UPDATE {table} SET state = json_set(state, '$.{path}', {value}) WHERE id = '{row}'"


def event(type_: str, path: str, value: str) -> str:
    """A statement that changes one place of every event of a type."""
    return f"UPDATE journal SET data = json_set(data, '$.{path}', {value}) WHERE type = '{type_}'"


def content(path: str, value: str) -> str:
    """A statement that changes one place of what was ordered."""
    return event("OrderPlaced", f"content.{path}", value) + " AND id = 'o-1'"


def sent(id_: str) -> str:
    """A statement that adds a message."""
    names = "tenant, id, n, topic, lane_kind, lane_id, data, due_at"
    return f"INSERT INTO outbox ({names}) VALUES ('main', '{id_}', 9999, 'drop_items', 'order', 'o-1', '[]', '2026')"


def command(change: str, entry: str) -> str:
    """A statement that changes the command which an entry of the journal cites."""
    return f"UPDATE commands SET {change} WHERE tenant = 'main' AND id = (SELECT command_id FROM journal WHERE {entry})"


#: The tracking number of another shipment.
TWIN = "(SELECT json_extract(state, '$.carriage[1].tracking_number') FROM shipments WHERE id = 'o-2/1')"

CONFIRMED = "kind = 'order' AND id = 'o-1' AND version = 2 AND tenant = 'main'"
LAST = "kind = 'order' AND id = 'o-1' AND tenant = 'main' ORDER BY version DESC LIMIT 1"
REMEMBERED = "fingerprint, kind, row_id, version, command, actor, at, cause, workflow, occurred_at"
SECOND_NUMBER = "kind = 'series' AND id = 'invoice' AND version = 3"
PLACED = "(SELECT json_extract(data, '$.content') FROM journal WHERE id = 'o-1' AND type = 'OrderPlaced')"

RESERVED = """json('[["card/9",5,null]]')"""

#: What is planted, and the invariant it must be found under.
PLANTED = {
    "broken chain of events": ("DB", f"UPDATE journal SET previous = 7 WHERE {CONFIRMED}"),
    "message in no state": ("DB", "UPDATE outbox SET state = 'gone' WHERE id = 'main/order/o-1/1/notify/0'"),
    "page that nothing uses": ("DB", "DELETE FROM sqlite_schema WHERE name = 'stock_sku'"),
    "shipment of nothing": ("LAW", state("shipments", "o-1/1", "items", "json('[]')")),
    "reaction that cannot be told": ("LAW", content("policy", """json('{"timezone":"No/Where"}')""")),
    "currency that does not exist": ("LAW", content("currency", "'ZZZ'")),
    "vector changed": ("L1", state("orders", "o-1", "progress.lines[0].delivered", "7")),
    "negative counter": ("I02", state("stock", "TEA@main", "missing", "-1")),
    "counter that no order holds": ("A3", state("stock", "TEA@main", "allocated", "1")),
    "demand that nobody waits for": ("A3", state("stock", "POT@main", "backordered", "2")),
    "demand of another priority": ("A3", state("stock", "POT@main", "classes", "json('[[1,1]]')")),
    "units back that no shelf took": ("A4", event("UnitsReturned", "location", "'south'")),
    "more held by a return than came back": ("A5", state("returns", "r-1", "goods.lots[0][5]", "9")),
    "units back that nobody inspects": ("A6", event("UnitsReturned", "in_return", "json('false')")),
    "units that wait in returns": ("I07", state("stock", "TEA@main", "in_returns", "0")),
    "more shipped than is left": ("I06", state("orders", "o-1", "progress.lines[0].cancelled", "2")),
    "units on hand": ("I07", state("stock", "TEA@main", "on_hand", "99")),
    "units allocated": ("I07", state("stock", "TEA@main", "allocated", "900")),
    "units set aside": ("I07", state("stock", "TEA@main", "quarantined", "1")),
    "units not found": ("I07", state("stock", "TEA@main", "missing", "1")),
    "units announced": ("I07", state("stock", "TEA@main", "incoming", "1")),
    "units that left": ("I07", event("UnitsShipped", "found", "1")),
    "movement without its document": ("I08", event("UnitsShipped", "document", "''")),
    "movement of another quantity": ("I08", event("UnitsAllocated", "quantity", "2")),
    "event of a wrong type": (
        "I09",
        f"""UPDATE journal SET type = 'DraftDiscarded', data = '{{"at":"2026-04-01T09:00:00Z"}}' WHERE {CONFIRMED}""",
    ),
    "command that does not lead there": ("I09", command("command = 'AnnotateOrder'", CONFIRMED)),
    "order state changed": ("I11", "UPDATE orders SET status = 'Shipped' WHERE id = 'o-4'"),
    "line numbers": ("I12", content("lines[0].line", "2")),
    "line amount": ("I13", content("lines[0].net_minor", "1")),
    "order totals": ("I13", state("orders", "o-1", "totals.net_minor", "1")),
    "content changed after it was placed": (
        "I14",
        f"""UPDATE orders SET content = NULL, state = json_set(state, '$.content', json_set({PLACED}, '$.number', '9'))
            WHERE id = 'o-1' AND tenant = 'main'""",
    ),
    "cancelled order with stock": ("I15", state("orders", "o-5", "progress.lines[0].open", "5")),
    "quantity out of bounds": ("I16", content("lines[0].quantity", "0")),
    "duplicate number": ("I17", state("invoices", "o-2/1", "number", "'INV-000100'")),
    "document without its number": (
        "I17",
        "UPDATE invoices SET status = 'Draft', state = json_remove(state, '$.number', '$.amounts') WHERE id = 'o-1/1'",
    ),
    "number of no document": (
        "I17",
        f"UPDATE journal SET data = json_set(data, '$.document', 'x') WHERE {SECOND_NUMBER}",
    ),
    "text of another series' number": (
        "I17",
        "UPDATE journal SET data = json_set(data, '$.text', 'INV-000100') WHERE kind = 'series' AND id = 'credit'",
    ),
    "number gap": ("I18", f"UPDATE journal SET data = json_set(data, '$.number', 105) WHERE {SECOND_NUMBER}"),
    "numbers out of time": (
        "I19",
        command("at = '2020-01-01'", SECOND_NUMBER),
    ),
    "date before that of the number before": (
        "I19",
        f"UPDATE journal SET data = json_set(data, '$.on', '2026-03-31') WHERE {SECOND_NUMBER}",
    ),
    "billed beyond what was dispatched": ("I20", event("UnitsBilled", "lines[0][1]", "9")),
    "changed invoice line": ("I21", state("invoices", "o-1/1", "content.lines[0][3]", "764")),
    "changed due date": ("I21", state("invoices", "o-1/1", "due_date", "'2030-01-01'")),
    "credits beyond the invoice": ("I21", state("invoices", "o-1/1", "amounts.credited", "99999")),
    "rounded for no coin": (
        "I22",
        """UPDATE invoices SET state = json_set(state, '$.totals.rounding_minor', 1,
            '$.totals.gross_minor', 1 + json_extract(state, '$.totals.gross_minor')) WHERE id = 'o-1/1'""",
    ),
    "changed invoice amount": ("I22", state("invoices", "o-1/1", "totals.gross_minor", "1")),
    "balance off": ("B1", state("accounts", "ann", "sums[0].paid", "1")),
    "balance off by a payment": ("B1", state("payments", "bank/1", "funds.received", "5000")),
    "account sum off": ("B2", state("accounts", "ann", "sums[0].invoiced", "1")),
    "sums that only look right": (
        "B2",
        """UPDATE accounts SET state = json_set(state,
            '$.sums[0].invoiced', 1 + json_extract(state, '$.sums[0].invoiced'),
            '$.sums[0].credited', 1 + json_extract(state, '$.sums[0].credited')) WHERE id = 'ann'""",
    ),
    "billed beyond its invoices": ("B3", state("orders", "o-1", "progress.lines[0].invoiced", "9")),
    "net beyond its invoices": ("B3", state("orders", "o-1", "progress.lines[0].unit_minor", "9")),
    "a line that is not its share": ("B4", state("orders", "o-2", "progress.lines[0].unit_minor", "1")),
    "a reduction nobody gave": ("B3", state("orders", "o-1", "progress.lines[1].reduced_minor", "9")),
    "credited beyond its notes": ("B5", state("invoices", "o-1/1", "amounts.credited", "1")),
    "units credited beyond its notes": ("B5", state("invoices", "o-1/1", "amounts.lines[0][0]", "2")),
    "kept beyond its payments": ("LAW", state("orders", "o-11", "progress.pool_minor", "9")),
    "kept of another payment": ("B6", state("orders", "o-11", "progress.prepayments[0][0]", "'bank/9'")),
    "a payment that pays another order": ("B6", state("payments", "bank/2", "funds.applications[0][1]", "'o-1'")),
    "a bill that is due twice": ("B7", state("orders", "o-2", "progress.bills[0][1]", "9")),
    "prepaid on the invoice alone": ("B7", state("invoices", "o-2/1", "amounts.prepaid", "9")),
    "paid beyond its payments": ("B8", state("invoices", "o-2/1", "amounts.paid_by[0][1]", "9")),
    "credit used that no note gave": ("B9", state("invoices", "o-2/1", "amounts.credit_used[0][1]", "9")),
    "credit given that no invoice used": ("B9", state("credit_notes", "k-2", "used[0][1]", "9")),
    "reserved by no payment": (
        "B10",
        state("orders", "o-2", "progress.authorisations", """json('[["card/9",5,null]]')"""),
    ),
    "a gate opened by no money": ("F1", event("PrepaymentRecorded", "amount_minor", "5")),
    "exposure off": ("F2", state("accounts", "bob", "sums[0].ordered", "1")),
    "completed with something to bill": ("F3", event("UnitsBilled", "lines[0][1]", "1")),
    "payment refunded twice": ("I25", state("payments", "bank/1", "funds.refunded", "2000")),
    "column off": ("I26", "UPDATE orders SET total_minor = 1 WHERE id = 'o-1'"),
    "parcel said to wait that does not": ("I26", "UPDATE shipments SET open = 1 - open WHERE id = 'o-1/1'"),
    "row that points to another event": ("I26", "UPDATE orders SET last = 1 WHERE id = 'o-1'"),
    "row that changed at another time": ("I26", "UPDATE orders SET changed_at = '2026' WHERE id = 'o-1'"),
    "exposure beyond the limit": ("I27", event("CreditLimitSet", "limit.minor", "5")),
    "order that waits for nothing": (
        "D1",
        "UPDATE orders SET status = 'Allocated', state = json_remove(state, '$.completed_at') WHERE id = 'o-1'",
    ),
    "fate of a unit changed": ("A1", state("shipments", "o-1/1", "fates[0][0]", "1")),
    "shipment item changed": ("A2", state("shipments", "o-4/1", "items[0][3]", "1")),
    "tracking number twice": ("I30", state("shipments", "o-1/1", "carriage[1].tracking_number", TWIN)),
    "outbox row missing": ("I32", "DELETE FROM outbox WHERE id = 'main/order/o-1/1/notify/0'"),
    "ghost outbox row": ("I32", sent("main/order/o-77/1/drop_items/0")),
    "outbox row that says nonsense": ("I32", "UPDATE outbox SET data = '{' WHERE id = 'main/order/o-1/1/notify/0'"),
    "outbox row of no version": ("I32", sent("main/order/o-1/x/drop_items/0")),
    "outbox row without an event": ("I32", sent("something")),
    "outbox row of an event that asks for nothing": ("I32", sent("main/order/o-1/3/drop_items/0")),
    "outbox row of another topic": (
        "I32",
        "UPDATE outbox SET topic = 'drop_items' WHERE id = 'main/order/o-1/1/notify/0'",
    ),
    "outbox row without a number": ("I32", sent("main/order/o-1/1/notify/x")),
    "outbox row that says something else": (
        "I32",
        """UPDATE outbox SET data = '[["template","order_completed"]]' WHERE id = 'main/order/o-1/1/notify/0'""",
    ),
    "command missing": (
        "I38",
        f"DELETE FROM commands WHERE tenant = 'main' AND id = (SELECT command_id FROM journal WHERE {CONFIRMED})",
    ),
    "command at no time": ("I38", command("at = 'yesterday'", "position = 7")),
    "command without events": (
        "I38",
        f"INSERT INTO commands SELECT tenant, 'x', {REMEMBERED} FROM commands WHERE command = 'OpenSeries'",
    ),
    "command that tells another version": ("I38", command("version = 7", CONFIRMED)),
    "command of another row": ("I38", command("row_id = 'o-2'", CONFIRMED)),
    "event of another command": (
        "I42",
        f"UPDATE journal SET command_id = (SELECT command_id FROM journal WHERE position = 7) WHERE {CONFIRMED}",
    ),
    "missing journal row": ("I41", "DELETE FROM journal WHERE kind = 'order' AND id = 'o-1' AND version = 3"),
    "missing last journal row": (
        "I41",
        f"DELETE FROM journal WHERE position = (SELECT position FROM journal WHERE {LAST})",
    ),
    "event that nobody caused": ("I42", event("CreditReserved", "document", "'o-77'")),
    "row without journal": ("I43", "DELETE FROM journal WHERE kind = 'party' AND id = 'ann@1'"),
    "last row without journal": ("I43", "DELETE FROM journal WHERE kind = 'party' AND id = 'eve@1'"),
    "document without journal": ("I43", "DELETE FROM journal WHERE kind = 'invoice' AND id = 'o-1/1'"),
    "journal without row": ("I43", "DELETE FROM orders WHERE id = 'o-5'"),
    "state that does not follow": ("I43", state("orders", "o-5", "reason", "'other'")),
    "state of another class": (
        "I43",
        "UPDATE orders SET status = 'Placed', state = json_remove(state, '$.confirmed_at') WHERE id = 'o-4'",
    ),
    "time going back": (
        "I46",
        command("at = '2020-01-01'", LAST),
    ),
    "nobody's command": ("I47", command("actor = ''", "position = 5")),
    "entry of another tenant": ("I49", command("tenant = 'third'", CONFIRMED)),
    "event that makes no sense": ("I54", f"UPDATE journal SET data = '{{}}' WHERE {CONFIRMED}"),
    "state of a schema to come": ("I54", "UPDATE invoices SET schema = 2 WHERE id = 'o-1/1'"),
    "event of a schema to come": ("I54", f"UPDATE journal SET schema = 2 WHERE {CONFIRMED}"),
    "content of another order": ("I54", "UPDATE orders SET content = 1 WHERE id = 'o-1' AND tenant = 'main'"),
    "state that makes no sense": ("I54", "UPDATE invoices SET state = '{}' WHERE id = 'o-1/1'"),
}


def test_something_is_planted_for_every_invariant() -> None:
    """No invariant is listed as checked without a fault that proves it."""
    assert {invariant for invariant, _ in PLANTED.values()} == set(INVARIANTS)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_is_found_under_its_invariant(name: str, history_copy: Path) -> None:
    """What is changed behind the library's back is found, under the invariant it breaks."""
    invariant, statement = PLANTED[name]
    plant(history_copy, statement)
    assert invariant in broken(audited(history_copy))


def said(path: Path, invariant: str) -> list[str]:
    """What is said of violations of an invariant."""
    [finding] = [finding for finding in audited(path).findings if finding.invariant == invariant]
    return [str(example) for example in finding.examples]


def test_two_documents_of_one_text_are_found(history_copy: Path) -> None:
    """Also where both documents agree with their series, because these share a prefix."""
    plant(history_copy, "UPDATE credit_notes SET state = json_set(state, '$.number', 'INV-000100')")
    plant(
        history_copy,
        "UPDATE journal SET data = json_set(data, '$.text', 'INV-000100') WHERE kind = 'series' AND id = 'credit'",
    )
    assert any("INV-000100 is printed on two documents" in line for line in said(history_copy, "I17"))


def test_a_series_that_restarts_is_followed_by_period(history_copy: Path) -> None:
    """As if the series had been opened with a restart, its numbers go on where they should begin anew."""
    plant(history_copy, "UPDATE journal SET data = json_set(data, '$.restart', 'month') WHERE type = 'SeriesOpened'")
    assert said(history_copy, "I18") == []
    plant(history_copy, f"UPDATE journal SET data = json_set(data, '$.on', '2026-05-01') WHERE {SECOND_NUMBER}")
    assert any("number 101 was allotted where 100 was due" in line for line in said(history_copy, "I18"))


def test_a_series_that_allows_it_may_have_dates_that_run_backwards(history_copy: Path) -> None:
    """The series says so when it is opened."""
    plant(
        history_copy,
        "UPDATE journal SET data = json_set(data, '$.backdating', json('true')) WHERE type = 'SeriesOpened'",
    )
    plant(history_copy, f"UPDATE journal SET data = json_set(data, '$.on', '2026-03-31') WHERE {SECOND_NUMBER}")
    assert said(history_copy, "I19") == []


def test_entries_of_another_workflow_are_counted_and_not_asked(history_file: Path) -> None:
    """What another workflow decided breaks no invariant; the report says how many entries that were."""
    report = audited(history_file, SILENT)
    assert broken(report) == set()
    with SqliteAudit(history_file, MACHINES) as source:
        entries = sum(1 for kind in source.kinds() for stream in source.streams(kind) for _ in stream.entries)
    assert report.unasked == ((STANDARD.fingerprint, entries),)
    assert audited(history_file, SILENT, STANDARD).unasked == ()


def test_only_the_decisions_of_another_workflow_are_not_asked(history_copy: Path) -> None:
    """One old command may lack its message; that of a command of the present workflow is missed."""
    first = "kind = 'order' AND id = 'o-1' AND version = 1 AND tenant = 'main'"
    plant(history_copy, "DELETE FROM outbox WHERE id = 'main/order/o-1/1/notify/0'")
    assert broken(audited(history_copy)) == {"I32"}
    plant(history_copy, command("workflow = 'older'", first))
    report = audited(history_copy)
    assert (broken(report), [workflow for workflow, _ in report.unasked]) == (set(), ["older"])


#: Faults that no decision need be asked for: whoever decided, they are found.
CHAINED = (
    "broken chain of events",
    "counter that no order holds",
    "event of a wrong type",
    "account sum off",
    "column off",
    "missing journal row",
    "missing last journal row",
    "row without journal",
    "state that does not follow",
    "time going back",
    "event that makes no sense",
)


@pytest.mark.parametrize("name", CHAINED)
def test_events_of_another_workflow_are_chained(name: str, history_copy: Path) -> None:
    """Versions, times, states and sums must agree, whichever workflow decided."""
    invariant, statement = PLANTED[name]
    plant(history_copy, statement)
    assert invariant in broken(audited(history_copy, SILENT))


def test_every_numbered_invariant_is_checked_or_says_why_not() -> None:
    """The catalogue runs from I01 to I55 without a gap or an overlap."""
    numbered = {f"I{number:02}" for number in range(1, 56)}
    assert numbered <= {*INVARIANTS, *UNCHECKED}
    assert not set(INVARIANTS) & set(UNCHECKED)


def test_a_kind_without_a_machine_is_named(history_copy: Path) -> None:
    """What the workflow does not know is not passed over in silence."""
    plant(history_copy, "UPDATE journal SET kind = 'guest' WHERE position = (SELECT min(position) FROM journal)")
    assert audited(history_copy).unknown == ("guest",)


def test_a_file_of_another_layout_is_refused(history_copy: Path) -> None:
    """The verifier reads the layout it knows and no other."""
    connection = sqlite3.connect(history_copy)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageError, match="layout 99"):
        audited(history_copy)


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """A foreign file gives a typed error."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be taken for one\n" * 100)
    with pytest.raises(StorageError):
        audited(path)
