"""Tools for testing your own adapters, rules and shops; they need the extra ``testing``.

Import the module you need: ``strategies`` draws messages and values, ``contracts`` checks whether an adapter keeps its
port's contract, ``explore`` walks a workflow in search of a broken law.
"""

from __future__ import annotations
