"""Order processing to build into a shop: receive, confirm, allocate, prepare, ship, complete, tell the customer.

Names are loaded when they are first used, so importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderflow.adapters.storage.memory import MemoryStorage as MemoryStorage
    from orderflow.facade import OrderFlow as OrderFlow

__version__ = "0.1.0"
