"""The library's own layout: what is read, and what is rejected with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orderflow.importing.documents import (
    AdjustmentDocument,
    CancellationDocument,
    Document,
    OrderDocument,
    ReceiptDocument,
    RejectedDocument,
    name_of,
)
from orderflow.importing.jsonl import JsonLinesFile

ORDER: dict[str, Any] = {
    "type": "order",
    "number": "A-1",
    "at": "2026-01-05T09:00:00Z",
    "person": {"name": "Ann"},
    "content": {
        "currency": "EUR",
        "bill_to": "ann@1",
        "tax": {},
        "lines": [
            {"line": 1, "sku": "TEA", "description": "", "quantity": 2, "price": "2.50 EUR", "net_minor": 500,
             "tax": "S 7"},
        ],
    },
}  # fmt: skip
RECEIPT = {"type": "receipt", "number": "R-1", "at": "2026-01-05T08:00:00Z", "items": [["TEA", "main", 40]]}
CANCELLATION: dict[str, Any] = {
    "type": "cancellation", "number": "C-1", "at": "2026-01-07T09:00:00Z", "customer": "ann", "currency": "EUR",
    "bill_to": "ann@1", "lines": [["TEA", 1, "2.50 EUR", "S 7", True]],
}  # fmt: skip
ADJUSTMENT = {"type": "adjustment", "number": "J-1", "at": "2026-01-08T09:00:00Z", "changes": [["TEA", "main", -1]]}


def read(tmp_path: Path, *entries: Any) -> list[Document]:
    """The documents of a file with these lines: text as it is, anything else as JSON."""
    lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries]
    (tmp_path / "documents").write_text("\n".join(lines), "utf-8")
    return [*JsonLinesFile(tmp_path / "documents").documents()]


def faults(document: Document) -> list[tuple[int, str]]:
    """Lines and codes of a rejected document."""
    assert isinstance(document, RejectedDocument)
    return [(row.line, row.code) for row in document.rows]


def test_each_kind_of_document_is_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    """A document stands in one line; blank lines count as lines and are no documents."""
    found = read(tmp_path, RECEIPT, "", ORDER, "  ", CANCELLATION, ADJUSTMENT)
    assert [(type(document), document.line) for document in found] == [
        (ReceiptDocument, 1), (OrderDocument, 3), (CancellationDocument, 5), (AdjustmentDocument, 6),
    ]  # fmt: skip
    assert JsonLinesFile(tmp_path / "documents").count() == 4
    order = found[1]
    assert isinstance(order, OrderDocument)
    assert (str(order.party.ref), order.party.person.name, order.content.lines[0].net_minor) == ("ann@1", "Ann", 500)


def changed(path: str, value: Any) -> dict[str, Any]:
    """The order with one place changed; a path such as ``content.lines.0.quantity``."""
    tree: dict[str, Any] = json.loads(json.dumps(ORDER))
    *parts, last = path.split(".")
    node: Any = tree
    for part in parts:
        node = node[int(part)] if isinstance(node, list) else node[part]
    node[last] = value
    return tree


@pytest.mark.parametrize(
    "entry, code",
    [
        ("{not json", "bad_json"),
        ("[1]", "wrong_type"),
        ({"type": "quotation"}, "not_a_choice"),
        ({"type": ["order"]}, "not_a_choice"),
        (json.dumps(ORDER)[:-1] + ', "number": "A-2"}', "repeated"),
        (changed("priority", 1), "unknown_field"),
        (changed("at", "2026-01-05T09:00:00"), "bad_form"),
        (changed("number", " "), "blank"),
        (changed("content.currency", "EUX"), "unknown_currency"),
        (changed("content.currency", "GBP"), "currency_mismatch"),
        (changed("content.bill_to", None), "missing"),
        (changed("content.lines.0.quantity", 1.5), "wrong_type"),
        (changed("content.lines.0.quantity", 0), "out_of_range"),
        (changed("content.lines.0.net_minor", 499), "does_not_recompute"),
        (changed("content.lines.0.description", "a\u0007b"), "bad_character"),
        (changed("content.lines", []), "bad_length"),
        (CANCELLATION | {"currency": "GBP"}, "currency_mismatch"),
    ],
)
def test_a_line_that_is_no_sound_document_is_rejected_alone(tmp_path: Path, entry: Any, code: str) -> None:
    """What is wrong is told with the line and a code, and the lines around it are read."""
    before, bad, after = read(tmp_path, RECEIPT, entry, ADJUSTMENT)
    assert (2, code) in faults(bad)
    assert (type(before), type(after)) == (ReceiptDocument, AdjustmentDocument)


def test_every_fault_of_a_line_is_told(tmp_path: Path) -> None:
    """A line is not rejected for its first fault only."""
    tree = changed("content.lines.0.quantity", 1.5)
    tree["content"]["lines"][0]["price"] = "2,50"
    assert sorted(faults(read(tmp_path, tree)[0])) == [(1, "bad_form"), (1, "wrong_type")]


def test_a_number_names_one_document(tmp_path: Path) -> None:
    """A second document of a number is rejected, whatever its kind and content."""
    _, second, third = read(tmp_path, ORDER, ORDER, ADJUSTMENT | {"number": "A-1"})
    assert faults(second) == [(2, "repeated")]
    assert faults(third) == [(3, "repeated")]


def test_bytes_that_are_no_text_are_not_replaced_in_silence(tmp_path: Path) -> None:
    """A name in another encoding is a fault of its line, not a name with question marks."""
    latin = json.dumps(changed("person", {"name": "Zo\u00eb"}), ensure_ascii=False).encode("latin-1")
    (tmp_path / "documents").write_bytes(latin + b"\r\n" + json.dumps(RECEIPT).encode() + b"\r\n")
    bad, good = JsonLinesFile(tmp_path / "documents").documents()
    assert faults(bad) == [(1, "not_utf8")]
    assert isinstance(good, ReceiptDocument)


def test_files_of_one_channel_are_told_apart(tmp_path: Path) -> None:
    """A run is marked under the file's content: another, mended or longer file is gone through from its beginning."""
    names = set()
    for lines in (("{", ORDER), ("{", ORDER, ADJUSTMENT), ("{",)):
        [bad, *_] = read(tmp_path, *lines)
        names |= {name_of(JsonLinesFile(tmp_path / "documents")) for _ in range(2)}
        assert isinstance(bad, RejectedDocument)
    assert len(names) == 3
    assert all(name.startswith("orderflow/") for name in names)
