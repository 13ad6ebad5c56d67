"""The stock aggregate: read ``machine`` first."""

__all__: list[str] = []
