"""The examples run, and say what they should; the carrier among them keeps the contract that every carrier keeps."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from orderflow.ports.carrier import Carrier
from orderflow.testing.carrier_contract import carrier_clauses
from orderflow.testing.contracts import Clause

ROOT = Path(__file__).resolve().parents[2]


def load(path: Path) -> ModuleType:
    """A script as a module, under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"shown_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


OWN_CARRIER = load(ROOT / "examples" / "own_carrier.py")


@pytest.mark.parametrize("clause", carrier_clauses(), ids=lambda clause: clause.id)
def test_the_own_carrier_keeps_the_contract(clause: Clause[Carrier], tmp_path: Path) -> None:
    """The van keeps what every carrier keeps."""
    clause.check(OWN_CARRIER.Van(tmp_path / "van.db"))


def test_the_own_carrier_is_wired_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An order that is packed gets its label from the van."""
    OWN_CARRIER.main(tmp_path)
    assert capsys.readouterr().out == "van-000001: fast, 9.90 EUR\n"


def test_a_shop_embeds_the_library(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both carts become orders once; what stock does not cover waits."""
    load(ROOT / "examples" / "embed.py").main(tmp_path)
    assert capsys.readouterr().out.splitlines() == [
        "C-1: 25.65 GBP, Preparing at check-out, now Shipped",
        "C-2: 36.00 GBP, Preparing at check-out, now Preparing",
        "tea pots: 0 available, 1 on back-order",
        "mails: 4",
    ]
