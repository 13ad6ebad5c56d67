"""Invoices, credit notes, customers' accounts and number series."""
