"""Customers, and the party versions that hold personal data."""
