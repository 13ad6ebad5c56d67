"""Replaceable parts behind the ports: the only place with I/O, clocks, chance and foreign formats."""

from __future__ import annotations
