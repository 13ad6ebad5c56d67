"""Storages that ship with the library: in memory, and in an SQLite file."""

from __future__ import annotations
