"""Use cases as generators: pure, they yield asks and are given answers."""

__all__: list[str] = []
