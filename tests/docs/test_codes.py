"""The lists of codes on the page on errors are those of the source."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from orderflow import CommandRefused, ConfirmOrder, InputError, MemoryStorage, OrderFlow, ReceiveGoods


@pytest.fixture(scope="module")
def tool(project_root: Path) -> dict[str, Any]:
    """The generator of the lists."""
    return runpy.run_path(str(project_root / "tools" / "codes.py"))


def test_the_page_is_current(tool: dict[str, Any]) -> None:
    """``make pages`` would change nothing."""
    text = tool["PAGE"].read_text(encoding="utf-8")
    assert tool["page"](text) == text


def test_every_code_stands_once_in_its_list(tool: dict[str, Any]) -> None:
    """A code has one row, however many sentences and files it has."""
    for part in tool["PAGE"].read_text(encoding="utf-8").split("<!-- end -->"):
        listed = re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)
        assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    "code, module",
    [
        ("on_hold", "domain/orders/guards.py"),
        ("not_cancellable", "domain/orders/cancelling.py"),
        ("exceeds_free", "domain/payments/guards.py"),
        ("insufficient_stock", "domain/inventory/stock.py"),
        ("bad_length", "domain/engine/finders.py"),
        ("unknown_currency", "domain/money/currencies.py"),
        ("bad_json", "adapters/json_input.py"),
        ("time_goes_back", "domain/engine/decide.py"),
        ("conflict", "importing/vetting.py"),
    ],
)
def test_a_code_is_found_where_it_is_named(tool: dict[str, Any], code: str, module: str) -> None:
    """Named in the call itself, or handed to a function that makes a refusal or fault of it."""
    assert module in {found.module for found in tool["codes"]() if found.code == code}


def test_what_is_raised_is_listed(tool: dict[str, Any]) -> None:
    """Codes met by running the library are among those read off its source."""
    shop = OrderFlow(MemoryStorage())
    with pytest.raises(InputError) as bad:
        shop.handle("TEA@main", ReceiveGoods(0, document="a\tb"))
    with pytest.raises(CommandRefused) as refused:
        shop.handle("order-1", ConfirmOrder())
    listed = {(found.list, found.code) for found in tool["codes"]()}
    assert {("faults", fault.code) for fault in bad.value.faults} < listed
    assert {("refusals", code) for code in refused.value.codes} < listed
