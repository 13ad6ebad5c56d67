"""Files of orders for cases, in the library's own format, and the command line that reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from orderflow.cli.root import root

JSONL = "orderflow.importing.jsonl:JsonLinesFile"


def order(number: int, at: str = "2026-01-05T09:00:00Z", **others: Any) -> dict[str, Any]:
    """An order of one tea for Ann; ``others`` replaces what the document says."""
    content = {
        "currency": "GBP", "customer": "ann", "country": "GB", "bill_to": "ann@1", "ship_to": "ann@1", "tax": {},
        "lines": [{"line": 1, "sku": "TEA", "description": "Tea", "quantity": 1, "price": "2.55 GBP", "net_minor": 255,
                   "tax": "S 20"}],
    }  # fmt: skip
    return {"type": "order", "number": f"A-{number}", "at": at, "person": {"name": "Ann"}, "content": content} | others


def receipt(units: int, number: str = "R-1", at: str = "2026-01-05T08:00:00Z") -> dict[str, Any]:
    """Tea comes in."""
    return {"type": "receipt", "number": number, "at": at, "items": [["TEA", "main", units]]}


def written(path: Path, documents: Iterable[Any]) -> Path:
    """A file of documents, a line each; a text stands as it is."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in documents]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def run(file: Path, *options: object) -> Result:
    """``orderflow run`` on a file, into a database beside it."""
    database = file.with_suffix(".db")
    arguments = ["run", file, "--format", JSONL, "--db", database, *options]
    return CliRunner().invoke(root, [str(argument) for argument in arguments])


def told(result: Result) -> Any:
    """The JSON that a command printed."""
    return json.loads(result.stdout)
