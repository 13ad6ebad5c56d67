"""The commands that show what a database holds: tables for people, JSON for programs, one sentence for what fails."""

from __future__ import annotations

import errno
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.cli import lists, output
from orderflow.cli.root import root
from orderflow.domain.billing.credit_note import CreditItem, CreditNoteContent, DraftCreditNote
from orderflow.domain.money.money import Money
from orderflow.domain.orders.amending import ProposeAmendment
from orderflow.domain.orders.changes import Changes
from orderflow.domain.orders.content import CancelledBy
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.payments.collecting import RecordPayment
from orderflow.domain.payments.state import PaymentSource
from orderflow.domain.shipping.carriage import RecordDelivered
from orderflow.domain.shipping.planning import VoidShipment
from orderflow.domain.values import LineQuantity, PartyRef
from orderflow.domain.workflow.table import MACHINES
from orderflow.shop import OrderFlow


@pytest.fixture
def run(history_file: Path) -> Any:
    """Runs a command on the file and gives its result."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(root, [*arguments], env={"ORDERFLOW_DB": str(history_file)})

    return invoke


@pytest.fixture
def read(run: Any) -> Any:
    """Runs a command with ``--json`` and gives what it printed, decoded."""

    def invoke(*arguments: str) -> Any:
        result = run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return invoke


def test_an_order_is_shown_with_all_that_belongs_to_it(read: Any) -> None:
    """The JSON of an order holds its lines with their vectors, its timeline and its documents, amounts as text."""
    order = read("show", "o-1")
    assert (order["state"], order["gross"], order["currency"]) == ("Completed", "19.02", "GBP")
    assert [(line["sku"], line["delivered"], line["returned"]) for line in order["lines"]] == [
        ("TEA", 2, 1),
        ("CUP", 2, 0),
    ]
    assert [entry["event"] for entry in order["timeline"]][:3] == ["OrderPlaced", "OrderConfirmed", "StockAllocated"]
    assert [shipment["tracking_number"] for shipment in order["shipments"]] == ["memory-a76852ce61"]
    assert [(invoice["number"], invoice["owed"]) for invoice in order["invoices"]] == [("INV-000100", "0.00")]
    assert [(note["gross"], note["of_order"]) for note in order["credit_notes"]] == [("6.12", "3.06")]


def test_an_order_says_what_it_waits_for_and_how_its_money_stands(read: Any, run: Any) -> None:
    """Its own tasks and those of its rows; what is charged, open and to be paid; payments and returns of it."""
    order = read("show", "o-2")
    assert [(each["kind"], each["code"], each["commands"][0]) for each in order["waits_for"]] == [
        ("order", "backordered", "AllocateStock"),
        ("invoice", "overdue", "RecordPayment"),
    ]
    assert [*order["money"].items()] == [
        ("charged", "51.04"), ("open", "49.54"), ("kept", "0.00"), ("to_pay", "121.50"), ("to_credit", "0.00"),
        ("to_refund", "0.00"),
    ]  # fmt: skip
    assert [(payment["id"], payment["pays"]) for payment in order["payments"]] == [("bank/3", ["invoice o-2/1: 1.00"])]
    assert [(each["id"], each["came"], each["to_inspect"]) for each in read("show", "o-1")["returns"]] == [
        ("r-1", 2, 2)
    ]
    assert (order["amendment"], order["requested"], read("show", "d-2")["money"]) == (None, None, None)
    assert "3 units wait at main" in run("show", "o-2").stdout
    assert read("show", "o-0")["payments"] == []


@pytest.fixture
def changed(history_copy: Path) -> Any:
    """Runs commands on a copy of the file and shows an order then, as text and decoded."""

    def change(order: str, *commands: tuple[str, Any]) -> tuple[str, Any]:
        storage = SqliteStorage(history_copy, MACHINES)
        shop = OrderFlow(storage, carriers=[MemoryCarrier()], notifier=MemoryNotifier())
        for row, command in commands:
            shop.handle(row, command)
        while shop.relay().taken:
            pass
        storage.close()
        printed = [
            CliRunner().invoke(root, ["show", order, "--db", str(history_copy), *json]) for json in ([], ["--json"])
        ]
        return printed[0].stdout, json.loads(printed[1].stdout)

    return change


def test_a_credit_note_of_several_orders_is_shown_with_each(changed: Any) -> None:
    """With how much of it is the order's, whichever comes first on it."""
    items = (CreditItem("o-2/1", 1, amount_minor=500), CreditItem("o-6/1", 1, 0, 100))
    terms = CreditNoteContent("credit", "bob", PartyRef("bob", 1), "GBP", date(2026, 4, 3), items)
    changed("o-2", ("k-3", DraftCreditNote(terms)))
    for order, share in (("o-2", "6.00"), ("o-6", "1.20")):
        [note] = changed(order)[1]["credit_notes"]
        assert (note["id"], note["of_order"], note["gross"], note["orders"]) == ("k-3", share, "7.20", ["o-2", "o-6"])


