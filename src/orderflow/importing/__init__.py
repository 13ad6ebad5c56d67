"""Importing files of orders: every document is taken through the six steps."""
