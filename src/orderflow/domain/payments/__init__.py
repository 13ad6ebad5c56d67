"""The payment: money of one source, independent of orders. Read ``machine`` first."""
