"""Half a year of a real shop, to the last penny: the figures of the UCI file, with credits computed by its invoices."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from orderflow.adapters.storage.audit import SqliteAudit
from orderflow.audit.verify import verify
from orderflow.cli.run import work
from orderflow.domain.workflow.table import MACHINES, standard_workflow
from orderflow_examples.uci import UciFile

FIGURES = Path(__file__).parent / "data" / "uci.json"


@pytest.mark.skipif(
    os.environ.get("ORDERFLOW_PROFILE") != "long", reason="takes some minutes: set ORDERFLOW_PROFILE=long"
)
def test_the_real_file_gives_its_figures(shared_data: Path, tmp_path: Path) -> None:
    """Every figure and both digests are those published, and the database breaks no law."""
    golden = json.loads(FIGURES.read_text("utf-8"))
    file = shared_data / golden["file"]
    if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != golden["file_sha256"]:
        pytest.skip(f"{golden['file']} is not there as it was: the figures are of that file")
    found = work(UciFile(file), tmp_path / "shop.db", receive=True)
    for name, figures in golden["figures"].items():
        assert {figure: found[name][figure] for figure in figures} == figures if isinstance(figures, dict) else True
        assert isinstance(figures, dict) or found[name] == figures
    with SqliteAudit(tmp_path / "shop.db", MACHINES) as source:
        assert verify(source, standard_workflow()).violations == 0
