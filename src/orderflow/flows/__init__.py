"""Use cases as generators: pure, they yield asks and are given answers."""

from __future__ import annotations
