"""F09: what holds nothing is not called sound."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.cli.root import root
from orderflow.domain.inventory.stock import ReceiveGoods
from orderflow.domain.workflow.table import MACHINES
from orderflow.shop import OrderFlow


def test_f09_a_file_of_0_bytes_is_told(tmp_path: Path) -> None:
    """A file of 0 bytes is said to be empty, with exit 1."""
    path = tmp_path / "shop.db"
    path.touch()
    result = CliRunner().invoke(root, ["verify", "--db", str(path)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{path} is empty" in result.stderr


def test_f09_a_tenant_nobody_has_is_told(tmp_path: Path) -> None:
    """A tenant without a single row is said to have nothing, with exit 1; one with a row is verified."""
    path = tmp_path / "shop.db"
    storage = SqliteStorage(path, MACHINES, tenant="shop")
    OrderFlow(storage).handle("TEA@main", ReceiveGoods(4))
    storage.close()
    for form in ((), ("--json",)):
        result = CliRunner().invoke(root, ["verify", "--db", str(path), "--tenant", "shpo", *form])
        assert (result.exit_code, result.stdout) == (1, "")
        assert "holds nothing of tenant 'shpo'" in result.stderr
    assert CliRunner().invoke(root, ["verify", "--db", str(path), "--tenant", "shop"]).exit_code == 0


def test_f09_a_shop_that_has_not_begun_is_told(tmp_path: Path) -> None:
    """A database without a single row proves nothing: it says so, with exit 1."""
    path = tmp_path / "shop.db"
    SqliteStorage(path, MACHINES).close()
    result = CliRunner().invoke(root, ["verify", "--db", str(path)])
    assert (result.exit_code, "there is nothing to verify" in result.stderr) == (1, True)
