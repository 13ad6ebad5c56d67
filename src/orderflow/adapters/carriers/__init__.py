"""Carriers that ship with the library."""

from __future__ import annotations