def test_what_was_voided_is_shown_with_its_order(changed: Any) -> None:
    """Also what is told of it then, so that nobody sends the same again."""
    text, order = changed("o-4", ("o-4/1", VoidShipment()), ("o-4/1", RecordDelivered("yet")))
    assert [(parcel["id"], parcel["state"], parcel["orders"]) for parcel in order["shipments"]] == [
        ("o-4/1", "Voided", ["o-4"])
    ]
    assert "scanned_but_voided" in [each["code"] for each in order["waits_for"]]
    assert "told of, though it was voided" in text


def test_money_for_an_order_and_its_amendment_are_shown(changed: Any) -> None:
    """A payment that names it and pays nothing; what the amendment changes, and what the order costs then."""
    source = PaymentSource("bank", "9", "bob", "transfer", order="o-10")
    changes = Changes(less=(LineQuantity(1, 2),))
    text, order = changed(
        "o-10",
        ("bank/9", RecordPayment(source, Money.of("10", "GBP"))),
        ("o-10", ProposeAmendment(0, changes, CancelledBy.MERCHANT, "asked by mail")),
    )
    assert [(each["id"], each["order"], each["free"]) for each in order["payments"]] == [("bank/9", "o-10", "10.00")]
    amendment = order["amendment"]
    assert (amendment["less"], amendment["before"], amendment["after"]) == (["2 of line 1"], "15.30", "9.18")
    assert "1  merchant  asked by mail  2 of line 1" in text


@pytest.mark.parametrize(
    "name, kind, id",
    [
        ("INV-000101", "invoice", "o-2/1"),
        ("memory-3f89920ae4", "shipment", "o-2/1"),
        ("bank/2", "payment", "bank/2"),
        ("credit#000001", "credit_note", "k-1"),
        ("r-1", "return", "r-1"),
    ],
)
def test_a_document_is_shown_by_its_id_its_number_or_its_tracking_number(
    read: Any,
    run: Any,
    name: str,
    kind: str,
    id: str,  # noqa: A002
) -> None:
    """What a letter, a list or a label says names the row; its orders, facts, tasks and events are shown."""
    view = read("show", name)
    assert (view["kind"], view["id"]) == (kind, id)
    assert view["timeline"]
    text = run("show", name).stdout
    assert text.startswith(f"{kind.replace('_', ' ')} {id}: {view['state']}\n")
    assert "waits_for" not in text
    assert ("waits for" in text) is bool(view["waits_for"])


@pytest.mark.parametrize("name", ["o-1", "N-o-1", "O-1"])
def test_an_order_is_found_by_id_number_or_external_id(read: Any, name: str) -> None:
    """What people have at hand names the order."""
    assert read("show", name)["id"] == "o-1"


def test_holds_drafts_and_charges_are_shown(read: Any, run: Any) -> None:
    """An order that is held says at which gate; a discarded draft has no timeline beyond it; charges have no vector."""
    assert read("show", "o-5")["holds"] == [{"reason": "manual", "gate": "confirm", "line": 0, "until": None}]
    assert [entry["event"] for entry in read("show", "d-1")["timeline"]] == ["DraftOpened", "DraftDiscarded"]
    assert (read("show", "d-2")["state"], read("show", "d-2")["gross"]) == ("Draft", "1210")
    goods, charge = read("show", "o-7")["lines"]
    assert "shipped" in goods
    assert "shipped" not in charge
    assert (goods["net"], charge["tax"]) == ("660", "S 10")
    assert "held at confirm: manual\n" in run("show", "o-5").stdout
    assert "held at prepare: address, line 1\n" in run("show", "o-10").stdout


def test_the_plain_order_has_a_line_for_each_thing(run: Any) -> None:
    """Without a terminal an order is aligned lines; empty buckets are left out."""
    text = run("show", "o-2").stdout
    assert text.startswith("o-2: PartlyShipped, 123.00 GBP (net 102.50, tax 20.50)\n")
    assert "line  sku  description  quantity  price      net    backordered  delivered  invoiced" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("columns, drawn", [("200", True), ("80", False), ("20", False)])
def test_on_a_terminal_no_cell_is_cut(run: Any, monkeypatch: pytest.MonkeyPatch, columns: str, drawn: bool) -> None:
    """A table that fits is drawn; one that is wider than the terminal is aligned lines, with every cell whole."""
    monkeypatch.setattr(output, "_on_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", columns)
    text = run("stock").stdout
    assert ("───" in text, "…" in text) == (drawn, False)
    assert all(name in text for name in ("location", "unavailable", "backordered", "CUP"))


