"""F03: whatever is in a file is read rightly or rejected with a reason of its own, in bounded memory."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from files import JSONL, order, receipt, run, told, written

CSV = "number,customer,sku,quantity,price\nA-1,ann,TEA,1,2.55\nA-2,bob,TEA,2,2.55\n"


#: The command line, which says at its end how much memory it has used at most.
MEASURED = """
import sys
from pathlib import Path
from orderflow.cli.root import root
try:
    root(prog_name="orderflow")
finally:
    status = Path("/proc/self/status").read_text().splitlines()
    print(next(line for line in status if line.startswith("VmHWM")), file=sys.stderr)
"""


def rejected(result: Any) -> list[tuple[int, list[str]]]:
    """Line and codes of each rejected document."""
    return [(row["line"], row["codes"]) for row in told(result)["rejected"]]


def with_price(number: int, price: Any) -> dict[str, Any]:
    """An order whose line says this price."""
    document = order(number)
    document["content"]["lines"][0]["price"] = price
    return document


@pytest.mark.parametrize("hidden", ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u200d"], ids=ascii)
def test_f03_a_zero_width_character_in_a_number(tmp_path: Path, hidden: str) -> None:
    """In a price, a quantity or a number as a text: not guessed at; the form that is right is named."""
    quantity = order(2)
    quantity["content"]["lines"][0]["quantity"] = f"1{hidden}"
    documents = [receipt(9), with_price(1, f"2{hidden}.55 GBP"), quantity, order(3)]
    result = run(written(tmp_path / "orders.jsonl", documents), "--json")
    assert rejected(result) == [(2, ["bad_form"]), (3, ["wrong_type"])]
    assert told(result)["states"]["order"] == {"Completed": 1}


def test_f03_a_zero_width_character_between_the_digits_of_json(tmp_path: Path) -> None:
    """There it is no JSON any more; the line and the place are told."""
    line = json.dumps(order(1)).replace('"quantity": 1', '"quantity": 1\u200b')
    result = run(written(tmp_path / "orders.jsonl", [receipt(9), line, order(2)]), "--json")
    assert rejected(result) == [(2, ["bad_json"])]


def test_f03_a_file_in_cp932(tmp_path: Path) -> None:
    """Bytes that are not UTF-8: each line that has some is rejected, and the sentence says that UTF-8 is needed."""
    file = tmp_path / "orders.jsonl"
    lines = [receipt(9), order(1), order(2, person={"name": "山田太郎"})]
    file.write_bytes("".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in lines).encode("cp932"))
    result = run(file, "--json")
    assert rejected(result) == [(3, ["not_utf8"])]
    assert "UTF-8" in told(result)["rejected"][0]["reason"]
    assert told(result)["states"]["order"] == {"Completed": 1}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_f03_a_file_in_utf_16(tmp_path: Path, encoding: str) -> None:
    """As some programs export: not a text in UTF-8, which is said once, and no document is taken."""
    file = tmp_path / "orders.jsonl"
    file.write_bytes(f"{json.dumps(order(1))}\n".encode(encoding))
    result = run(file)
    assert (result.exit_code, "UTF-8" in result.stderr) == (1, True)
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("where", ["first", "second"])
def test_f03_a_byte_order_mark(tmp_path: Path, where: str) -> None:
    """At the beginning of a file it is read rightly; before a later line it is not JSON."""
    lines = [json.dumps(receipt(9)), json.dumps(order(1))]
    lines[where == "second"] = "\ufeff" + lines[where == "second"]
    result = run(written(tmp_path / "orders.jsonl", lines), "--json")
    assert rejected(result) == ([] if where == "first" else [(2, ["not_json_lines"])])


def test_f03_a_csv_given_as_json_lines(tmp_path: Path) -> None:
    """The sentence says what it looks like and which option would read it."""
    result = run(written(tmp_path / "orders.csv", CSV.splitlines()))
    assert result.exit_code == 1
    assert result.stdout.count("not_json_lines") == 3
    assert "looks like CSV: is --format right?" in result.stdout


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not say how much memory was used")
def test_f03_a_gigabyte_in_one_line(tmp_path: Path) -> None:
    """1 MB of gzip: refused with its own reason, in memory that does not grow with it; what follows is done."""
    file = tmp_path / "orders.jsonl.gz"
    block = b" " * 2**20
    with gzip.open(file, "wb", compresslevel=9) as out:
        out.write(json.dumps(receipt(9)).encode() + b"\n")
        out.write(b'{"type": "order", "number": "')
        for _ in range(1024):
            out.write(block)
        out.write(b'"}\n' + json.dumps(order(1)).encode() + b"\n")
    assert file.stat().st_size < 2 * 2**20
    command = [sys.executable, "-c", MEASURED, "run", file, "--format", JSONL, "--db", tmp_path / "shop.db", "--json"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(row["line"], row["codes"]) for row in found["rejected"]] == [(2, ["too_large"])]
    assert found["states"]["order"] == {"Completed": 1}
    _, most, unit = done.stderr.splitlines()[-1].split()
    assert (int(most) < 200 * 1024, unit) == (True, "kB")


def test_f03_a_file_that_is_not_whole(tmp_path: Path) -> None:
    """A gzip file that was cut off is told as that."""
    whole = gzip.compress("".join(f"{json.dumps(each)}\n" for each in [receipt(9), order(1)]).encode())
    file = tmp_path / "orders.jsonl.gz"
    file.write_bytes(whole[:-20])
    result = run(file)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert str(file) in result.stderr
