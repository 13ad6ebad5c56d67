"""What users need to test their own adapters, rules and shops; asks for the extra ``testing``.

``strategies`` derives Hypothesis strategies from message classes.
"""

from __future__ import annotations

__all__: list[str] = []
