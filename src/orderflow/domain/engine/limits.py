"""The sizes an order may have, and the checks of text that every message shares.

Checks return faults instead of raising, so that a caller can report all of them at once.
"""

from __future__ import annotations

import re

from orderflow.errors import Fault

__all__ = [
    "MAX_COMMAND_ID",
    "MAX_GROUP",
    "MAX_ID",
    "MAX_LINES",
    "MAX_MONEY_MINOR",
    "MAX_NAME",
    "MAX_QUANTITY",
    "MAX_TAGS",
    "MAX_TEXT",
    "check_quantity",
    "id_faults",
    "text_faults",
]


MAX_LINES = 5_000
"""Lines of one order, of any kind."""


MAX_QUANTITY = 10**9
"""Units of one line or one stock counter, in the smallest unit of the SKU."""


MAX_MONEY_MINOR = 10**15
"""Minor units of one amount or one sum, either sign. Exact in a 64-bit column and in a double."""


MAX_TEXT = 2_000
"""Characters of a free text: notes, special requests, gift messages."""


MAX_NAME = 200
"""Characters of a name or of one address line."""


MAX_ID = 100
"""Characters of an identifier."""


MAX_COMMAND_ID = 200
"""Characters of a command id, which may be made of others (``shop/536365/ship``)."""


MAX_TAGS = 50
"""Tags of one order."""


MAX_GROUP = 1_000
"""Commands settled in one commit."""


# Categories Cc and Cs, the separators that end a line, and the Unicode property Bidi_Control (UAX #9):
# the last can make one text look like another on a label or an invoice.
_CONTROL = "\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"


_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"


_BAD_IN_LINE = re.compile(f"[{_CONTROL}{_BIDI}]")


_BAD_IN_TEXT = re.compile(f"(?![\n\t])[{_CONTROL}{_BIDI}]")


def text_faults(
    value: object, path: str, *, limit: int, required: bool = False, multiline: bool = False
) -> list[Fault]:
    """What is wrong with a text of at most ``limit`` characters; newline and tab only where ``multiline``.

    Refused are control characters, lone surrogates and bidirectional controls; ``required`` refuses blank text too.
    """
    if not isinstance(value, str):
        return [Fault(path, "type", f"must be text, not {type(value).__name__}")]
    faults: list[Fault] = []
    if required and not value.strip():
        faults.append(Fault(path, "required", "must not be blank"))
    if len(value) > limit:
        faults.append(Fault(path, "too_long", f"has {len(value)} characters, at most {limit} are allowed"))
    bad = (_BAD_IN_TEXT if multiline else _BAD_IN_LINE).search(value)
    if bad:
        faults.append(Fault(path, "control_character", f"holds U+{ord(bad[0]):04X} at position {bad.start()}"))
    return faults


def id_faults(value: object, path: str) -> list[Fault]:
    """What is wrong with an identifier: 1 to ``MAX_ID`` printable characters, not blank."""
    faults = text_faults(value, path, limit=MAX_ID, required=True)
    if isinstance(value, str) and not faults and not value.isprintable():
        faults.append(Fault(path, "unprintable", "must hold printable characters only"))
    return faults


def check_quantity(value: object, path: str, *, least: int = 1, most: int = MAX_QUANTITY) -> Fault | None:
    """The fault of a quantity that is not an integer from ``least`` to ``most``; None when it is one."""
    if not isinstance(value, int) or isinstance(value, bool):
        return Fault(path, "type", f"must be an integer, not {type(value).__name__}")
    if not least <= value <= most:
        return Fault(path, "range", f"must be from {least} to {most}")
    return None
