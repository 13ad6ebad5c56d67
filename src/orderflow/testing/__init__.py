"""What users need to test their own adapters, rules and shops; asks for the extra ``testing``.

Import the module you need: ``strategies`` draws messages and values, ``contracts`` tells whether an adapter keeps
its port, ``explore`` walks a workflow of yours looking for a broken law.
"""

from __future__ import annotations
