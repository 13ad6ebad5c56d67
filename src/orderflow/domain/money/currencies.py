"""ISO 4217 currencies and the decimals of their minor unit.

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
    0: """
        BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
    """,
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
        CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL
        HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU
        MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR
        SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED
        VES WST XAD XCD XCG YER ZAR ZMW ZWG
    """,
    3: """
        BHD IQD JOD KWD LYD OMR TND
    """,
    4: """
        CLF UYW
    """,
}

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
