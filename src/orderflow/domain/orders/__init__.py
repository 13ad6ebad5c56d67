"""The order: read ``machine`` first."""
