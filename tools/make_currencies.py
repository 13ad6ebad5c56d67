"""Write src/orderflow/domain/money/currencies.py from the ``iso4217`` package: ``python tools/make_currencies.py``."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill

from iso4217 import Currency

__all__ = ["exponents", "render"]

TARGET = Path(__file__).resolve().parent.parent / "src" / "orderflow" / "domain" / "money" / "currencies.py"

HEAD = '''"""ISO 4217 currencies and the decimals of their minor unit.

Written by ``tools/make_currencies.py``: edit that file, not this one. These are the decimals of ISO 4217 list one;
CLDR has fewer for some currencies, because they are for display. Codes without a minor unit, such as gold
(XAU), cannot hold an amount and are left out.
"""

from __future__ import annotations

from typing import Annotated

from orderflow.domain.engine.bounds import Known
from orderflow.domain.engine.schema import faults_at
from orderflow.errors import InputError

__all__ = ["EXPONENTS", "Currency", "exponent"]

_CODES_BY_EXPONENT = {
'''

TAIL = '''}

EXPONENTS: dict[str, int] = {code: decimals for decimals, codes in _CODES_BY_EXPONENT.items() for code in codes.split()}
"""Currency code -> decimals of its minor unit: JPY 0, EUR 2, BHD 3."""


Currency = Annotated[
    str, Known(EXPONENTS.__contains__, "unknown_currency", "a currency of ISO 4217 that has a minor unit")
]


def exponent(currency: str) -> int:
    """The decimals of ``currency``.

    Raises:
        InputError: the code is not in ISO 4217 or has no minor unit.
    """
    if type(currency) is not str or currency not in EXPONENTS:
        raise InputError(faults_at("currency", Currency, currency))
    return EXPONENTS[currency]
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
