"""Write src/orderflow/domain/money/currencies.py from the ``iso4217`` package: ``python tools/make_currencies.py``."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

from iso4217 import Currency

__all__ = ["exponents", "render"]

TARGET = Path(__file__).resolve().parent.parent / "src" / "orderflow" / "domain" / "money" / "currencies.py"

HEAD = '''"""ISO 4217 currencies and the decimals of their minor unit.

Written by ``tools/make_currencies.py``: change that, not this. The accounting table of ISO 4217 list one, not
the display table of CLDR, which rounds some currencies to fewer decimals. Codes without a minor unit, such as
gold (XAU), cannot hold an amount and are left out.
"""

from __future__ import annotations

from orderflow.errors import Fault, InputError

__all__ = ["EXPONENTS", "currency_faults", "exponent"]

_CODES_BY_EXPONENT = {
'''

TAIL = '''}

EXPONENTS: dict[str, int] = {code: decimals for decimals, codes in _CODES_BY_EXPONENT.items() for code in codes.split()}
"""Currency code -> decimals of its minor unit: JPY 0, EUR 2, BHD 3."""


def exponent(currency: str) -> int:
    """The decimals of ``currency``.

    Raises:
        InputError: the code is not in ISO 4217 or has no minor unit.
    """
    if faults := currency_faults(currency, "currency"):
        raise InputError(faults)
    return EXPONENTS[currency]


def currency_faults(value: object, path: str) -> list[Fault]:
    """What is wrong with a value that must be a currency code of ISO 4217 with a minor unit."""
    if isinstance(value, str) and value in EXPONENTS:
        return []
    return [Fault(path, "currency_unknown", f"{value!r:.20} is not an ISO 4217 currency")]
'''


def exponents() -> dict[str, int]:
    """Every currency of the ``iso4217`` package that has a minor unit, sorted by code."""
    found = {currency.code: currency.exponent for currency in Currency if currency.exponent is not None}
    return dict(sorted(found.items()))


def render() -> str:
    """The text of the module."""
    table = exponents()
    rows: list[str] = []
    for decimals in sorted(set(table.values())):
        codes = " ".join(code for code, own in table.items() if own == decimals)
        indented = fill(codes, 112, initial_indent=" " * 8, subsequent_indent=" " * 8)
        rows.append(f'    {decimals}: """\n{indented}\n    """,\n')
    return HEAD + "".join(rows) + TAIL


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
