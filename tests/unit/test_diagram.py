"""Overviews and diagrams: a table read and printed, so that no diagram is drawn by hand."""

from __future__ import annotations

from attrs import evolve

from orderflow.domain.billing.invoice import INVOICE
from orderflow.domain.engine.diagram import matrix, mermaid, overview, page
from orderflow.domain.engine.machine import Machine
from orderflow.domain.inventory.documents import STOCK_DOCUMENT
from orderflow.domain.parties.party import PARTY


def test_an_overview_counts_what_a_table_holds() -> None:
    """States, arrows, final states, states without a rule, and the table's fingerprint."""
    seen = overview(STOCK_DOCUMENT)
    assert seen.states == ("-", "StockDocument")
    assert seen.edges == 3
    assert seen.final == ("StockDocument",)
    assert seen.dead_ends == ("StockDocument",)
    assert seen.fingerprint == STOCK_DOCUMENT.fingerprint


def test_a_matrix_has_a_cell_for_every_state_and_command() -> None:
    """A cell names the states a command may lead to; an empty one is a refusal."""
    assert matrix(STOCK_DOCUMENT).splitlines() == [
        "| command | - | StockDocument |",
        "|---|---|---|",
        "| PostReceipt | StockDocument |  |",
        "| PostAdjustment | StockDocument |  |",
        "| PostTransfer | StockDocument |  |",
    ]


def test_a_diagram_has_an_arrow_for_each_two_states() -> None:
    """Arrows between the same two states share a label; the beginning and the ends are dots."""
    drawn = mermaid(INVOICE).splitlines()
    assert drawn[0] == "stateDiagram-v2"
    assert "    [*] --> Draft: DraftInvoice" in drawn
    settling = next(line for line in drawn if line.startswith("    Issued --> Settled: "))
    assert settling.partition(": ")[2].split(", ") == [
        "RecordPrepaid",
        "RecordApplication",
        "WithdrawApplication",
        "RecordCreditUse",
        "ApplyCredit",
        "WriteOff",
        "TakeBackWriteOff",
    ]
    assert "    Void --> [*]" in drawn


def test_a_page_holds_summary_diagram_matrix_and_guards() -> None:
    """The page of a machine is made from its table and its guards' own words."""
    text = page(INVOICE)
    assert text.startswith("# invoice\n")
    assert INVOICE.fingerprint in text
    assert "- `VoidInvoice`: `never_seen`: Only an invoice that was never sent" in text
    assert "`retention_is_over`" in page(PARTY)


def test_a_machine_without_guards_says_so() -> None:
    """Where nothing is guarded the page says None."""
    bare = Machine(
        "stock_document", rules=[evolve(line, guards=()) for line in STOCK_DOCUMENT.rules], final=STOCK_DOCUMENT.final
    )
    assert "## Guards\n\nNone." in page(bare)
