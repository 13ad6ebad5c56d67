"""Use cases as pure generators: they yield asks and are sent the answers."""

from __future__ import annotations
