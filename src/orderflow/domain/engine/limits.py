"""The sizes that numbers, texts and groups of commands may have."""

from __future__ import annotations

__all__ = [
    "MAX_COMMAND_ID",
    "MAX_GROUP",
    "MAX_ID",
    "MAX_MONEY_MINOR",
    "MAX_NAME",
    "MAX_QUANTITY",
    "MAX_TEXT",
]

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
"""Characters of a command id, which may be built from other ids (``shop/536365/ship``)."""

MAX_GROUP = 1_000
"""Commands decided in one commit."""
