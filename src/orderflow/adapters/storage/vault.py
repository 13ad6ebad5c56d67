"""The vault: kinds whose rows hold personal data. Their journal keeps that something happened, never what it said.

So the row's state is the only copy, and when it is erased nothing of it is left.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import frozen

#: The kinds whose journal keeps no values.
VAULT: Final = frozenset({"party"})


@frozen
class Redacted:
    """Stands in the journal for an event of the vault: the name of its class, and nothing of its content."""

    type: str


def kept(kind: str, event: Any) -> Any:
    """What the journal keeps of an event of a row of this kind."""
    return Redacted(type(event).__name__) if kind in VAULT else event