def test_numbers_stand_to_the_right_beside_empty_cells(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a row does not have does not move the numbers of the others, drawn or not."""
    rows = [("x", 1), ("y", "")]
    for terminal in (False, True):
        monkeypatch.setattr(output, "_on_terminal", lambda answer=terminal: answer)
        output.table("", ("a", "units"), rows)
        assert "x      1\n" in capsys.readouterr().out


def test_a_reader_that_went_away_is_no_error_message(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``orderflow orders | head`` ends in silence."""

    def gone() -> bool:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(output, "_on_terminal", gone)
    result = run("orders")
    assert (result.exit_code, result.stderr) == (1, "")


def test_documents_are_shown_by_id_and_number(run: Any) -> None:
    """The id names an invoice in other commands, the number names it on paper."""
    lines = [line.split() for line in run("show", "o-1").stdout.splitlines()]
    assert ["o-1/1", "INV-000100", "Settled"] in [line[:3] for line in lines]


def test_the_timeline_tells_when_things_occurred(run: Any, read: Any) -> None:
    """People see the minute of each event; the recorded time and the command stand in the history."""
    entry = read("show", "o-1")["timeline"][0]
    text = run("show", "o-1").stdout
    assert f"      1  {entry['at'][:16].replace('T', ' ')}  OrderPlaced" in text
    assert entry["command_id"] not in text
    assert entry["at"] in run("history", "order", "o-1").stdout


def test_an_empty_listing_says_so(run: Any) -> None:
    """Nothing found is no bare headline."""
    assert run("orders", "--customer", "nobody").stdout == "none\n"


def test_an_unknown_state_is_refused_with_those_there_are(run: Any) -> None:
    """A slip in a name is no empty listing."""
    result = run("orders", "--state", "Awaiting")
    assert result.exit_code == 2
    assert "AwaitingStock" in result.stderr
    assert "Absent" not in result.stderr


def test_a_time_is_a_date_or_has_an_offset(run: Any, read: Any) -> None:
    """A time is read as ISO 8601, in UTC where it has no offset; other words are answered with an example."""
    assert [order["id"] for order in read("orders", "--until", "2026-04-01T10:14:00+01:00")["orders"]] == ["o-1"]
    assert len(read("orders", "--since", "2026-04-01")["orders"]) > 1
    result = run("orders", "--since", "yesterday")
    assert result.exit_code == 2
    assert "'yesterday' is not a time such as 2026-01-31" in result.stderr


@pytest.mark.parametrize("command, way", [("show", "`orderflow orders --text`"), ("stock", "`orderflow stock`")])
def test_what_is_not_there_is_answered_with_a_way_to_find_it(run: Any, command: str, way: str) -> None:
    """A slip in an id costs one more command, not a look into the manual."""
    result = run(command, "o-99")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: no {'order' if command == 'show' else command}")
    assert "'o-99'" in result.stderr
    assert way in result.stderr


def test_unpaid_invoices_tell_what_is_owed(run: Any, read: Any) -> None:
    """Number, customer, amount in major units and the date: what somebody needs who asks for the money."""
    [owed] = [task for task in read("worklist", "invoices_due")["tasks"] if task["id"] == "o-2/1"]
    assert (owed["customer"], owed["currency"], owed["kind"]) == ("bob", "GBP", "invoice")
    assert [reason["code"] for reason in owed["reasons"]] == ["overdue"]
    cells = [owed[name] for name in ("id", "number", "customer", "currency", "owed", "due_on")]
    lines = run("worklist", "invoices_due").stdout.splitlines()
    assert lines[0].split()[:6] == ["id", "number", "customer", "currency", "owed", "due_on"]
    [line] = [line for line in lines if line.split()[:6] == cells]
    assert (" was due on " in line, "RecordPayment, WriteOff" in line) == (True, True)


def test_orders_are_filtered(read: Any) -> None:
    """Every filter narrows the list."""

    def ids(*filters: str) -> list[str]:
        return [order["id"] for order in read("orders", *filters)["orders"]]

    assert ids("--state", "Placed", "--state", "Cancelled") == ["o-5", "d-1", "o-0", "o-8"]
    assert ids("--customer", "ann") == ["o-1", "o-3"]
    assert ids("--channel", "web", "--external-id", "O-4") == ["o-4"]
    assert ids("--tag", "gift") == ["o-1"]
    assert ids("--text", "n-O-6") == ["o-6"]
    assert ids("--since", "2026-04-02") == []
    assert ids("--until", "2026-04-01T09:14:00") == ["o-1"]


def test_listings_go_on_from_their_cursor(read: Any, run: Any) -> None:
    """Pages do not overlap and leave nothing out; the last one has no cursor."""
    seen, cursor = [], 0
    while cursor is not None:
        listed = read("orders", "--limit", "4", "--cursor", str(cursor))
        seen += [order["id"] for order in listed["orders"]]
        cursor = listed["cursor"]
    assert seen == [order["id"] for order in read("orders")["orders"]]
    assert "more: --cursor" in run("orders", "--limit", "1").stderr


def test_what_is_counted_is_read_page_by_page(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing longer than a page is read to its end."""
    whole = read("stock")
    monkeypatch.setattr(lists, "_PAGE", 2)
    assert read("stock") == whole


def test_worklists_are_counted_and_listed_with_reasons(read: Any, run: Any) -> None:
    """Without a name every list is counted; with one its rows tell why they wait."""
    head = read("worklist")["to_confirm"]
    assert (head["rows"], head["more"], head["first"]["id"]) == (3, False, "d-2")
    assert [task["id"] for task in read("worklist", "to_confirm")["tasks"]] == ["d-2", "o-0", "o-8"]
    assert "to_confirm" in run("worklist").stdout
    waiting = run("worklist", "awaiting_stock").stdout
    assert "order  o-2  PartlyShipped  " in waiting
    assert "units wait at main" in waiting


def test_stock_levels_are_shown(read: Any) -> None:
    """Levels by SKU and location; --below keeps what runs short."""
    [main, north] = sorted(read("stock", "CUP")["stock"], key=lambda row: row["location"])
    assert (main["on_hand"], north["unavailable"], north["available"]) == (4, 9, 1)
    assert [row["sku"] for row in read("stock", "--below", "1")["stock"]] == ["POT"]


def test_a_stock_row_is_shown_by_its_name(read: Any) -> None:
    """SKU@location, as rows are named elsewhere, is one row of the SKU's."""
    levels = read("stock")["stock"]
    assert levels == sorted(levels, key=lambda level: (level["sku"], level["location"]))
    first = levels[0]
    assert read("stock", f"{first['sku']}@{first['location']}")["stock"] == [first]


def test_times_are_taken_as_they_are_printed(read: Any) -> None:
    """A moment of a listing bounds the next one, with its Z or with any offset."""
    placed = [order["placed_at"] for order in read("orders")["orders"] if order["placed_at"]]
    later = [order["placed_at"] for order in read("orders", "--since", max(placed))["orders"]]
    assert later == [at for at in placed if at == max(placed)]


def test_a_row_s_history_holds_what_its_events_say(read: Any, run: Any) -> None:
    """The JSON history has each event's data; the vault's events say nothing."""
    first = read("history", "stock", "TEA@main")["events"][0]
    assert (first["event"], first["data"]["quantity"]) == ("GoodsReceived", 40)
    assert "Ann" not in run("history", "party", "ann@1", "--json").stdout
    assert "GoodsReceived" in run("history", "stock", "TEA@main").stdout


@pytest.mark.parametrize(
    "arguments", [("show", "nope"), ("stock", "NOPE"), ("history", "order", "nope")], ids=lambda each: each[0]
)
def test_what_is_not_found_is_one_sentence_and_status_1(run: Any, arguments: tuple[str, ...]) -> None:
    """Nothing goes to stdout, one line to stderr."""
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: no ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("show",),
        ("worklist", "nope"),
        ("history", "nope", "x"),
        ("diagram", "nope"),
        ("orders", "--limit", "0"),
        ("orders", "--db", "nope"),
        ("orders", "--cursor", str(2**63)),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_2(run: Any, arguments: tuple[str, ...]) -> None:
    """What is asked wrongly is told apart from what is not there."""
    assert run(*arguments).exit_code == 2


def test_a_name_that_several_orders_have_is_refused(history_copy: Path) -> None:
    """A number is shown only where it names one order."""
    storage = SqliteStorage(history_copy, MACHINES)
    shop = OrderFlow(storage)
    for order in ("o-2", "o-3"):
        storage._sessions.session().run("UPDATE orders SET number = 'same' WHERE id = ?", (order,))
    assert isinstance(shop.orders.get("o-2"), HasProgress)
    storage.close()
    result = CliRunner().invoke(root, ["show", "same", "--db", str(history_copy)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "several orders" in result.stderr


def test_tenants_are_read_apart(read: Any) -> None:
    """--tenant shows one tenant's rows only."""
    assert [order["id"] for order in read("orders", "--tenant", "other")["orders"]] == ["o-1"]


def test_reading_changes_nothing(run: Any, history_file: Path) -> None:
    """Commands that read leave the file as it is, byte for byte."""
    before = history_file.read_bytes()
    for arguments in (("show", "o-1"), ("orders",), ("worklist",), ("stock",), ("verify",), ("doctor",)):
        assert run(*arguments).exit_code == 0
    assert history_file.read_bytes() == before
