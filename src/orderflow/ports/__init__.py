"""What the library asks of the world: small Protocols, and the records that cross them. No logic."""

from __future__ import annotations
