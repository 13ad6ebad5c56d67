"""The invoice aggregate: read ``machine`` first."""

__all__: list[str] = []
