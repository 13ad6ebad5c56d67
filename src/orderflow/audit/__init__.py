"""Verifying a database against the numbered invariants."""
